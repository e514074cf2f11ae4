import type { Exchange } from './exchange.ts';

/** What a browser's script may read beside the body. */
const exposed = [
  'X-Request-Id', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'Location', 'ETag', 'Idempotency-Replayed', 'WWW-Authenticate', 'Allow',
].join(', ');
const allowedHeaders = [
  'Authorization', 'X-Api-Key', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match', 'Last-Event-ID', 'X-Request-Id', 'X-Preview-Token',
].join(', ');
const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/**
 * Marks the answer for the origins of CORS_ORIGINS. True when the request was a preflight, which ends with 204 here.
 * No cookies are used, so credentials mode is never allowed. An origin not listed gets no mark and the browser keeps
 * the answer from it.
 */
export function cors(origins: ReadonlySet<string>): (exchange: Exchange) => boolean {
  return (exchange) => {
    const { origin } = exchange.req.headers;
    if (origins.size === 0 || origin === undefined) return false;
    const isPreflight = exchange.req.method === 'OPTIONS' && exchange.req.headers['access-control-request-method'] !== undefined;
    exchange.head.push('Vary', 'Origin');
    if (!origins.has(origin)) return isPreflight;
    exchange.head.push('Access-Control-Allow-Origin', origin);
    if (isPreflight) {
      exchange.head.push(
        'Access-Control-Allow-Methods', allowedMethods,
        'Access-Control-Allow-Headers', allowedHeaders,
        'Access-Control-Max-Age', '600',
      );
    } else {
      exchange.head.push('Access-Control-Expose-Headers', exposed);
    }
    return isPreflight;
  };
}

import { ServiceError } from '#platform/errors.ts';
import type { Exchange, Step } from '../exchange.ts';
import { fault } from '../validation/faults.ts';
import type { Route } from '../route.ts';

/**
 * Judges a body by its headers, before a byte of it is read: its length against the operation's bound, its type
 * against those the operation takes. Compressed bodies are refused, so that none can unfold into more than it said.
 */
export function declaredBody(route: Route): Step {
  const types = new Set(route.requestTypes.map((type) => type.toLowerCase()));
  // `image/*`, `*/*`: a range stands for every type in it.
  const ranges = [...types].filter((type) => type.endsWith('/*')).map((type) => type.slice(0, -1));
  const takesAnything = types.has('*/*');
  const accepts = (type: string): boolean =>
    takesAnything || types.has(type) || ranges.some((range) => type.startsWith(range));

  return ({ req }) => {
    const length = contentLength(req.headers['content-length']);
    const isChunked = req.headers['transfer-encoding'] !== undefined;
    if (!isChunked && (length === null || length === 0)) return;
    if (route.requestBody === 'none') {
      throw new ServiceError('VALIDATION_ERROR', 'This operation takes no body.', {
        details: [fault('#/body', 'must be absent', 'absent')],
      });
    }
    if (length !== null && length > route.maxBodyBytes) throw tooLarge(route.maxBodyBytes);
    const encoding = req.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw unsupported('Send the body without Content-Encoding.', route);
    }
    const [type, ...parameters] = (req.headers['content-type'] ?? '').split(';');
    if (!accepts((type ?? '').trim().toLowerCase())) {
      throw unsupported(`This operation takes ${route.requestTypes.join(' or ')}.`, route);
    }
    const charset = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/i;
    for (const parameter of parameters) {
      const named = charset.exec(parameter)?.[1]?.toLowerCase();
      if (route.requestBody === 'json' && named !== undefined && named !== 'utf-8' && named !== 'utf8') {
        throw unsupported('JSON is sent as UTF-8.', route);
      }
    }
  };
}

/** Whether the request brings, or may bring, body bytes. */
export function hasBody({ req }: Pick<Exchange, 'req'>): boolean {
  return req.headers['transfer-encoding'] !== undefined || (contentLength(req.headers['content-length']) ?? 0) > 0;
}

/** Node's parser has refused what is no number already. */
function contentLength(header: string | undefined): number | null {
  return header === undefined ? null : Number(header);
}

export const tooLarge = (maxBytes: number): ServiceError =>
  new ServiceError('PAYLOAD_TOO_LARGE', `The body may hold at most ${maxBytes} bytes.`, { details: { max_bytes: maxBytes } });

const unsupported = (message: string, route: Route): ServiceError =>
  new ServiceError('UNSUPPORTED_MEDIA_TYPE', message, { details: { supported: [...route.requestTypes] } });

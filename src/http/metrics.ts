/** GET /metrics, beside the contract: for whoever holds METRICS_TOKEN, wherever it asks from. Without a token set there is nothing here. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Secret } from '#config/environment.ts';
import { equalInConstantTime } from '#platform/crypto.ts';
import type { Logger } from '#platform/log.ts';

export const metricsPath = '/metrics';

export interface MetricsOptions {
  readonly token: Secret | null;
  readonly type: string;
  readonly text: () => Promise<string>;
  readonly log: Logger;
}

/** Whether a request is for it. */
export const isForMetrics = ({ url }: IncomingMessage): boolean => url === metricsPath || url?.startsWith(`${metricsPath}?`) === true;

export function metricsListener({ token, type, text, log }: MetricsOptions): RequestListener {
  return (request, response) => {
    request.resume();
    if (token === null) return void end(response, 404);
    const given = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!equalInConstantTime(given, token.reveal())) return void end(response, 401, { 'www-authenticate': 'Bearer' });
    if (request.method !== 'GET' && request.method !== 'HEAD') return void end(response, 405, { allow: 'GET, HEAD' });
    text().then(
      (body) => end(response, 200, { 'content-type': type }, request.method === 'HEAD' ? '' : body),
      (error: unknown) => {
        log.error('metrics.failed', 'The figures could not be told', { error });
        end(response, 500);
      },
    );
  };
}

function end(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}, body = ''): void {
  response.writeHead(status, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers });
  response.end(body);
}

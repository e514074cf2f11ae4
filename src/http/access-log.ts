import type { Logger } from '#platform/log.ts';
import type { Exchange } from './exchange.ts';

/**
 * One line per request when it is over. The route's template stands for the path: no id, query, token or name of a
 * person's thing is in it. 499 stands for a client that went away before it was answered.
 */
export function logAccess(log: Logger, exchange: Exchange): void {
  const { req, res, route, caller } = exchange;
  const method = req.method;
  const template = route?.template ?? '(no route)';
  const isCutOff = !res.writableFinished;
  const status = isCutOff && !res.headersSent ? 499 : res.statusCode;
  log.info('http.request', `${method} ${template} ${status}`, {
    method,
    route: template,
    operation_id: route?.operationId ?? null,
    status,
    duration_ms: Math.round((performance.now() - exchange.startedAtMs) * 100) / 100,
    ip: exchange.ip,
    caller: caller.kind,
    ...(exchange.errorCode === null ? {} : { error_code: exchange.errorCode }),
    ...(isCutOff && res.headersSent ? { cut_off: true } : {}),
  });
}

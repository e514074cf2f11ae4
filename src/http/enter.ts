import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from '#platform/log.ts';
import { requestContext, type RequestContext } from '#platform/request-context.ts';
import { logAccess } from './access-log.ts';
import { failureAnswer, logFailure, serviceErrorOf } from './answer/failure.ts';
import { send } from './answer/send.ts';
import { cors } from './cors.ts';
import { exchangeOf, keepExchange, newExchange } from './exchange.ts';
import { clientOf, type Proxies } from './proxies.ts';
import { requestIdOf } from './request-id.ts';

export interface EnterOptions {
  readonly log: Logger;
  readonly proxies: Proxies;
  readonly corsOrigins: ReadonlySet<string>;
}

/** The first step of every request, whatever its path: who it is from, under which id, and the log line at its end. */
export function enter({ log, proxies, corsOrigins }: EnterOptions): RequestHandler {
  const judgeOrigin = cors(corsOrigins);
  return (req, res, next) => {
    const startedAtMs = performance.now();
    const context: RequestContext = { requestId: requestIdOf(req.headers['x-request-id']), userId: null };
    const { ip, isHttps } = clientOf(req, proxies);
    const exchange = newExchange(req, res, context, ip, isHttps, startedAtMs);
    keepExchange(exchange);
    requestContext.run(context, () => {
      res.on('close', () => {
        if (!res.writableFinished) exchange.abort.abort();
        requestContext.run(context, logAccess, log, exchange);
      });
      if (judgeOrigin(exchange)) send(exchange, { status: 204, headers: [], text: null });
      else next();
    });
  };
}

/** What Express itself throws: a path that does not decode. Everything behind a route has been answered there. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, req, _res, _next) => {
    const exchange = exchangeOf(req);
    const failure = serviceErrorOf(error);
    logFailure(log, exchange, failure);
    send(exchange, failureAnswer(failure));
  };
}

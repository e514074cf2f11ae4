import { Router, type RequestHandler } from 'express';
import { ServiceError, notFound } from '#platform/errors.ts';
import { failureAnswer } from './answer/failure.ts';
import { send } from './answer/send.ts';
import type { HandlerTable } from './contract.ts';
import { exchangeOf, type Exchange } from './exchange.ts';
import { buildPipeline, type Parts } from './pipeline.ts';
import type { Route } from './route.ts';

/**
 * One router per first path segment, picked by a map: position in a flat router of 180 routes costs 11–16 µs, this
 * nothing. Within a router words come before parameters (the generated table is in that order). Operations without a
 * handler are not mounted.
 */
export function mountRoutes(parts: Parts, handlers: HandlerTable): RequestHandler {
  const routers = new Map<string, Router>();
  const byPath = Map.groupBy(inOrder(parts.contract.routes.filter(({ operationId }) => handlers[operationId] !== undefined)), ({ path }) => path);

  for (const [path, routes] of byPath) {
    const router = routerFor(routers, segmentOf(path));
    const mounted = router.route(path);
    for (const route of routes) {
      const handler = handlers[route.operationId];
      if (handler === undefined) continue;
      const run = buildPipeline(route, handler, parts);
      // It never rejects: whatever goes wrong has been answered.
      mounted[route.method]((req) => void run(exchangeOf(req)));
    }
    const allowed = allowedMethods(routes);
    mounted.all((req) => refuseMethod(exchangeOf(req), allowed, routes[0]));
  }

  return (req, res, next) => {
    const router = routers.get(segmentOf(req.url));
    if (router === undefined) next();
    else router(req, res, next);
  };
}

/** `/projects/…` and `/projects?…` belong to `projects`. */
function segmentOf(url: string): string {
  const end = url.slice(1).search(/[/?]/);
  return end === -1 ? url.slice(1) : url.slice(1, end + 1);
}

function routerFor(routers: Map<string, Router>, segment: string): Router {
  const known = routers.get(segment);
  if (known !== undefined) return known;
  // The path is what the contract says, letter for letter: no second spelling of one thing.
  const router = Router({ caseSensitive: true, strict: true });
  routers.set(segment, router);
  return router;
}

/** Words before parameters at every place, so that `/faq/unanswered` is never taken for `/faq/:entry_id`. */
export function inOrder(routes: readonly Route[]): Route[] {
  const rank = (route: Route): string => route.path.split('/').map((part) => (part.startsWith(':') ? '1' : '0')).join('');
  return [...routes].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}

function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return [...methods, 'OPTIONS'].join(', ');
}

function refuseMethod(exchange: Exchange, allowed: string, route: Route | undefined): void {
  exchange.head.push('Allow', allowed);
  if (exchange.req.method === 'OPTIONS') {
    send(exchange, { status: 204, headers: [], text: null });
    return;
  }
  const error = new ServiceError('METHOD_NOT_ALLOWED', `This path takes ${allowed}.`, { internal: route?.template ?? '' });
  exchange.errorCode = error.code;
  send(exchange, failureAnswer(error));
}

/** The end of the line: a path that nothing is mounted at. */
export const answerNotFound: RequestHandler = (req) => {
  const exchange = exchangeOf(req);
  const error = notFound();
  exchange.errorCode = error.code;
  send(exchange, failureAnswer(error));
};

import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerReply, Route } from './route.ts';

/**
 * Operations on a thing that belongs to somebody: their service must have asked the policy. Not those on the caller's
 * own account (no resource), nor those whose right lies in a signature (workers, hooks) or that anybody may call.
 */
export const asksPolicy = (route: Pick<Route, 'auth' | 'roles' | 'resource'>): boolean =>
  route.auth !== 'none' && route.auth !== 'hook' && route.auth !== 'worker' && (route.roles !== null || route.resource !== null);

/** Refuses to send what no policy call allowed: a service that forgot to ask is a fault, and must not look like an answer. */
export function refuseUnasked(route: Route, { policy }: Exchange, reply: HandlerReply, log: Logger): void {
  if (policy.allowed || !asksPolicy(route)) return;
  reply.stream?.destroy();
  log.error('policy.unasked', `${route.operationId} answered without a policy call`, { operation_id: route.operationId, resource: route.resource });
  throw new ServiceError('INTERNAL_ERROR', 'Something went wrong on our side. The request id helps us find it.', {
    internal: 'no policy call allowed this answer',
  });
}

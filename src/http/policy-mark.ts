import type { PolicyMark } from '#platform/call.ts';
import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerReply, Route } from './route.ts';

/**
 * Whether the policy allowed what this operation is about to do. Where somebody has to be known, the service must have
 * asked who calls; where it is about a thing that belongs to somebody, about that thing. Not asked of those whose right
 * lies in a signature (workers, hooks), nor of what anybody may call.
 */
export function isAllowed(route: Pick<Route, 'auth' | 'roles' | 'resource'>, policy: PolicyMark): boolean {
  if (route.auth === 'none' || route.auth === 'hook' || route.auth === 'worker') return true;
  return policy.allowed && (policy.onResource === true || (route.roles === null && route.resource === null));
}

/** Refuses to send what no policy call allowed: a service that forgot to ask is a fault, and must not look like an answer. */
export function refuseUnasked(route: Route, { policy }: Exchange, reply: HandlerReply, log: Logger): void {
  if (isAllowed(route, policy)) return;
  reply.stream?.destroy();
  log.error('policy.unasked', `${route.operationId} answered without a policy call`, { operation_id: route.operationId, resource: route.resource });
  throw new ServiceError('INTERNAL_ERROR', 'Something went wrong on our side. The request id helps us find it.', {
    internal: 'no policy call allowed this answer',
  });
}

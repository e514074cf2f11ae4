/** Sign-ins that look like somebody else's: how they are told, and to whom. */
import type { Knex } from 'knex';
import { emit, type DomainEvent } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import type { Logger } from '#platform/log.ts';
import { audit } from '../audit/audit.ts';

export type Suspicion = 'new_device_and_network' | 'many_failures' | 'refresh_token_reused';

/** Wrong passwords before the right one from which on somebody may have been guessing. */
export const manyFailures = 5;

export interface SuspiciousSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly reason: Suspicion;
  readonly deviceName: string | null;
}

/**
 * Marks a session, and tells the audit, the account (`session.suspicious`) and the operators (`alert.raised`), in the
 * transaction that found it. The address is the one the request came from.
 */
export async function markSuspicious(trx: Knex.Transaction, call: Call, { sessionId, userId, reason, deviceName }: SuspiciousSession): Promise<void> {
  await trx('sessions').where({ id: sessionId }).update({ suspicious: true, suspicious_reason: reason });
  await audit(trx, call, { event_type: 'session.suspicious', entity_type: 'session', entity_id: sessionId, user_id: userId, data: { reason } });
  await emit(trx, {
    type: 'session.suspicious', entityId: sessionId, userId,
    data: { session_id: sessionId, reason, ip_address: call.ip, user_agent: call.userAgent.slice(0, 512), device_name: deviceName },
  }, {
    type: 'alert.raised', entityId: sessionId, userId,
    data: { kind: 'suspicious_sign_in', session_id: sessionId, reason },
  });
}

/** The consumer of `alert.raised`: what operators are alerted of is in the log, after the commit it belongs to. */
export function logAlert(log: Logger): (event: DomainEvent) => Promise<void> {
  return ({ data, userId }) => {
    const { kind, ...what } = data;
    log.warn(`alert.${String(kind)}`, 'Operators should look at this', { ...what, user_id: userId ?? null });
    return Promise.resolve();
  };
}

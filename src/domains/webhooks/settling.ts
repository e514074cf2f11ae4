/** What becomes of a delivery, and of its endpoint, after an attempt. */
import type { Knex } from 'knex';
import { emit } from '#jobs/outbox.ts';
import { type Database, transact } from '#platform/database.ts';
import { audit } from '../audit/audit.ts';
import { cancelPendingSql } from './queries.ts';
import { type Outcome, waitAfter } from './retries.ts';
import { originOf } from './rows.ts';
import { arrivedSql, disableSql, failedSql, holdFailedSql, settleSql } from './sending-queries.ts';

/** A delivery that is held under a lease, and whose attempt is over. */
export interface Attempted {
  readonly id: string;
  readonly webhook_id: string;
  readonly trigger: string;
  /** Before this one. */
  readonly attempt_count: number;
  readonly lease_token: string;
  /** Since when this one was under way. */
  readonly attempted_at: string;
}

const goneStatus = 410;

/** Writes it down, once: false where the lease does not hold the delivery any more. What it meant for the endpoint stands with it. */
export async function settle(db: Database, attempted: Attempted, outcome: Outcome): Promise<boolean> {
  return outcome.failure === null ? settleArrived(db, attempted, outcome) : transact(db, null, (trx) => settleFailed(db, trx, attempted, outcome));
}

async function settleArrived(db: Database, attempted: Attempted, outcome: Outcome): Promise<boolean> {
  const isOurs = (await db.named('webhooks.settle', settleSql, valuesOf(attempted, outcome, 'succeeded', null))).length > 0;
  // By itself: it is often so already, and a transaction over both would hold the one while it waits for the other.
  if (isOurs) await db.named('webhooks.arrived', arrivedSql, [attempted.webhook_id]);
  return isOurs;
}

/** The endpoint comes first, as for whoever switches it off. */
async function settleFailed(db: Database, trx: Knex.Transaction, attempted: Attempted, outcome: Outcome): Promise<boolean> {
  const { webhook_id: webhookId } = attempted;
  const [endpoint] = await db.namedIn<{ is_active: boolean; failing_since: string | null; has_failed_long: boolean | null }>(trx, 'webhooks.hold_failed', holdFailedSql, [webhookId]);
  if (endpoint === undefined) return false;
  const why = outcome.response_status === goneStatus ? 'gone' : endpoint.has_failed_long === true ? 'failing' : null;
  const waitMs = why === null ? waitAfter(attempted.attempt_count + 1, attempted.trigger, outcome) : null;
  const rows = await db.namedIn(trx, 'webhooks.settle', settleSql, valuesOf(attempted, outcome, 'failed', waitMs));
  if (rows.length === 0) return false;
  if (endpoint.failing_since === null) await db.namedIn(trx, 'webhooks.failed', failedSql, [webhookId, attempted.attempted_at]);
  if (why !== null && endpoint.is_active) await disable(db, trx, webhookId, why);
  return true;
}

/** Switches an endpoint off that wants nothing more, or has taken nothing for days; what waits for it is not sent any more. */
async function disable(db: Database, trx: Knex.Transaction, webhookId: string, reason: 'failing' | 'gone'): Promise<void> {
  const [endpoint] = await db.namedIn<{ project_id: string; url: string; disabled_at: string }>(trx, 'webhooks.disable', disableSql, [webhookId, reason]);
  if (endpoint === undefined) return;
  const { project_id: projectId, url, disabled_at: disabledAt } = endpoint;
  await db.namedIn(trx, 'webhooks.cancel_pending', cancelPendingSql, [webhookId, true]);
  const origin = originOf(url);
  await audit(trx, null, { event_type: 'webhook.disabled', entity_type: 'webhook', entity_id: webhookId, project_id: projectId, data: { reason, origin } });
  await emit(trx, { type: 'webhook.disabled', entityId: webhookId, projectId, data: { webhook_id: webhookId, url: origin, reason, disabled_at: disabledAt } });
}

const valuesOf = (attempted: Attempted, outcome: Outcome, status: 'succeeded' | 'failed', waitMs: number | null): (string | number | null)[] => [
  attempted.id, attempted.lease_token, status, waitMs, attempted.attempted_at, outcome.response_status ?? null, outcome.response_body ?? null, outcome.duration_ms,
  outcome.failure ?? null,
];

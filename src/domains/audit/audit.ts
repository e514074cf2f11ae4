import type { Knex } from 'knex';
import type { Call } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';

export interface AuditEntry {
  readonly event_type: string;
  readonly entity_type: string;
  readonly entity_id: string | null;
  readonly project_id?: string | null;
  /** Who did it, where the call does not know yet (a sign-in). */
  readonly user_id?: string;
  /** What changed, without secrets. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Of a call, what an audit row tells: a job that finishes what a call began hands on what the call said. */
export type Origin = Pick<Call, 'caller' | 'ip' | 'requestId'>;

/** Writes one audit row in the transaction of the effect it tells of. A null call is the system itself. */
export async function audit(trx: Knex.Transaction, call: Origin | null, entry: AuditEntry): Promise<void> {
  const caller = call?.caller;
  const userId = entry.user_id ?? (caller?.kind === 'user' || caller?.kind === 'api_key' ? caller.userId : null);
  await trx('audit_logs').insert({
    id: newId(),
    user_id: userId,
    project_id: entry.project_id ?? null,
    event_type: entry.event_type,
    entity_type: entry.entity_type,
    entity_id: entry.entity_id,
    data: JSON.stringify(entry.data ?? {}),
    ip_address: call?.ip ?? null,
    request_id: call?.requestId ?? null,
  });
}

/**
 * A job's life in Postgres: queued → running under a lease → succeeded, failed, cancelled or timed_out. A lease is a
 * random token of which only the hash is kept; whoever holds it holds the job, until it runs out and the reconciler
 * gives the job to somebody else.
 */
import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import type { JobFailure } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { sha256Hex } from '#platform/crypto.ts';
import type { Binding, Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { JobKind, JobRow, JobStatus, JobTable } from './kinds.ts';
import { enqueue, eventPayload } from './outbox.ts';
import { passTurn } from './turns.ts';

/** Long enough to bear a slow network, short enough that a lost worker delays a job little. Progress extends it. */
export const leaseMs = 20_000;
/** What a job gets beyond its build limit for fetching and uploading before it counts as timed out. */
export const transferGraceMs = 60_000;

export const hashOfLease = (token: string): Buffer => createHash('sha256').update(token).digest();

export type StopReason = 'deadline';

/** The lease's next end, or the one it has where the job is past its deadline (the sum is in the row's own columns). */
const extendSql = (table: JobTable): string => `
  update ${table}
     set stage = $3, progress = greatest(progress, $4::smallint),
         lease_expires_at = case when now() > started_at + interval '1 millisecond' * (max_build_ms + ${transferGraceMs}) then lease_expires_at
                                 else now() + interval '${leaseMs} milliseconds' end
   where id = $1 and status = 'running' and lease_token_hash = $2
  returning *`;

/**
 * Extends the lease and notes how far the job is. Answers whether to stop because the job is past its deadline; a null
 * job when this lease does not hold it any more (it ran out, or the job was cancelled). Past the deadline nothing is
 * extended: a worker that does not stop loses the job to the reconciler, however busily it reports.
 */
export async function extend(
  db: Pick<Database, 'named' | 'namedIn'>, trx: Knex.Transaction | null, kind: JobKind, jobId: string, leaseToken: string, at: { stage: string; progress: number },
): Promise<{ job: JobRow | null; stop: StopReason | null }> {
  const [name, sql, values] = [`jobs.extend.${kind.kind}`, extendSql(kind.table), [jobId, hashOfLease(leaseToken), at.stage, at.progress]] as const;
  const [job] = trx === null ? await db.named<JobRow>(name, sql, values) : await db.namedIn<JobRow>(trx, name, sql, values);
  if (job === undefined) return { job: null, stop: null };
  return { job, stop: isOverdue(job) ? 'deadline' : null };
}

/** A column of the kind's own that an end sets; one of a time so many days from now. */
export type EndValue = Binding | { readonly daysFromNow: number };

export interface LeaseEnd {
  readonly status: Exclude<JobStatus, 'queued' | 'running'>;
  readonly error_code: string | null;
  readonly isDead?: boolean;
  readonly fields: Readonly<Record<string, EndValue>>;
}

/**
 * $1 job, $2 hash of the lease, $3 status, $4 error code, $5 whether it is dead, $6–$10 what is told of it in the audit,
 * $11 and $12 as an event, where it is; then the columns of the kind's own.
 */
function finishSql(table: JobTable, fields: LeaseEnd['fields'], hasEvent: boolean): string {
  const own = Object.entries(fields).map(([column, value], nth) => {
    const place = `$${(hasEvent ? 13 : 11) + nth}`;
    return `, ${column} = ${isDays(value) ? `now() + interval '1 day' * ${place}` : place}`;
  });
  return `
    with ended as (
      update ${table}
         set status = $3, error_code = $4, stage = null, lease_token_hash = null, lease_expires_at = null, completed_at = now(), ended_lease_hash = lease_token_hash,
             progress = case when $3 = 'succeeded' then 100 else progress end, died_at = case when $5 then now() else died_at end${own.join('')}
       where id = $1 and status = 'running' and lease_token_hash = $2
      returning *
    ), audited as (
      insert into audit_logs (id, project_id, event_type, entity_type, entity_id, data)
      select $6::uuid, project_id, $7::text, $8::text, $9::uuid, $10::jsonb from ended
    )${hasEvent ? ", told as (insert into outbox (kind, topic, payload) select 'event', $11::text, $12::jsonb from ended)" : ''}
    select * from ended`;
}

/**
 * Ends a job under its lease, and writes what others hear of it: one statement, in the transaction that is given or as one of
 * its own. `before` is its row as it ran. Null when this lease does not hold it any more: a late or repeated result
 * changes nothing.
 */
export async function finish(
  db: Pick<Database, 'named' | 'namedIn'>, trx: Knex.Transaction | null, kind: JobKind, before: JobRow, leaseToken: string, { status, error_code, isDead = false, fields }: LeaseEnd,
): Promise<JobRow | null> {
  const { audit, event } = kind.ending({ ...before, status, error_code });
  const sql = finishSql(kind.table, fields, event !== null);
  const values: Binding[] = [
    before.id, hashOfLease(leaseToken), status, error_code, isDead, newId(), audit.event_type, audit.entity_type, audit.entity_id, JSON.stringify(audit.data),
    ...(event === null ? [] : [event.type, eventPayload(event)]), ...Object.values(fields).map((value) => (isDays(value) ? value.daysFromNow : value)),
  ];
  // A handful of texts: one for each set of columns.
  const name = `jobs.finish.${sha256Hex(sql).slice(0, 16)}`;
  const [job] = trx === null ? await db.named<JobRow>(name, sql, values) : await db.namedIn<JobRow>(trx, name, sql, values);
  return job ?? null;
}

const isDays = (value: EndValue): value is { readonly daysFromNow: number } => typeof value === 'object' && value !== null && 'daysFromNow' in value;

/**
 * running → queued again under a new epoch, so that its message is not taken for one that was already sent. With a
 * `leaseToken` only under that lease; with a delay the reconciler sends it when its time has come. `notBegunAs` is the row of a
 * claim that could not be answered: the attempt is not counted, and nothing happens where another try of that claim was.
 */
export async function requeue(
  trx: Knex.Transaction, kind: JobKind, jobId: string, how: { leaseToken?: string; delayMs: number; notBegunAs?: JobRow },
): Promise<JobRow | null> {
  const query = how.leaseToken === undefined ? trx(kind.table).where({ id: jobId, status: 'running' }) : held(trx, kind, jobId, how.leaseToken);
  if (how.notBegunAs !== undefined) query.where({ row_version: how.notBegunAs.row_version });
  const [job] = await query
    .update({
      status: 'queued', stage: null, progress: 0, epoch: trx.raw('epoch + 1'), worker_id: null, started_at: null,
      ...(how.notBegunAs !== undefined ? { attempt: trx.raw(uncounted) } : {}),
      ended_lease_hash: how.leaseToken === undefined ? null : trx.ref('lease_token_hash'),
      lease_token_hash: null, lease_expires_at: null, run_after: inFuture(trx, how.delayMs),
    })
    .returning<JobRow[]>('*');
  if (job === undefined) return null;
  if (how.delayMs === 0) await send(trx, job);
  return job;
}

/** An attempt that nobody began is not counted, for an hour: a fault that lasts longer has to end the job some day. */
const uncounted = "case when queued_at > now() - interval '1 hour' then greatest(attempt - 1, 0) else attempt end";

/** Faults of what a worker leans on last longer than those of a worker: storage that restarts, an SDK set being installed. */
const infrastructureKinds: ReadonlySet<string> = new Set<JobFailure['kind']>(['storage_unavailable', 'sdk_unavailable', 'provider_unavailable', 'unreachable']);

/**
 * What is waited after an attempt, a quarter more or less by chance: 2 s, 8 s, … after a fault of the worker, two minutes
 * at most; 5 s, 30 s, … after one of the infrastructure, five minutes at most. A lost worker is waited for only from its
 * second loss on: the first may be chance, and what kills its worker should not kill one after the other.
 */
export function retryDelayMs(attempt: number, failure: JobFailure['kind']): number {
  if (failure === 'worker_lost' && attempt <= 1) return 0;
  const delayMs = infrastructureKinds.has(failure) ? Math.min(5_000 * 6 ** (attempt - 1), 300_000) : Math.min(500 * 4 ** attempt, 120_000);
  return Math.round(delayMs * (0.75 + Math.random() / 2));
}

/** Ends a job over the head of whoever holds it; its lease counts for nothing from then on. Null when it has ended already. */
async function end(
  trx: Knex.Transaction, kind: JobKind, jobId: string, by: Call | null,
  how: { status: JobStatus; error_code: string | null; fields?: Readonly<Record<string, unknown>> },
): Promise<JobRow | null> {
  const [job] = await trx(kind.table)
    .where({ id: jobId })
    .whereIn('status', ['queued', 'running'])
    .update({ ...ending(trx, how.status), ended_lease_hash: null, error_code: how.error_code, ...how.fields })
    .returning<JobRow[]>('*');
  if (job === undefined) return null;
  await passTurn(trx, job);
  await kind.ended(trx, job, by);
  return job;
}

/** Ends a job that nobody wants any more; `by` is who says so, null for the system. Null when it has ended already. */
export async function cancel(trx: Knex.Transaction, kind: JobKind, jobId: string, by: Call | null): Promise<JobRow | null> {
  return end(trx, kind, jobId, by, { status: 'cancelled', error_code: null });
}

/** Ends a job whose worker cannot say any more why it failed; `isDead` after its last attempt. Null when it has ended already. */
export async function giveUp(trx: Knex.Transaction, kind: JobKind, jobId: string, failure: JobFailure, isDead: boolean): Promise<JobRow | null> {
  const { fields, ...told } = kind.failureFields(failure);
  return end(trx, kind, jobId, null, { ...told, fields: { ...fields, ...(isDead ? { died_at: trx.fn.now() } : {}) } });
}

/** What a dead job gets when it is put back. Attempts are counted on, since objects lie under theirs. */
const roundOfAttempts = 3;
export const mostAttempts = 100;

/** dead → queued, for one more round of attempts under a new epoch. Null when it is not dead, or had too many rounds. */
export async function revive(trx: Knex.Transaction, kind: JobKind, jobId: string): Promise<JobRow | null> {
  const [job] = await trx(kind.table)
    .where({ id: jobId }).whereNotNull('died_at').where('attempt', '<=', mostAttempts - roundOfAttempts)
    .update({
      status: 'queued', stage: null, progress: 0, epoch: trx.raw('epoch + 1'), max_attempts: trx.raw('attempt + ?', [roundOfAttempts]),
      worker_id: null, ended_lease_hash: null, queued_at: trx.fn.now(), run_after: trx.fn.now(), started_at: null, completed_at: null,
      error_code: null, died_at: null, retried_at: trx.fn.now(), ...kind.unendedFields,
    })
    .returning<JobRow[]>('*');
  if (job === undefined) return null;
  await send(trx, job);
  return job;
}

/** Puts a queued job's message into the outbox. */
export async function send(trx: Knex.Transaction, job: JobRow): Promise<void> {
  await enqueue(trx, [{ jobId: job.id, epoch: job.epoch, queueClass: job.queue_class, priority: job.queue_priority, turnOf: job.requested_by }]);
}

export function isOverdue(job: JobRow): boolean {
  return job.started_at !== null && Date.now() > Date.parse(job.started_at) + job.max_build_ms + transferGraceMs;
}

const held = (trx: Knex.Transaction, kind: JobKind, jobId: string, leaseToken: string): Knex.QueryBuilder =>
  trx(kind.table).where({ id: jobId, status: 'running', lease_token_hash: hashOfLease(leaseToken) });

const ending = (trx: Knex.Transaction, status: JobStatus): Record<string, unknown> => ({
  status, stage: null, lease_token_hash: null, lease_expires_at: null, completed_at: trx.fn.now(),
});

const inFuture = (trx: Knex.Transaction, ms: number): Knex.Raw => trx.raw("now() + interval '1 millisecond' * ?", [ms]);

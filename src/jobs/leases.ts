/**
 * A job's life in Postgres: queued → running under a lease → succeeded, failed, cancelled or timed_out. A lease is a
 * random token of which only the hash is kept; whoever holds it holds the job, until it runs out and the reconciler
 * gives the job to somebody else.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { JobFailure } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { JobKind, JobRow, JobStatus } from './kinds.ts';
import { enqueue } from './outbox.ts';
import { passTurn } from './turns.ts';

/** Long enough to bear a slow network, short enough that a lost worker delays a job little. Progress extends it. */
export const leaseMs = 20_000;
/** What a job gets beyond its build limit for fetching and uploading before it counts as timed out. */
export const transferGraceMs = 60_000;

export const hashOfLease = (token: string): Buffer => createHash('sha256').update(token).digest();

/**
 * queued → running for this worker, attempt + 1. Null when there is nothing to claim (taken, ended, cancelled, not yet
 * due): that is what makes a doubled message harmless. The row is the kind's whole row.
 */
export async function claim(
  trx: Knex.Transaction, kind: JobKind, jobId: string, workerId: string, epoch: number,
): Promise<{ job: JobRow; leaseToken: string } | null> {
  const leaseToken = randomBytes(32).toString('base64url');
  const [job] = await trx(kind.table)
    .where({ id: jobId, status: 'queued', epoch })
    .whereNotNull('queued_at')
    .where('run_after', '<=', aMomentFromNow(trx))
    .update({
      status: 'running',
      stage: 'fetching',
      progress: 0,
      attempt: trx.raw('attempt + 1'),
      worker_id: workerId,
      lease_token_hash: hashOfLease(leaseToken),
      lease_expires_at: inFuture(trx, leaseMs),
      started_at: trx.fn.now(),
    })
    .returning<JobRow[]>('*');
  if (job === undefined) return null;
  await passTurn(trx, job);
  await kind.begun(trx, job);
  return { job, leaseToken };
}

export type StopReason = 'deadline';

/**
 * Extends the lease and notes how far the job is. Answers whether to stop because the job is past its deadline; a null
 * job when this lease does not hold it any more (it ran out, or the job was cancelled). Past the deadline nothing is
 * extended: a worker that does not stop loses the job to the reconciler, however busily it reports.
 */
export async function extend(
  trx: Knex.Transaction, kind: JobKind, jobId: string, leaseToken: string, at: { stage: string; progress: number },
): Promise<{ job: JobRow | null; stop: StopReason | null }> {
  const [job] = await held(trx, kind, jobId, leaseToken)
    .update({ stage: at.stage, progress: trx.raw('greatest(progress, ?)', [at.progress]), lease_expires_at: withinDeadline(trx) })
    .returning<JobRow[]>('*');
  if (job === undefined) return { job: null, stop: null };
  return { job, stop: isOverdue(job) ? 'deadline' : null };
}

/**
 * Ends a job under its lease. Null when this lease does not hold it any more: a late or repeated result changes nothing.
 */
export async function finish(
  trx: Knex.Transaction, kind: JobKind, jobId: string, leaseToken: string,
  end: { status: Exclude<JobStatus, 'queued' | 'running'>; error_code: string | null; fields?: Readonly<Record<string, unknown>> },
): Promise<JobRow | null> {
  const [job] = await held(trx, kind, jobId, leaseToken)
    .update({ ...ending(trx, end.status), ended_lease_hash: trx.ref('lease_token_hash'), ...(end.status === 'succeeded' ? { progress: 100 } : {}), error_code: end.error_code, ...end.fields })
    .returning<JobRow[]>('*');
  if (job === undefined) return null;
  await kind.ended(trx, job, null);
  return job;
}

/**
 * running → queued again under a new epoch, so that its message is not taken for one that was already sent. With a
 * `leaseToken` only under that lease; with a delay the reconciler sends it when its time has come.
 */
export async function requeue(
  trx: Knex.Transaction, kind: JobKind, jobId: string, how: { leaseToken?: string; delayMs: number; notBegun?: boolean },
): Promise<JobRow | null> {
  const query = how.leaseToken === undefined ? trx(kind.table).where({ id: jobId, status: 'running' }) : held(trx, kind, jobId, how.leaseToken);
  const [job] = await query
    .update({
      status: 'queued', stage: null, progress: 0, epoch: trx.raw('epoch + 1'), worker_id: null, started_at: null,
      ...(how.notBegun === true ? { attempt: trx.raw(uncounted) } : {}),
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

/** The lease's next end, or the one it has where the job is past its deadline (the sum is in the row's own columns). */
const withinDeadline = (trx: Knex.Transaction): Knex.Raw => trx.raw(
  `case when now() > started_at + interval '1 millisecond' * (max_build_ms + ?) then lease_expires_at
        else now() + interval '1 millisecond' * ? end`, [transferGraceMs, leaseMs],
);

/** Times are kept to the millisecond, rounded: what was due at once may stand half of one ahead. */
const aMomentFromNow = (trx: Knex.Transaction): Knex.Raw => trx.raw("now() + interval '1 millisecond'");

const inFuture = (trx: Knex.Transaction, ms: number): Knex.Raw => trx.raw("now() + interval '1 millisecond' * ?", [ms]);

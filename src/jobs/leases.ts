/**
 * A job's life in Postgres: queued → running under a lease → succeeded, failed, cancelled or timed_out. A lease is a
 * random token of which only the hash is kept; whoever holds it holds the job, until it runs out and the reconciler
 * gives the job to somebody else.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { JobKind, JobRow, JobStatus } from './kinds.ts';
import { enqueue } from './outbox.ts';

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
    .where('run_after', '<=', trx.fn.now())
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
  return job === undefined ? null : { job, leaseToken };
}

export type StopReason = 'deadline';

/**
 * Extends the lease and notes how far the job is. Answers whether to stop because the job is past its deadline; a null
 * job when this lease does not hold it any more (it ran out, or the job was cancelled).
 */
export async function extend(
  trx: Knex.Transaction, kind: JobKind, jobId: string, leaseToken: string, at: { stage: string; progress: number },
): Promise<{ job: JobRow | null; stop: StopReason | null }> {
  const [job] = await held(trx, kind, jobId, leaseToken)
    .update({ stage: at.stage, progress: trx.raw('greatest(progress, ?)', [at.progress]), lease_expires_at: inFuture(trx, leaseMs) })
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
    .update({ ...ending(trx, end.status), ...(end.status === 'succeeded' ? { progress: 100 } : {}), error_code: end.error_code, ...end.fields })
    .returning<JobRow[]>('*');
  if (job === undefined) return null;
  await kind.ended(trx, job);
  return job;
}

/**
 * running → queued again under a new epoch, so that its message is not taken for one that was already sent. With a
 * `leaseToken` only under that lease; with a delay the reconciler sends it when its time has come.
 */
export async function requeue(
  trx: Knex.Transaction, kind: JobKind, jobId: string, how: { leaseToken?: string; delayMs: number },
): Promise<JobRow | null> {
  const query = how.leaseToken === undefined ? trx(kind.table).where({ id: jobId, status: 'running' }) : held(trx, kind, jobId, how.leaseToken);
  const [job] = await query
    .update({
      status: 'queued', stage: null, progress: 0, epoch: trx.raw('epoch + 1'), worker_id: null, started_at: null,
      ended_lease_hash: trx.ref('lease_token_hash'), lease_token_hash: null, lease_expires_at: null, run_after: inFuture(trx, how.delayMs),
    })
    .returning<JobRow[]>('*');
  if (job === undefined) return null;
  if (how.delayMs === 0) await send(trx, job);
  return job;
}

/** Two seconds before the second attempt, eight before the third, two minutes at most; a quarter more or less by chance. */
export function retryDelayMs(attempt: number): number {
  const delayMs = Math.min(500 * 4 ** attempt, 120_000);
  return Math.round(delayMs * (0.75 + Math.random() / 2));
}

/** Ends a job that no lease holds or whose lease has run out. */
export async function end(
  trx: Knex.Transaction, kind: JobKind, jobId: string,
  how: { status: Exclude<JobStatus, 'queued' | 'running' | 'succeeded'>; error_code: string | null; failure?: Readonly<Record<string, unknown>> },
): Promise<JobRow | null> {
  const [job] = await trx(kind.table)
    .where({ id: jobId })
    .whereIn('status', ['queued', 'running'])
    .update({ ...ending(trx, how.status), error_code: how.error_code, ...(how.failure === undefined ? {} : { failure: JSON.stringify(how.failure) }) })
    .returning<JobRow[]>('*');
  if (job === undefined) return null;
  await kind.ended(trx, job);
  return job;
}

/** Puts a queued job's message into the outbox. */
export async function send(trx: Knex.Transaction, job: JobRow): Promise<void> {
  await enqueue(trx, [{ jobId: job.id, epoch: job.epoch, queueClass: job.queue_class, priority: job.queue_priority }]);
}

export function isOverdue(job: JobRow): boolean {
  return job.started_at !== null && Date.now() > Date.parse(job.started_at) + job.max_build_ms + transferGraceMs;
}

const held = (trx: Knex.Transaction, kind: JobKind, jobId: string, leaseToken: string): Knex.QueryBuilder =>
  trx(kind.table).where({ id: jobId, status: 'running', lease_token_hash: hashOfLease(leaseToken) });

const ending = (trx: Knex.Transaction, status: JobStatus): Record<string, unknown> => ({
  status, stage: null, ended_lease_hash: trx.ref('lease_token_hash'), lease_token_hash: null, lease_expires_at: null, completed_at: trx.fn.now(),
});

const inFuture = (trx: Knex.Transaction, ms: number): Knex.Raw => trx.raw("now() + interval '1 millisecond' * ?", [ms]);

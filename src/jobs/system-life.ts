/**
 * A system job's life in Postgres: queued → running under a lease → succeeded or failed, or queued again. The lease is a
 * random token; only who holds it can end the job.
 */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { isRetryable, type Database } from '#platform/database.ts';
import { enqueue } from './outbox.ts';
import type { JobPayload, SystemJobKind } from './system-jobs.ts';

/** A process that is silent for this long is taken for lost. Whoever runs a job longer extends it every ten seconds. */
export const systemLeaseMs = 30_000;

export interface ClaimedSystemJob {
  readonly id: string;
  readonly kind: string;
  readonly payload: JobPayload;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly lease_token: string;
}

/** Times are kept to the millisecond, rounded: what was due at once may stand half of one ahead. */
const claimSql = `
  update system_jobs
     set status = 'running', attempt = attempt + 1, started_at = now(), lease_token = $3,
         lease_expires_at = now() + ${systemLeaseMs} * interval '1 millisecond'
   where id = $1 and epoch = $2 and status = 'queued' and run_after <= now() + interval '1 millisecond'
  returning id, kind, payload, attempt, max_attempts, lease_token`;

/** queued → running. Null when there is nothing to claim (taken, ended, sent again, not yet due): that makes a doubled message harmless. */
export async function claimSystemJob(db: Database, jobId: string, epoch: number): Promise<ClaimedSystemJob | null> {
  const [job] = await db.named<ClaimedSystemJob>('system_jobs.claim', claimSql, [jobId, epoch, randomUUID()]);
  return job ?? null;
}

const extendSql = `
  update system_jobs set lease_expires_at = now() + ${systemLeaseMs} * interval '1 millisecond'
   where status = 'running' and lease_token = any($1::uuid[])
  returning lease_token`;

/** Extends leases; answers which of them still hold their jobs. */
export async function extendSystemLeases(db: Database, leaseTokens: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.named<{ lease_token: string }>('system_jobs.extend', extendSql, [leaseTokens]);
  return new Set(rows.map((row) => row.lease_token));
}

/** What a dead job may be put back with is kept of it; of every other one that ended, nothing. */
export type SystemJobEnd = 'given_up' | 'error' | 'process_lost';

const succeedSql = `
  update system_jobs
     set status = 'succeeded', payload = '{}', error_message = null, completed_at = now(), lease_token = null, lease_expires_at = null
   where id = $1 and lease_token = $2 and status = 'running'
  returning id`;

/** running → succeeded. False when the lease does not hold the job any more. */
export async function succeed(db: Database, job: ClaimedSystemJob): Promise<boolean> {
  return (await db.named('system_jobs.succeed', succeedSql, [job.id, job.lease_token])).length > 0;
}

/**
 * running → queued under a new epoch, sent again after the delay. `uncounted` takes the attempt back: it was not the
 * job's fault. False when the lease does not hold the job any more.
 */
export async function tryAgain(
  trx: Knex.Transaction, job: Pick<ClaimedSystemJob, 'id' | 'lease_token'>,
  how: { readonly delayMs: number; readonly errorMessage: string | null; readonly uncounted?: boolean },
): Promise<boolean> {
  const [again] = await trx('system_jobs')
    .where({ id: job.id, lease_token: job.lease_token, status: 'running' })
    .update({
      status: 'queued', epoch: trx.raw('epoch + 1'), started_at: null, lease_token: null, lease_expires_at: null,
      run_after: trx.raw("now() + ? * interval '1 millisecond'", [how.delayMs]),
      ...(how.errorMessage === null ? {} : { error_message: how.errorMessage }),
      ...(how.uncounted === true ? { attempt: trx.raw('greatest(attempt - 1, 0)') } : {}),
    })
    .returning<{ epoch: number }[]>('epoch');
  if (again === undefined) return false;
  await enqueue(trx, [{ jobId: job.id, epoch: again.epoch, queueClass: 'system', priority: 'normal' }], how.delayMs);
  return true;
}

/**
 * running → failed for good, and what the kind says to that. After its last attempt it is dead, and keeps its payload, so
 * that an administrator can put it back; where the job itself gave up no attempt can help. False when the lease does not hold the job any more. A hook
 * that fails must not keep the job from ending: it is undone alone, and `onHookFailed` is told.
 */
export async function fail(
  trx: Knex.Transaction, kind: SystemJobKind | undefined, job: Pick<ClaimedSystemJob, 'id' | 'lease_token' | 'payload'>,
  errorMessage: string, why: SystemJobEnd, onHookFailed: (error: unknown) => void,
): Promise<boolean> {
  const ended = await trx('system_jobs')
    .where({ id: job.id, lease_token: job.lease_token, status: 'running' })
    .update({
      status: 'failed', error_message: errorMessage, failure_kind: why, completed_at: trx.fn.now(), lease_token: null, lease_expires_at: null,
      ...(why === 'given_up' ? { payload: '{}' } : { died_at: trx.fn.now() }),
    });
  if (ended === 0) return false;
  try {
    await trx.transaction(async (savepoint) => { await kind?.givenUp?.(savepoint, job.payload); });
  } catch (error) {
    // A deadlock undoes the whole transaction, which is then run again.
    if (isRetryable(error)) throw error;
    onHookFailed(error);
  }
  return true;
}

/** dead → queued, for another round of attempts under a new epoch. Null when it is not dead. */
export async function reviveSystemJob(trx: Knex.Transaction, jobId: string): Promise<{ epoch: number } | null> {
  const [job] = await trx('system_jobs')
    .where({ id: jobId }).whereNotNull('died_at')
    .update({
      status: 'queued', epoch: trx.raw('epoch + 1'), attempt: 0, run_after: trx.fn.now(), started_at: null, completed_at: null,
      error_message: null, failure_kind: null, died_at: null, retried_at: trx.fn.now(),
    })
    .returning<{ epoch: number }[]>('epoch');
  if (job === undefined) return null;
  await enqueue(trx, [{ jobId, epoch: job.epoch, queueClass: 'system', priority: 'normal' }]);
  return job;
}

/** About 10 s, 30 s, 90 s, … an hour at most; a quarter more or less by chance. */
export function systemRetryDelayMs(attempt: number): number {
  const delayMs = 10_000 * 3 ** (attempt - 1) * (0.75 + Math.random() / 2);
  return Math.round(Math.min(delayMs, 3_600_000));
}

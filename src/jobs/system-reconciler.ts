/** Brings system jobs whose process or message was lost back on their way. Called by the reconciler, under its lock. */
import type { Knex } from 'knex';
import { mapBounded } from '#platform/concurrency.ts';
import type { Logger } from '#platform/log.ts';
import type { JobProducer } from '#platform/queue.ts';
import { enqueue } from './outbox.ts';
import type { SystemJobKind } from './system-jobs.ts';
import { fail, systemRetryDelayMs, tryAgain, type ClaimedSystemJob } from './system-life.ts';

/** Jobs looked at in one round; the rest come in the next. */
const batchSize = 500;
const lookedFor = 10_000;
/** Questions to Redis at once. */
const asksAtOnce = 64;
/** A job whose message should long have reached its queue. */
const missingAfterSeconds = 20;

export interface SystemReconcilerOptions {
  readonly kinds: readonly SystemJobKind[];
  readonly producer: JobProducer;
  readonly log: Logger;
}

/**
 * Jobs whose lease ran out are queued again, at once after the first attempt and later after more: what kills its
 * process should not kill one process after the other. After the last attempt they have failed.
 */
export async function recoverLostSystemJobs(trx: Knex.Transaction, on: SystemReconcilerOptions): Promise<void> {
  const kinds = new Map(on.kinds.map((kind) => [kind.kind, kind]));
  const lost: ClaimedSystemJob[] = await trx('system_jobs')
    .select('id', 'kind', 'payload', 'attempt', 'max_attempts', 'lease_token')
    .where('status', 'running').where('lease_expires_at', '<', trx.fn.now())
    .orderBy('lease_expires_at').limit(batchSize).forUpdate().skipLocked();
  for (const job of lost) {
    const told = { job_id: job.id, kind: job.kind, attempt: job.attempt, max_attempts: job.max_attempts };
    if (job.attempt >= job.max_attempts) {
      await fail(trx, kinds.get(job.kind), job, `The process that ran it was lost, in attempt ${job.attempt} of ${job.max_attempts}.`, 'process_lost', (error) => {
        on.log.error('system_job.given_up_failed', 'What follows a failed system job failed itself and is left out', { ...told, error });
      });
      on.log.error('system_job.failed', 'A system job failed for good: its process was lost', told);
    } else {
      const delayMs = job.attempt === 1 ? 0 : systemRetryDelayMs(job.attempt - 1);
      await tryAgain(trx, job, { delayMs, errorMessage: 'The process that ran it was lost.' });
      on.log.warn('system_job.lease_lost', 'The process that ran a system job was lost; it is tried again', { ...told, delay_ms: delayMs });
    }
  }
}

/** Messages that the relay has not sent yet: they are on their way. */
const dueSql = `
  select id, epoch, created_at from system_jobs
   where status = 'queued' and run_after <= now() - ? * interval '1 second' and updated_at <= now() - ? * interval '1 second'
     and not exists (
       select from outbox
        where sent_at is null and kind = 'job' and payload ->> 'jobId' = system_jobs.id::text and (payload ->> 'epoch')::int = system_jobs.epoch)
     and id > ?
   order by id limit ${batchSize} for update skip locked`;

/** Due jobs whose message is not in Redis are sent under a new epoch: all of them after a wipe, else those that have waited long. */
export async function sendMissingSystemJobs(trx: Knex.Transaction, on: SystemReconcilerOptions, wiped: boolean): Promise<void> {
  const waited = wiped ? 0 : missingAfterSeconds;
  let last = '00000000-0000-0000-0000-000000000000';
  for (let looked = 0; looked < lookedFor; looked += batchSize) {
    const { rows } = await trx.raw<{ rows: { id: string; epoch: number }[] }>(dueSql, [waited, waited, last]);
    const isMissing = await mapBounded(rows, asksAtOnce, async ({ id, epoch }) => !(await on.producer.holds('system', 'normal', { jobId: id, epoch })));
    const missing = rows.filter((_, index) => isMissing[index]);
    if (missing.length > 0) {
      const moved: { id: string; epoch: number }[] = await trx('system_jobs')
        .whereIn('id', missing.map(({ id }) => id)).where('status', 'queued')
        .update({ epoch: trx.raw('epoch + 1') }).returning(['id', 'epoch']);
      await enqueue(trx, moved.map(({ id, epoch }) => ({ jobId: id, epoch, queueClass: 'system', priority: 'normal' })));
      on.log.warn('system_jobs.sent_again', 'Messages of system jobs were missing and are sent again', { jobs: moved.length });
    }
    last = rows.at(-1)?.id ?? last;
    if (rows.length < batchSize) break;
  }
}

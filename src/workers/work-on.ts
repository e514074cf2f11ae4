/** One attempt under its lease: the handler's work, and the report of how it ended. */
import type { ClaimedJob, JobFailure, JobResultReport } from '#generated/sdk/types.gen.ts';
import type { Logger } from '#platform/log.ts';
import { BackendRefusal, type WorkerBackend } from './backend.ts';
import { type JobHandler, type JobOutcome, JobStopped } from './job-handler.ts';
import type { Lease } from './lease.ts';

/** Beyond the time the work itself may take: fetching and uploading. The backend's own grace is 60 s; this ends before it. */
const transferGraceMs = 45_000;
/** A result is worth some patience: the work is done, and a repeat is harmless. */
const reportForMs = 120_000;
const uploadUrlsForMs = 20_000;

interface Work {
  readonly job: ClaimedJob;
  readonly lease: Lease;
  readonly log: Logger;
  readonly workDir: string;
  readonly backend: WorkerBackend;
  /** Null where this worker has none for the kind. */
  readonly handler: JobHandler | null;
}

/** `left`: nothing was reported, because somebody else decides about the job now. */
export async function workOn(work: Work): Promise<'succeeded' | 'failed' | 'left'> {
  const { job, lease, log } = work;
  const startedAt = performance.now();
  const outcome = await outcomeOf(work);
  if (outcome === null) {
    log.info('job.left', 'The job was left to others', { job_id: job.job_id, attempt: job.attempt, reason: String(lease.signal.reason) });
    return 'left';
  }
  await lease.flushLog();
  const end = await report(work, outcome);
  const metadata = { job_id: job.job_id, kind: job.kind, attempt: job.attempt, ms: Math.round(performance.now() - startedAt) };
  if (outcome.status === 'SUCCESS') log.info('job.succeeded', 'A job succeeded', { ...metadata, result: outcome.result });
  else log.info('job.failed', 'A job failed', { ...metadata, failure: outcome.failure });
  return end;
}

/** Null when nothing is to be reported. */
async function outcomeOf(work: Work): Promise<JobOutcome | null> {
  const { job, lease, log, handler } = work;
  if (handler === null) return fail({ kind: 'internal', message: `This worker does not take jobs of the kind ${job.kind}.`, retryable: true });
  const overdue = setTimeout(() => lease.stop('deadline'), job.timeout_ms + transferGraceMs);
  try {
    return await handler.run({
      job,
      log,
      workDir: work.workDir,
      signal: lease.signal,
      progress: (update) => lease.update(update),
      logLine: (level, message, atMs) => lease.line(level, message, atMs),
      redact: (text) => lease.redact(text),
      live: (results, waitMs) => lease.exchange(results, waitMs),
      createUploads: async (objects) => {
        const answer = await work.backend.createUploads(job.job_id, { lease_token: job.lease_token, objects: [...objects] }, {
          signal: lease.signal, retryForMs: uploadUrlsForMs, timeoutMs: 30_000,
        });
        if (answer === null) {
          lease.stop('lease_lost');
          throw new JobStopped('lease_lost');
        }
        return answer.uploads;
      },
    });
  } catch (error) {
    if (lease.signal.aborted) return outcomeOfStop(lease.signal.reason, job.timeout_ms);
    if (error instanceof BackendRefusal && error.status === 402) {
      return fail({ kind: 'too_large', message: 'What the job made is more than its limits allow.', retryable: false });
    }
    log.error('job.handler_failed', 'A job handler failed', { job_id: job.job_id, error });
    return fail({ kind: 'internal', message: 'The worker could not do this job.', retryable: true });
  } finally {
    clearTimeout(overdue);
  }
}

function outcomeOfStop(reason: unknown, timeoutMs: number): JobOutcome | null {
  if (!(reason instanceof JobStopped) || reason.reason !== 'deadline') return null;
  return fail({ kind: 'timeout', message: `The job took longer than the ${timeoutMs} ms it may take.`, retryable: false });
}

const fail = (failure: JobFailure): JobOutcome => ({ status: 'FAIL', failure });

async function report(work: Work, outcome: JobOutcome): Promise<'succeeded' | 'failed' | 'left'> {
  const { backend, job, log } = work;
  try {
    const receipt = await backend.report(reportOf(job, outcome), { retryForMs: reportForMs });
    if (receipt.accepted) return outcome.status === 'SUCCESS' ? 'succeeded' : 'failed';
    log.info('job.result_late', 'A result came too late', { job_id: job.job_id, reason: receipt.reason });
    return 'left';
  } catch (error) {
    // 400: what was reported is not what the backend finds (an object that storage lost, say). Another attempt may do better.
    if (!(error instanceof BackendRefusal) || error.status !== 400 || outcome.status === 'FAIL') throw error;
    log.error('job.result_refused', 'The backend refused a result', { job_id: job.job_id, error });
    return await report(work, fail({ kind: 'internal', message: 'What the worker made was not found as it was described.', retryable: true }));
  }
}

function reportOf(job: ClaimedJob, outcome: JobOutcome): JobResultReport {
  const succeeded = outcome.status === 'SUCCESS';
  return {
    job_id: job.job_id,
    status: outcome.status,
    lease_token: job.lease_token,
    bundle_url: succeeded ? (outcome.bundleKey ?? null) : null,
    logs_url: outcome.logKey ?? null,
    error: succeeded ? null : outcome.failure.message,
    artifacts: [...(outcome.artifacts ?? [])],
    failure: succeeded ? null : outcome.failure,
    result: succeeded ? outcome.result : null,
  };
}

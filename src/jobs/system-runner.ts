/**
 * Runs system jobs: each message of the `system` queue names a row, which is claimed, worked on within its kind's time,
 * and ended, or queued again after a growing wait. Any number of processes may run one; a job has one runner at a time.
 */
import { transact, type Database } from '#platform/database.ts';
import { DeadlineError, pause } from '#platform/deadline.ts';
import { redactText } from '#platform/log/redact.ts';
import type { Logger } from '#platform/log.ts';
import { GivenUp, type SystemJobKind } from './system-jobs.ts';
import {
  claimSystemJob, extendSystemLeases, fail, succeed, systemLeaseMs, systemRetryDelayMs, tryAgain, type ClaimedSystemJob,
} from './system-life.ts';

/** How one run ended; `nothing` where there was nothing to claim, `lost` where the job was no longer ours to end. */
export type SystemJobOutcome = 'nothing' | 'succeeded' | 'again' | 'failed' | 'handed_back' | 'lost';

const extendEveryMs = 10_000;
/** What an aborted job gets to clean up after itself, before it counts as ended. */
const cleanUpMs = 2_000;
/** Ending a job is tried this often while the database is away: a job that did its work should not do it twice. */
const settleTries = 20;
const settleWaitMs = 1_000;
const maxErrorLength = 2_000;

interface Running {
  readonly job: ClaimedSystemJob;
  /** One of its own for each attempt, so that nothing outlives it that hangs on its signal. */
  readonly stop: AbortController;
  isLost: boolean;
  extendedAtMs: number;
}

export interface SystemRunnerOptions {
  readonly db: Database;
  readonly kinds: readonly SystemJobKind[];
  readonly log: Logger;
  /** How often the leases of what runs are extended; 10 s unless told. */
  readonly extendEveryMs?: number;
}

export class SystemRunner {
  readonly #on: SystemRunnerOptions;
  readonly #kinds: ReadonlyMap<string, SystemJobKind>;
  readonly #running = new Map<string, Running>();
  readonly #stopping = new AbortController();
  #extending: NodeJS.Timeout | undefined;

  constructor(options: SystemRunnerOptions) {
    this.#on = options;
    this.#kinds = new Map(options.kinds.map((kind) => [kind.kind, kind]));
    if (this.#kinds.size < options.kinds.length) throw new Error('Two kinds of system job have one name.');
  }

  get runningJobs(): number {
    return this.#running.size;
  }

  /** Claims the job and runs it to an end of this attempt. Rejects only where the database cannot be asked. */
  async run(jobId: string, epoch: number): Promise<SystemJobOutcome> {
    const job = await claimSystemJob(this.#on.db, jobId, epoch);
    if (job === null) return 'nothing';
    const running: Running = { job, stop: new AbortController(), isLost: false, extendedAtMs: performance.now() };
    if (this.#stopping.signal.aborted) running.stop.abort(this.#stopping.signal.reason);
    this.#running.set(job.lease_token, running);
    this.#extending ??= setInterval(() => void this.#extend(), this.#on.extendEveryMs ?? extendEveryMs);
    try {
      return await this.#runClaimed(running);
    } finally {
      this.#running.delete(job.lease_token);
      if (this.#running.size === 0) {
        clearInterval(this.#extending);
        this.#extending = undefined;
      }
    }
  }

  /** Aborts what runs: it is handed back, to be taken up elsewhere at once. */
  abort(): void {
    this.#stopping.abort(new Error('The process is going down.'));
    for (const { stop } of this.#running.values()) stop.abort(this.#stopping.signal.reason);
  }

  async #runClaimed(running: Running): Promise<SystemJobOutcome> {
    const { job } = running;
    const kind = this.#kinds.get(job.kind);
    const startedAt = performance.now();
    try {
      // Another process of a deployment under way may know it: so it is tried again like any failure, and ends like one.
      if (kind === undefined) throw new Error(`There is no kind of system job called ${job.kind}.`);
      await this.#work(kind, running);
    } catch (error) {
      if (running.isLost) return this.#lost(job);
      if (this.#stopping.signal.aborted) return this.#handBack(job);
      return this.#settleFailure(kind, job, error);
    }
    const isOurs = await this.#settle(() => succeed(this.#on.db, job));
    if (!isOurs) return this.#lost(job);
    this.#on.log.debug('system_job.succeeded', 'A system job is done', {
      job_id: job.id, kind: job.kind, attempt: job.attempt, duration_ms: Math.round(performance.now() - startedAt),
    });
    return 'succeeded';
  }

  /** One attempt. When its signal aborts, it gets a moment to end by itself, well or not; after that it goes on unseen. */
  async #work(kind: SystemJobKind, { job, stop }: Running): Promise<void> {
    const { signal } = stop;
    const timer = setTimeout(() => stop.abort(new DeadlineError(`System job ${kind.kind}`, kind.timeoutMs)), kind.timeoutMs);
    const settled = new AbortController();
    const work = (async () => { await kind.run(job.payload, { jobId: job.id, attempt: job.attempt, signal }); })();
    const cut = new Promise<never>((_, reject) => {
      const onAbort = (): void => {
        pause(cleanUpMs, settled.signal).then(() => reject(signal.reason as Error), () => undefined);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await Promise.race([work, cut]);
    } finally {
      clearTimeout(timer);
      settled.abort();
    }
  }

  async #settleFailure(kind: SystemJobKind | undefined, job: ClaimedSystemJob, error: unknown): Promise<SystemJobOutcome> {
    const { db, log } = this.#on;
    const message = messageOf(error);
    const isLast = error instanceof GivenUp || job.attempt >= job.max_attempts;
    const told = { job_id: job.id, kind: job.kind, attempt: job.attempt, max_attempts: job.max_attempts, error };
    if (isLast) {
      const isOurs = await this.#settle(() => transact(db, null, (trx) => fail(trx, kind, job, message, error instanceof GivenUp ? 'given_up' : 'error', (failure) => {
        log.error('system_job.given_up_failed', 'What follows a failed system job failed itself and is left out', { job_id: job.id, kind: job.kind, error: failure });
      })));
      if (!isOurs) return this.#lost(job);
      log.error('system_job.failed', 'A system job failed for good', told);
      return 'failed';
    }
    const delayMs = systemRetryDelayMs(job.attempt);
    const isOurs = await this.#settle(() => transact(db, null, (trx) => tryAgain(trx, job, { delayMs, errorMessage: message })));
    if (!isOurs) return this.#lost(job);
    log.warn('system_job.again', 'A system job failed and is tried again', { ...told, delay_ms: delayMs });
    return 'again';
  }

  /** An attempt that our own end cut off is not counted. */
  async #handBack(job: ClaimedSystemJob): Promise<SystemJobOutcome> {
    const isOurs = await transact(this.#on.db, null, (trx) => tryAgain(trx, job, { delayMs: 0, errorMessage: null, uncounted: true }));
    return isOurs ? 'handed_back' : this.#lost(job);
  }

  #lose(running: Running, why: string): void {
    running.isLost = true;
    running.stop.abort(new Error(why));
  }

  #lost(job: ClaimedSystemJob): SystemJobOutcome {
    this.#on.log.warn('system_job.lost', 'A system job was taken from this process while it ran', { job_id: job.id, kind: job.kind, attempt: job.attempt });
    return 'lost';
  }

  /** Tries again while the database is away, as long as the job may still be ours. */
  async #settle(end: () => Promise<boolean>): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await end();
      } catch (error) {
        if (tries >= settleTries || this.#stopping.signal.aborted) throw error;
        await pause(settleWaitMs, this.#stopping.signal).catch(() => undefined);
      }
    }
  }

  async #extend(): Promise<void> {
    const mine = [...this.#running.values()];
    const askedAtMs = performance.now();
    try {
      const held = await extendSystemLeases(this.#on.db, mine.map(({ job }) => job.lease_token));
      for (const running of mine) {
        if (held.has(running.job.lease_token)) running.extendedAtMs = askedAtMs;
        else this.#lose(running, 'The lease does not hold this job any more.');
      }
    } catch (error) {
      this.#on.log.warn('system_job.not_extended', 'Leases of system jobs could not be extended', { error });
      // Somebody else may take it up from now on.
      for (const running of mine) {
        if (performance.now() - running.extendedAtMs > systemLeaseMs - extendEveryMs / 2) this.#lose(running, 'The lease could not be extended in time.');
      }
    }
  }
}

/** What is kept of an error: safe to be read by who sees the table, and no longer than its column. */
function messageOf(error: unknown): string {
  const message = redactText(error instanceof Error ? error.message : String(error));
  return message.length > maxErrorLength ? `${message.slice(0, maxErrorLength - 1)}…` : message;
}

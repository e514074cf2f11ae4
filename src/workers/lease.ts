/**
 * One claimed job's tie to the backend: progress and log lines go out in batches, each extending the lease, and the
 * answers say whether to stop. When the lease runs out unheard, the work ends by itself: somebody else may have it.
 */
import type { ClaimedJob, JobLogLine, JobProgress, JobProgressReply, LiveChangeSet, LiveResult } from '#generated/sdk/types.gen.ts';
import { pause } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';
import { redactText } from '#platform/log/redact.ts';
import { BackendRefusal, type WorkerBackend } from './backend.ts';
import { JobStopped, type JobProgressUpdate, type StopReason } from './job-handler.ts';

/** People see movement, the backend a bounded number of writes: at most this often, but for a new stage. */
const leastIntervalMs = 500;
const maxLinesInBatch = 200;
/** Of one try, however long the lease: half-open connections must leave time for another. */
const tryTimeoutMs = 4_000;
const maxMessageLength = 4_000;
/** Where a kind names no limit of its own. */
const defaultLogLines = 2_000;
/** How long the last lines of a log may take; the result does not hang on them. */
const flushTimeoutMs = 5_000;
/** After lines that did not arrive, doubled each time: a backend that refuses at once is not asked without a pause. */
const flushAgainMs = 100;

/** One for all: an abort without a reason makes an error of its own, with a stack. */
const over = new Error('The lease is kept no longer.');

export class Lease {
  readonly #backend: WorkerBackend;
  readonly #job: ClaimedJob;
  readonly #log: Logger;
  readonly #hostPaths: readonly string[];
  readonly #maxLines: number;
  readonly #controller = new AbortController();
  readonly #closing = new AbortController();
  readonly #leaseMs: number;
  #state: JobProgressUpdate;
  #unsent: JobLogLine[] = [];
  #sentLines = 0;
  #takenLines = 0;
  #wake: (() => void) | null = null;
  #isDue = false;
  #expiry: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #sending: Promise<unknown> = Promise.resolve();

  /** @param options.hostPaths folders of this machine that no log line may name */
  constructor(options: { backend: WorkerBackend; job: ClaimedJob; log: Logger; hostPaths: readonly string[] }) {
    this.#backend = options.backend;
    this.#job = options.job;
    this.#log = options.log;
    this.#hostPaths = [...options.hostPaths].sort((a, b) => b.length - a.length);
    this.#maxLines = options.job.input.kind === 'preview' ? options.job.input.limits.max_log_lines : defaultLogLines;
    this.#leaseMs = this.#remainingMs(options.job.lease_expires_at);
    this.#state = { stage: 'fetching', percent: 0 };
    this.#expireAt(performance.now() + this.#leaseMs);
  }

  /** Aborted with a JobStopped when the work is to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(): void {
    this.#running = this.#keep();
  }

  update(update: JobProgressUpdate): void {
    const isNewStage = update.stage !== this.#state.stage;
    this.#state = { ...update, percent: Math.max(this.#state.percent, Math.min(100, Math.round(update.percent))) };
    this.#isDue = true;
    if (isNewStage) this.#wake?.();
  }

  line(level: JobLogLine['level'], message: string, at = this.#backend.now()): void {
    if (this.#takenLines >= this.#maxLines) return;
    this.#takenLines += 1;
    const isLast = this.#takenLines === this.#maxLines;
    const text = isLast ? '… (more lines were left out)' : this.redact(message).slice(0, maxMessageLength);
    this.#unsent.push({ at: new Date(at).toISOString(), level, message: text });
    this.#isDue = true;
  }

  /** Of a live session: tells what was made of changes, and answers the next, or none when nothing came for so long. */
  async exchange(results: readonly LiveResult[], waitMs: number): Promise<LiveChangeSet[]> {
    const { stage, percent } = this.#state;
    const body: JobProgress = { lease_token: this.#job.lease_token, stage, progress: percent, done: null, total: null, live_results: [...results], wait_ms: waitMs };
    const reply = await this.#backend.progress(this.#job.job_id, body, { signal: this.signal, timeoutMs: waitMs + tryTimeoutMs, retryForMs: this.#leaseMs });
    if (reply === null) this.stop('lease_lost');
    else if (reply.stop) this.stop(stopOf(reply));
    this.signal.throwIfAborted();
    return reply?.live_changes ?? [];
  }

  /** A text without secrets and without a path of this machine. */
  redact(text: string): string {
    let clean = text;
    for (const path of this.#hostPaths) clean = clean.replaceAll(`${path}/`, '').replaceAll(path, '.');
    return redactText(clean);
  }

  stop(reason: StopReason): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(new JobStopped(reason));
    this.#wake?.();
  }

  /** Keeps the lease no longer. What is left of the log stays unsent: `flushLog` comes before the result. */
  async close(): Promise<void> {
    clearTimeout(this.#expiry);
    this.#closing.abort(over);
    this.#wake?.();
    await this.#running;
  }

  /** Sends all lines that were logged so far. The lease goes on. */
  async flushLog(): Promise<void> {
    const endsAt = performance.now() + flushTimeoutMs;
    for (let waitMs = flushAgainMs; this.#unsent.length > 0 && !this.signal.aborted && performance.now() < endsAt; waitMs *= 2) {
      if (await this.#send(endsAt - performance.now())) continue;
      await pause(Math.min(waitMs, Math.max(0, endsAt - performance.now())), this.signal).catch(() => undefined);
    }
  }

  async #keep(): Promise<void> {
    const ended = (): boolean => this.#closing.signal.aborted || this.signal.aborted;
    let lastSentAt = performance.now();
    while (!ended()) {
      await this.#sleep(leastIntervalMs);
      if (ended()) return;
      const isOld = performance.now() - lastSentAt >= this.#leaseMs / 4;
      if (!this.#isDue && !isOld) continue;
      this.#isDue = false;
      const sentAt = performance.now();
      if (await this.#send(this.#leaseMs)) lastSentAt = sentAt;
      else this.#isDue = true;
    }
  }

  /** One report; false when it did not arrive. One at a time: batches of the log must come in their order. */
  #send(withinMs: number): Promise<boolean> {
    const sent = this.#sending.then(() => this.#sendNext(withinMs));
    this.#sending = sent;
    return sent;
  }

  async #sendNext(withinMs: number): Promise<boolean> {
    const { stage, percent, done, total } = this.#state;
    const lines = this.#unsent.slice(0, maxLinesInBatch);
    const body: JobProgress = {
      lease_token: this.#job.lease_token,
      stage,
      progress: percent,
      done: done ?? null,
      total: total ?? null,
      ...(lines.length === 0 ? {} : { log_offset: this.#sentLines, log: lines }),
    };
    const sentAt = performance.now();
    try {
      const signal = AbortSignal.any([this.signal, this.#closing.signal]);
      const reply = await this.#backend.progress(this.#job.job_id, body, { signal, timeoutMs: Math.max(1, Math.min(tryTimeoutMs, withinMs)) });
      if (reply === null) {
        this.stop('lease_lost');
        return true;
      }
      this.#sentLines += lines.length;
      this.#unsent.splice(0, lines.length);
      if (this.#unsent.length > 0) this.#isDue = true;
      this.#expireAt(sentAt + this.#leaseMs);
      if (reply.stop) this.stop(stopOf(reply));
      return true;
    } catch (error) {
      if (this.signal.aborted || this.#closing.signal.aborted) return false;
      if (error instanceof BackendRefusal) this.#log.warn('job.progress_refused', 'Progress was refused; the lease goes on until it ends', { error });
      else this.#log.debug('job.progress_failed', 'Progress did not arrive', { error });
      return false;
    }
  }

  /** Counted from before the request that was granted it, on the clock that nobody sets. */
  #expireAt(atMs: number): void {
    clearTimeout(this.#expiry);
    if (this.signal.aborted || this.#closing.signal.aborted) return;
    this.#expiry = setTimeout(() => {
      this.#log.warn('job.lease_ran_out', 'The backend could not be told of progress for as long as the lease lasts');
      this.stop('lease_lost');
    }, Math.max(0, atMs - performance.now()));
  }

  #remainingMs(expiresAt: string): number {
    return Math.min(Math.max(Date.parse(expiresAt) - this.#backend.now(), 1_000), 10 * 60_000);
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}

const stopOf = ({ reason }: JobProgressReply): StopReason => (reason === 'deadline' ? 'deadline' : reason === 'drain' ? 'worker_stops' : 'cancelled');

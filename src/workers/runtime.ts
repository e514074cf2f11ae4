/**
 * A worker's life: it registers, says every few seconds that it is well, takes messages of its class, claims the jobs
 * they name, has them worked on under their lease, and reports how each ended. It knows the backend only by its worker
 * operations.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClaimedJob, JobKind, WorkerCapabilities, WorkerHeartbeat } from '#generated/sdk/types.gen.ts';
import { pause } from '#platform/deadline.ts';
import { isId } from '#platform/ids.ts';
import type { Logger } from '#platform/log.ts';
import { JobConsumer, type JobMessage, MessageHandedBack, type QueueClass, type QueuePriority } from '#platform/queue.ts';
import type { QueueRedisOptions } from '#platform/redis.ts';
import { Admission } from './admission.ts';
import { BackendRefusal, BackendUnreachable, type WorkerBackend } from './backend.ts';
import { Elsewhere, ForAnotherWorker } from './elsewhere.ts';
import type { JobHandler } from './job-handler.ts';
import { Lease } from './lease.ts';
import type { UsageMeter } from './metrics.ts';
import { retrying } from './retrying.ts';
import { workOn } from './work-on.ts';

export interface RuntimeOptions {
  readonly backend: WorkerBackend;
  readonly name: string;
  readonly queueClass: Exclude<QueueClass, 'system'>;
  readonly concurrency: number;
  readonly version: string;
  readonly redis: QueueRedisOptions;
  readonly handlers: ReadonlyMap<JobKind, JobHandler>;
  /** Asked at each registration. */
  readonly capabilities: () => WorkerCapabilities;
  readonly blobCacheBytes: () => number;
  readonly usage: UsageMeter;
  /** Where each attempt gets a folder of its own. */
  readonly jobsDir: string;
  /** Folders that no log a user reads may name. */
  readonly hostPaths: readonly string[];
  readonly log: Logger;
  /** The backend asked for it: no more jobs, finish what runs, then stop. */
  readonly onDrain: () => void;
  /** The backend shut this worker out, or does not know its secret: nothing will mend that but a person. */
  readonly onShutOut: (error: Error) => void;
}

interface RunningJob { readonly kind: JobKind; readonly lease: Lease; readonly done: Promise<void> }

/** A registration refused this often in a row with a wrong signature is a wrong secret. */
const maxSignatureRefusals = 5;
const heartbeatTimeoutMs = 5_000;
const sayAgainEveryMs = 60_000;
/** What a stopped job's handler gets to clean up after itself. */
const cleanUpMs = 3_000;

export class WorkerRuntime {
  readonly #on: RuntimeOptions;
  readonly #admission: Admission;
  readonly #consumer = new JobConsumer();
  readonly #elsewhere = new Elsewhere();
  readonly #running = new Map<string, RunningJob>();
  readonly #refusing = new AbortController();
  readonly #stopped = new AbortController();
  readonly #counts = { succeeded: 0, failed: 0 };
  #heartbeatMs = 10_000;
  #registering: Promise<void> | null = null;
  readonly #known = Promise.withResolvers<void>();
  #heartbeats: Promise<void> = Promise.resolve();
  #closing: Promise<void> = Promise.resolve();

  constructor(options: RuntimeOptions) {
    this.#on = options;
    this.#admission = new Admission(options.concurrency, () => this.#consumer.backlog());
  }

  /** Registers, for as long as it takes the backend to be there, and says it is well from then on. */
  async start(): Promise<void> {
    await this.register();
    this.#known.resolve();
    this.#heartbeats = this.#keepBeating();
  }

  /** Registers, or brings up to date what the backend knows of this worker. Rejects when it is shut out, or stops. */
  async register(): Promise<void> {
    this.#registering ??= this.#register().finally(() => { this.#registering = null; });
    await this.#registering;
  }

  /** Resolves when the backend has taken it for the first time. */
  async registered(): Promise<void> {
    await this.#known.promise;
  }

  /** Opens the queues. From now on jobs come. */
  async takeJobs(): Promise<void> {
    const { redis, queueClass, concurrency, log } = this.#on;
    // Of each priority as many as there are slots, which a lone queue must be able to fill, one that goes back, and one that asks for the next.
    await this.#consumer.start({
      redis, queueClass, prefetch: concurrency + 2, log, fetcher: this.#admission,
      take: (message, priority) => this.#take(message, priority),
    });
    log.info('worker.takes_jobs', 'Taking jobs', { class: queueClass, concurrency });
  }

  get runningJobs(): number {
    return this.#running.size;
  }

  /** Takes nothing new; what was taken and not begun goes back to its queue. */
  refuse(): void {
    if (this.#refusing.signal.aborted) return;
    this.#refusing.abort(new MessageHandedBack('The worker stops.', 'front'));
    this.#admission.close();
    this.#closing = this.#consumer.close(24 * 60 * 60_000);
    // Another worker takes them on; nobody waits for their end.
    for (const { lease, kind } of this.#running.values()) if (kind === 'live_session') lease.stop('worker_stops');
  }

  /** Resolves when nothing runs any more, or after `timeoutMs`. True when nothing runs. */
  async finish(timeoutMs: number | null): Promise<boolean> {
    const done = Promise.allSettled([...this.#running.values()].map((job) => job.done));
    const late = new AbortController();
    await (timeoutMs === null ? done : Promise.race([done, pause(timeoutMs, late.signal).catch(() => undefined)]));
    late.abort();
    return this.#running.size === 0;
  }

  /** Ends what still runs and says the last word, upon which the backend gives its jobs to others at once. */
  async release(): Promise<void> {
    this.refuse();
    for (const { lease } of this.#running.values()) lease.stop('worker_stops');
    await this.finish(cleanUpMs);
    this.#stopped.abort(new Error('The worker has stopped.'));
    await this.#heartbeats;
    if (this.#on.backend.nodeId === null) return;
    try {
      await this.#on.backend.heartbeat(this.#heartbeat('stopped'), { timeoutMs: 1_500, retryForMs: 1_500 });
    } catch (error) {
      // Its leases run out by themselves then, within twenty seconds.
      this.#on.log.warn('worker.last_word_lost', 'The backend could not be told that this worker stopped', { error });
    }
  }

  /** Closes the connections to the queues. */
  async close(timeoutMs: number): Promise<void> {
    this.refuse();
    const late = new AbortController();
    await Promise.race([this.#closing, pause(timeoutMs, late.signal).catch(() => undefined)]);
    late.abort();
  }

  async #register(): Promise<void> {
    const { backend, log, name, queueClass, concurrency, version } = this.#on;
    let refusals = 0;
    let saidAt = -Infinity;
    const registered = await retrying(
      () => backend.register({ name, type: queueClass, concurrency, capabilities: this.#on.capabilities(), version }),
      {
        forMs: Infinity,
        signal: this.#stopped.signal,
        waitMs: (error) => {
          if (error instanceof BackendUnreachable) return { atLeastMs: error.retryAfterMs ?? 0 };
          // Once may be chance (two starts within a second sign alike); a second is what makes the signature another.
          if (error instanceof BackendRefusal && error.status === 401 && (refusals += 1) < maxSignatureRefusals) return { atLeastMs: 1_100 };
          return null;
        },
        onRetry: (error) => {
          if (performance.now() - saidAt < sayAgainEveryMs) return;
          saidAt = performance.now();
          log.warn('worker.register_waits', 'The backend cannot be registered with yet; trying on', { error });
        },
      },
    );
    this.#heartbeatMs = registered.heartbeat_seconds * 1_000;
    this.#elsewhere.forget();
    log.info('worker.registered', 'Registered', { worker_id: registered.worker.id, name, sdk_versions: this.#on.capabilities().sdk_versions });
  }

  async #keepBeating(): Promise<void> {
    const { backend, log } = this.#on;
    const { signal } = this.#stopped;
    let isAway = false;
    while (!signal.aborted) {
      try {
        const status = this.#refusing.signal.aborted ? 'draining' : 'active';
        const reply = await backend.heartbeat(this.#heartbeat(status), { signal, timeoutMs: heartbeatTimeoutMs, retryForMs: this.#heartbeatMs / 2 });
        if (isAway) log.info('worker.backend_back', 'The backend answers again');
        isAway = false;
        this.#heartbeatMs = reply.heartbeat_seconds * 1_000;
        for (const jobId of reply.stop_job_ids) this.#running.get(jobId)?.lease.stop('cancelled');
        if (reply.drain && status === 'active') this.#on.onDrain();
      } catch (error) {
        if (signal.aborted) return;
        if (!isAway) log.warn('worker.backend_away', 'A heartbeat did not arrive; trying on', { error });
        isAway = true;
        // Unknown (the deployment was set up anew) or with another key (the secret was changed): introduce ourselves again.
        if (error instanceof BackendRefusal && error.status === 401) await this.#registerAgain();
      }
      await pause(this.#heartbeatMs, signal).catch(() => undefined);
    }
  }

  async #registerAgain(): Promise<void> {
    try {
      await this.register();
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#on.onShutOut(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #heartbeat(status: WorkerHeartbeat['status']): WorkerHeartbeat {
    const usage = this.#on.usage.read();
    return {
      status,
      metrics: {
        cpu_percent: usage.cpuPercent,
        memory_bytes: usage.memoryBytes,
        memory_limit_bytes: usage.memoryLimitBytes,
        running: this.#running.size,
        free_slots: this.#refusing.signal.aborted ? 0 : this.#admission.free,
        jobs_succeeded: this.#counts.succeeded,
        jobs_failed: this.#counts.failed,
        blob_cache_bytes: this.#on.blobCacheBytes(),
        uptime_seconds: Math.floor(process.uptime()),
      },
      running_job_ids: [...this.#running.keys()],
    };
  }

  async #take(message: JobMessage, priority: QueuePriority): Promise<void> {
    if (!isId(message.jobId) || !Number.isSafeInteger(message.epoch) || message.epoch < 0) {
      this.#on.log.warn('worker.message_unread', 'A message that names no job was dropped');
      this.#admission.missed(priority);
      return;
    }
    const name = `${message.jobId}.${message.epoch}`;
    const slot = this.#admission.admit(priority);
    try {
      const job = this.#elsewhere.has(name) ? 'another_worker' : await this.#claim(message);
      if (job === 'another_worker') {
        const restMs = this.#elsewhere.add(name, priority);
        if (restMs > 0) this.#admission.rest(priority, restMs);
        throw new ForAnotherWorker();
      }
      this.#elsewhere.found(priority);
      if (job === null) return;
      // It lasts as long as somebody edits: builds must not wait for that. Its own handler bounds how many there are.
      if (job.kind === 'live_session') void this.#run(job);
      else await this.#run(job);
    } finally {
      slot.release();
    }
  }

  /** Asks until it is told: a message that were dropped unanswered would come back only by the reconciler. */
  async #claim(message: JobMessage): Promise<ClaimedJob | 'another_worker' | null> {
    const { signal } = this.#refusing;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#on.backend.claim(message.jobId, message.epoch, { signal, retryForMs: Infinity });
      } catch (error) {
        if (signal.aborted) throw new MessageHandedBack('The worker stops.', 'front');
        if (error instanceof BackendRefusal && error.status === 401 && tries < 3) {
          await this.#registerAgain();
          continue;
        }
        this.#on.log.error('worker.claim_refused', 'A job could not be claimed', { job_id: message.jobId, error });
        return null;
      }
    }
  }

  async #run(job: ClaimedJob): Promise<void> {
    // A second attempt of a job whose first still cleans up here: the first one's lease is lost, it is on its way out.
    await this.#running.get(job.job_id)?.done;
    const log = this.#on.log.child({ requestId: job.job_id });
    const workDir = join(this.#on.jobsDir, `${job.job_id}.${job.attempt}.${randomUUID().slice(0, 8)}`);
    const lease = new Lease({ backend: this.#on.backend, job, log, hostPaths: [workDir, ...this.#on.hostPaths] });
    const done = this.#runIn(workDir, job, lease, log);
    this.#running.set(job.job_id, { kind: job.kind, lease, done });
    // Stopped between the claim and here: the last word puts it back.
    if (this.#stopped.signal.aborted || (this.#refusing.signal.aborted && job.kind === 'live_session')) lease.stop('worker_stops');
    try {
      await done;
    } finally {
      this.#running.delete(job.job_id);
    }
  }

  async #runIn(workDir: string, job: ClaimedJob, lease: Lease, log: Logger): Promise<void> {
    try {
      lease.start();
      await mkdir(workDir, { recursive: true, mode: 0o700 });
      const end = await workOn({ job, lease, log, workDir, backend: this.#on.backend, handler: this.#on.handlers.get(job.kind) ?? null });
      if (end === 'succeeded') this.#counts.succeeded += 1;
      else if (end === 'failed') this.#counts.failed += 1;
    } catch (error) {
      log.error('job.lost', 'A job ended here without a report; its lease runs out', { job_id: job.job_id, error });
    } finally {
      await lease.close();
      // Most handlers leave it empty, and looking through it costs more than taking it away.
      await rmdir(workDir).catch(() => rm(workDir, { recursive: true, force: true, maxRetries: 3 }))
        .catch((error: unknown) => log.warn('job.folder_left', 'A job folder could not be removed', { error }));
    }
  }
}

import type { Redis } from 'ioredis';
import { DeadlineError, pause, withDeadline } from '#platform/deadline.ts';
import { isId } from '#platform/ids.ts';
import type { Logger } from '#platform/log.ts';
import { JobConsumer, type JobMessage, MessageHandedBack } from '#platform/queue.ts';
import { redisReady, type QueueRedisOptions } from '#platform/redis.ts';
import type { SystemRunner } from './system-runner.ts';

/** System jobs of one process at once: mails and deletions wait for others most of their time. */
const concurrency = 4;
const openAgainMs = 1_000;
const sayAgainEveryMs = 60_000;
/** The database could not be asked: the message goes back, but not so fast that it only goes round. */
const handBackAfterMs = 1_000;
/** What aborted jobs get to end and to be handed back. */
const releaseMs = 4_000;

/** Takes the messages of the system queue and has their jobs run, from when Redis is there until it is stopped. */
export class SystemJobConsumer {
  readonly #runner: SystemRunner;
  /** An ioredis client to ask whether Redis is there: bee-queue's own ends the process on a wrong password. */
  readonly #redis: Redis;
  readonly #queueRedis: QueueRedisOptions;
  readonly #log: Logger;
  readonly #refusing = new AbortController();
  readonly #inHand = new Set<Promise<void>>();
  #opening: Promise<void> = Promise.resolve();
  #consumer: JobConsumer | null = null;
  #closing: Promise<void> = Promise.resolve();

  constructor(on: { readonly runner: SystemRunner; readonly redis: Redis; readonly queueRedis: QueueRedisOptions; readonly log: Logger }) {
    this.#runner = on.runner;
    this.#redis = on.redis;
    this.#queueRedis = on.queueRedis;
    this.#log = on.log;
  }

  /** Begins to take messages as soon as Redis is there. */
  start(): void {
    this.#opening = this.#open();
  }

  /** Takes nothing new. */
  refuse(): void {
    if (this.#refusing.signal.aborted) return;
    this.#refusing.abort(new Error('The process is going down.'));
    this.#closing = this.#opening.then(() => this.#consumer?.close(24 * 60 * 60_000));
    this.#closing.catch(() => undefined);
  }

  /** Resolves when nothing is in hand any more, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.refuse();
    const late = new AbortController();
    await Promise.race([Promise.allSettled(this.#inHand), pause(timeoutMs, late.signal).catch(() => undefined)]);
    late.abort();
  }

  /** Aborts what still runs, so that another process takes it up at once. */
  async release(): Promise<void> {
    this.refuse();
    this.#runner.abort();
    await this.drain(releaseMs);
  }

  /** Closes the connections, in time or not. */
  async close(timeoutMs: number): Promise<void> {
    this.refuse();
    await withDeadline(() => this.#closing, timeoutMs, 'Closing the queue of system jobs').catch((error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error;
    });
  }

  async #open(): Promise<void> {
    const { signal } = this.#refusing;
    let saidAt = -Infinity;
    while (!signal.aborted) {
      const consumer = new JobConsumer();
      try {
        await redisReady(this.#redis);
        signal.throwIfAborted();
        await consumer.start({
          redis: this.#queueRedis, queueClass: 'system', prefetch: concurrency, log: this.#log, take: (message) => this.#hold(this.#take(message)),
        });
        this.#consumer = consumer;
        return;
      } catch (error) {
        void consumer.close(openAgainMs).catch(() => undefined);
        if (signal.aborted) return;
        if (performance.now() - saidAt > sayAgainEveryMs) {
          saidAt = performance.now();
          this.#log.warn('system_jobs.wait', 'System jobs wait for Redis', { error });
        }
        await pause(openAgainMs, signal).catch(() => undefined);
      }
    }
  }

  #hold(work: Promise<void>): Promise<void> {
    this.#inHand.add(work);
    void work.catch(() => undefined).finally(() => this.#inHand.delete(work));
    return work;
  }

  async #take(message: JobMessage): Promise<void> {
    if (!isId(message.jobId) || !Number.isSafeInteger(message.epoch) || message.epoch < 0) {
      this.#log.warn('system_jobs.message_unread', 'A message that names no job was dropped');
      return;
    }
    if (this.#refusing.signal.aborted) throw new MessageHandedBack();
    try {
      await this.#runner.run(message.jobId, message.epoch);
    } catch (error) {
      this.#log.warn('system_jobs.not_run', 'A system job could not be taken up or ended; its message goes back', { job_id: message.jobId, error });
      await pause(handBackAfterMs, this.#refusing.signal).catch(() => undefined);
      throw new MessageHandedBack();
    }
  }
}

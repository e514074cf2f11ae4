import type { Redis } from 'ioredis';
import type { Logger } from '#platform/log.ts';
import type { Subscriber } from '#platform/redis.ts';

/** Under a published change, a watcher looks by itself this often: Redis may lose what it was told. */
const pollMs = 1_000;

/** Who follows a job hears within milliseconds that its row has changed, in whatever process the change was made. */
export class JobWatch {
  readonly #redis: Redis;
  readonly #subscriber: Subscriber;
  readonly #log: Logger;

  constructor(redis: Redis, subscriber: Subscriber, log: Logger) {
    this.#redis = redis;
    this.#subscriber = subscriber;
    this.#log = log;
  }

  /**
   * Says that a job's row has changed. Best effort: a watcher that misses it looks within a second.
   *
   * @param how 'ended' reaches those at once who pause between two looks
   */
  changed(jobId: string, how: 'changed' | 'ended' = 'changed'): void {
    this.#redis.publish(channelOf(jobId), how).catch((error: unknown) => this.#say(error));
  }

  /**
   * Yields at once, also while Redis is away, then whenever the job may have changed, until the signal aborts.
   *
   * @param pauseMs between two looks, however often it changes; its end is not paused for
   */
  async *follow(jobId: string, signal: AbortSignal, pauseMs = 0): AsyncGenerator<void> {
    let wake: (() => void) | null = null;
    let woken = false;
    let hasEnded = false;
    const onChange = (how?: string): void => {
      woken = true;
      hasEnded ||= how === 'ended' || signal.aborted;
      if (hasEnded || !isPausing) wake?.();
    };
    let isPausing = false;
    const until = (ms: number, isDue: () => boolean): Promise<void> => new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => { clearTimeout(timer); resolve(); };
      if (isDue()) wake();
    });
    // Not waited for: what changes before the subscription stands is seen by the look that follows it.
    const subscribing = this.#subscriber.subscribe(channelOf(jobId), onChange).then((unsubscribe) => {
      onChange();
      return unsubscribe;
    });
    subscribing.catch((error: unknown) => this.#say(error));
    const onAbort = (): void => onChange();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        woken = false;
        yield;
        if (signal.aborted) return;
        isPausing = pauseMs > 0;
        if (isPausing) await until(pauseMs, () => hasEnded || signal.aborted);
        isPausing = false;
        await until(pollMs, () => woken || signal.aborted);
        wake = null;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      subscribing.then((unsubscribe) => unsubscribe()).catch((error: unknown) => this.#say(error));
    }
  }

  #say(error: unknown): void {
    this.#log.debug('jobs.watch', 'watchers will look by themselves', { error: error instanceof Error ? error.message : String(error) });
  }
}

const channelOf = (jobId: string): string => `events:${jobId}`;

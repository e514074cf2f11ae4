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

  /** Says that a job's row has changed. Best effort: a watcher that misses it looks within a second. */
  changed(jobId: string): void {
    this.#redis.publish(channelOf(jobId), '').catch((error: unknown) => this.#say(error));
  }

  /** Yields at once, also while Redis is away, then whenever the job may have changed, until the signal aborts. */
  async *follow(jobId: string, signal: AbortSignal): AsyncGenerator<void> {
    let wake: (() => void) | null = null;
    let woken = false;
    const onChange = (): void => { woken = true; wake?.(); };
    // Not waited for: what changes before the subscription stands is seen by the look that follows it.
    const subscribing = this.#subscriber.subscribe(channelOf(jobId), onChange).then((unsubscribe) => {
      onChange();
      return unsubscribe;
    });
    subscribing.catch((error: unknown) => this.#say(error));
    signal.addEventListener('abort', onChange);
    try {
      while (!signal.aborted) {
        woken = false;
        yield;
        if (signal.aborted) return;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, pollMs);
          wake = () => { clearTimeout(timer); resolve(); };
          if (woken || signal.aborted) wake();
        });
        wake = null;
      }
    } finally {
      signal.removeEventListener('abort', onChange);
      subscribing.then((unsubscribe) => unsubscribe()).catch((error: unknown) => this.#say(error));
    }
  }

  #say(error: unknown): void {
    this.#log.debug('jobs.watch', 'watchers will look by themselves', { error: error instanceof Error ? error.message : String(error) });
  }
}

const channelOf = (jobId: string): string => `events:${jobId}`;

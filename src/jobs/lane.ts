/** One of the loops in which the outbox is sent. */
import { pause } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';

/** The safety net under LISTEN/NOTIFY. */
const pollMs = 2_000;
/** What waits for something that may happen unheard is looked at again after this, doubled up to the poll: it is late by as much again at most. */
const heldMs = 20;
/** A failing destination is asked again after this long, doubled up to the bound. */
const backoffMs = { first: 200, most: 10_000 };

/**
 * A lane looks at most this often while word comes of more: what came meanwhile goes in one batch. The first look after a
 * rest is immediate. A job that starts soon is worth more rounds than an event that is told soon.
 */
const looksApartMs = { jobs: 4, turns: 4, events: 40 };

type LaneName = keyof typeof looksApartMs;

/** What a look came to: there is more to send at once, something waits for what may happen unheard, or nothing is left. */
export type Looked = 'more' | 'held' | 'done';

/** Sends batch after batch until nothing is left, then waits for the next word or the poll; waits longer after each failure. */
export class Lane {
  readonly name: LaneName;
  readonly #log: Logger;
  readonly #sendBatch: () => Promise<Looked>;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;
  #woken = false;

  constructor(name: LaneName, log: Logger, sendBatch: () => Promise<Looked>) {
    this.name = name;
    this.#log = log;
    this.#sendBatch = sendBatch;
  }

  start(): void {
    this.#loop = this.#run();
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let waitMs = backoffMs.first;
    let againMs = heldMs;
    while (!signal.aborted) {
      this.#woken = false;
      const lookedAt = performance.now();
      try {
        const looked = await this.#sendBatch();
        waitMs = backoffMs.first;
        if (looked === 'more') continue;
        if (!this.#woken) await this.#pause(looked === 'held' ? againMs : pollMs);
        againMs = looked === 'held' && !this.#woken ? Math.min(againMs * 2, pollMs) : heldMs;
        const early = looksApartMs[this.name] - (performance.now() - lookedAt);
        if (early > 0) await pause(early, signal).catch(() => undefined);
      } catch (error) {
        this.#log.warn('outbox.relay', 'sending failed and will be tried again', { lane: this.name, error: messageOf(error), wait_ms: waitMs });
        // A notification is no reason to hurry now: it says nothing of whether the destination is back.
        await pause(waitMs, signal).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, backoffMs.most);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => { clearTimeout(timer); resolve(); };
      if (this.#woken || this.#stopping.signal.aborted) this.#wake();
    });
    this.#wake = null;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

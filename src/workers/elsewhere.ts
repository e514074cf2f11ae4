/**
 * Messages of jobs that this worker cannot build, for want of their SDK set: they go to the end of their queue, for another
 * worker. Queues are not told apart by set, so such a message comes again until somebody who can has taken it. It is known
 * then, and the backend not asked again; and when the whole queue has come round with nothing in it for this worker, it
 * leaves that queue alone for a moment, longer each time, a second at most. Whoever can build the job is never kept from it:
 * the message lies in the queue all that time, and a worker that waits for one has it at once.
 */
import { LRUCache } from 'lru-cache';
import { MessageHandedBack, type QueuePriority } from '#platform/queue.ts';

/** Asked again after this: what the backend knows of this worker's sets may have been older than the worker. */
const knownMs = 30_000;
const knownAtOnce = 10_000;
const rest = { firstMs: 50, mostMs: 1_000 };

/** Told to the queue of a message that is another worker's. */
export class ForAnotherWorker extends MessageHandedBack {
  constructor() {
    super('This worker does not build with the SDK set of this job.', 'end');
    this.name = 'ForAnotherWorker';
  }
}

interface Round { readonly seen: Set<string>; restMs: number }

export class Elsewhere {
  readonly #known = new LRUCache<string, true>({ max: knownAtOnce, ttl: knownMs });
  readonly #rounds = new Map<QueuePriority, Round>();

  /** Whether a message is known to be another worker's. */
  has(message: string): boolean {
    return this.#known.has(message);
  }

  /** Notes a message that goes back to this queue's end; answers for how long the queue is to be left alone. */
  add(message: string, priority: QueuePriority): number {
    this.#known.set(message, true);
    const round = this.#rounds.get(priority) ?? { seen: new Set(), restMs: rest.firstMs };
    this.#rounds.set(priority, round);
    const isRound = round.seen.has(message);
    if (isRound) round.seen.clear();
    round.seen.add(message);
    if (!isRound) return 0;
    const { restMs } = round;
    round.restMs = Math.min(restMs * 2, rest.mostMs);
    return restMs;
  }

  /** A message of this queue was this worker's: its rounds begin anew. */
  found(priority: QueuePriority): void {
    this.#rounds.delete(priority);
  }

  /** The worker holds other sets from now on. */
  forget(): void {
    this.#known.clear();
    this.#rounds.clear();
  }
}

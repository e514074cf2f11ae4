/**
 * Who works next. The messages of every priority wait here together, and one limit of jobs at once is shared by them:
 * smooth weighted round-robin among the priorities that wait. A busy high queue is served first but takes at most its
 * share, a lone queue gets every slot, and none starves (of 100 jobs while all three are busy: 60, 30 and 10).
 */
import { MessageHandedBack, queuePriorities, type QueuePriority } from '#platform/queue.ts';

export type Weights = Readonly<Record<QueuePriority, number>>;

export const defaultWeights: Weights = { high: 6, normal: 3, low: 1 };

/** The right to work on one job, until it is given back. */
export interface Slot {
  /** Safe to call twice. */
  release(): void;
}

/** Told to whoever still waits when nothing is admitted any more: the message goes back to its queue. */
export class AdmissionClosed extends MessageHandedBack {
  constructor() {
    super('No more jobs are admitted here.');
    this.name = 'AdmissionClosed';
  }
}

interface Waiting {
  readonly admit: (slot: Slot) => void;
  readonly refuse: (reason: AdmissionClosed) => void;
}

interface Lane {
  readonly priority: QueuePriority;
  readonly weight: number;
  /** Grows by the weight in each round the lane waits, falls by the round's sum when it is served. */
  credit: number;
  /** Bounded by the consumer, which holds at most `prefetch` messages of a priority. */
  readonly waiting: Waiting[];
}

export class Admission {
  readonly #lanes: readonly Lane[];
  #free: number;
  #isClosed = false;
  #isDue = false;

  constructor(slots: number, weights: Weights = defaultWeights) {
    if (!Number.isSafeInteger(slots) || slots < 1) throw new RangeError('Admission needs at least one slot.');
    this.#free = slots;
    this.#lanes = queuePriorities.map((priority) => ({ priority, weight: weights[priority], credit: 0, waiting: [] }));
  }

  get free(): number {
    return this.#free;
  }

  get waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting.length, 0);
  }

  /** Resolves when it is this one's turn. Rejects with AdmissionClosed when that will not come. */
  admit(priority: QueuePriority): Promise<Slot> {
    if (this.#isClosed) return Promise.reject(new AdmissionClosed());
    return new Promise((admit, refuse) => {
      this.#laneOf(priority).waiting.push({ admit, refuse });
      this.#soon();
    });
  }

  /** Admits nobody from now on; those who work go on. */
  close(): void {
    this.#isClosed = true;
    for (const { waiting } of this.#lanes) for (const { refuse } of waiting.splice(0)) refuse(new AdmissionClosed());
  }

  /** At the end of the turn: messages that arrive together compete with each other, not by who came a microtask earlier. */
  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#free > 0) {
      const next = this.#next();
      if (next === null) return;
      this.#free -= 1;
      next.admit(this.#slot());
    }
  }

  #next(): Waiting | null {
    const contending = this.#lanes.filter(({ waiting }) => waiting.length > 0);
    let [best] = contending;
    if (best === undefined) return null;
    let sum = 0;
    for (const lane of contending) {
      lane.credit += lane.weight;
      sum += lane.weight;
      if (lane.credit > best.credit) best = lane;
    }
    best.credit -= sum;
    return best.waiting.shift() ?? null;
  }

  #slot(): Slot {
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#free += 1;
        this.#soon();
      },
    };
  }

  #laneOf(priority: QueuePriority): Lane {
    const lane = this.#lanes.find((candidate) => candidate.priority === priority);
    if (lane === undefined) throw new Error(`There is no priority ${priority}.`);
    return lane;
  }
}

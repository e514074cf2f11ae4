/**
 * Who works next. One message of each priority waits here at a time, and one limit of jobs at once is shared by them:
 * smooth weighted round-robin among the priorities that wait. A busy high queue is served first but takes at most its
 * share, a lone queue gets every slot, and none starves (of 100 jobs while all three are busy: 60, 30 and 10).
 *
 * A message that waits here is out of every other worker's reach. So it waits a moment only, for a slot that is about to
 * be free, and goes back to the front of its queue then; nothing more is fetched until a slot is free.
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
    super('No more jobs are admitted here.', 'front');
    this.name = 'AdmissionClosed';
  }
}

/** Told to whoever has waited long enough: another worker may have a slot. */
export class NoSlotFree extends MessageHandedBack {
  constructor() {
    super('No slot was free in time.', 'front');
    this.name = 'NoSlotFree';
  }
}

export interface AdmissionTimes {
  /** How long a message may wait for a slot. */
  readonly patienceMs: number;
  /**
   * How long, at most, the first free slot after a rest waits for the messages of all priorities that rested, so that weights
   * decide and not who fetched first. It is less where all are there sooner. (Where a fetch took longer than this, as with
   * 20 ms on a busy machine, the low queue was never served: measured, 0 of 64.)
   */
  readonly gatherMs: number;
}

export const defaultTimes: AdmissionTimes = { patienceMs: 1_000, gatherMs: 250 };

interface Waiting {
  readonly admit: (slot: Slot) => void;
  readonly refuse: (reason: MessageHandedBack) => void;
  readonly patience: NodeJS.Timeout;
}

interface Lane {
  readonly priority: QueuePriority;
  readonly weight: number;
  /** Grows by the weight in each round the lane waits, falls by the round's sum when it is served. */
  credit: number;
  /** One at most where who fetches asks `wanted` first. */
  readonly waiting: Waiting[];
  /** Its message was handed back for want of a slot: nothing is fetched until one is free. */
  isResting: boolean;
  /** It rested, and fetches again: a free slot waits for it. */
  isAwaited: boolean;
  /** Those who ask whether to fetch. */
  readonly asking: (() => void)[];
}

export class Admission {
  readonly #lanes: readonly Lane[];
  readonly #times: AdmissionTimes;
  #free: number;
  #isClosed = false;
  #isDue = false;
  #gathering: NodeJS.Timeout | undefined;

  constructor(slots: number, weights: Weights = defaultWeights, times: AdmissionTimes = defaultTimes) {
    if (!Number.isSafeInteger(slots) || slots < 1) throw new RangeError('Admission needs at least one slot.');
    this.#free = slots;
    this.#times = times;
    this.#lanes = queuePriorities.map((priority) => ({ priority, weight: weights[priority], credit: 0, waiting: [], isResting: false, isAwaited: false, asking: [] }));
  }

  get free(): number {
    return this.#free;
  }

  get waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting.length, 0);
  }

  /** Resolves when a message of this priority is to be fetched: none waits, and one would not have to wait in vain. Never, once closed. */
  wanted(priority: QueuePriority): Promise<void> {
    const lane = this.#laneOf(priority);
    return new Promise((resolve) => {
      lane.asking.push(resolve);
      this.#answer(lane);
    });
  }

  /** Resolves when it is this one's turn. Rejects with MessageHandedBack when that does not come in time, or not at all. */
  admit(priority: QueuePriority): Promise<Slot> {
    if (this.#isClosed) return Promise.reject(new AdmissionClosed());
    const lane = this.#laneOf(priority);
    return new Promise((admit, refuse) => {
      const patience = setTimeout(() => {
        lane.waiting.splice(lane.waiting.indexOf(waiting), 1);
        lane.isResting = this.#free === 0;
        refuse(new NoSlotFree());
        this.#answer(lane);
      }, this.#times.patienceMs);
      const waiting: Waiting = { admit, refuse, patience };
      lane.waiting.push(waiting);
      lane.isAwaited = false;
      if (this.#gathering !== undefined && this.#lanes.every(({ isAwaited }) => !isAwaited)) this.#gathered();
      this.#soon();
    });
  }

  /** Admits nobody from now on; those who work go on. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#gathering);
    for (const { waiting } of this.#lanes) {
      for (const { refuse, patience } of waiting.splice(0)) {
        clearTimeout(patience);
        refuse(new AdmissionClosed());
      }
    }
  }

  #answer(lane: Lane): void {
    if (this.#isClosed || lane.isResting || lane.waiting.length > 0) return;
    for (const fetch of lane.asking.splice(0)) fetch();
  }

  /** At the end of the turn: messages that arrive together compete with each other, not by who came a microtask earlier. */
  #soon(): void {
    if (this.#isDue || this.#gathering !== undefined) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#free > 0 && !this.#isClosed) {
      const next = this.#next();
      if (next === null) break;
      this.#free -= 1;
      clearTimeout(next.patience);
      next.admit(this.#slot());
    }
    for (const lane of this.#lanes) this.#answer(lane);
  }

  /** A slot is free: whoever rested fetches again, and is waited for. */
  #wakeResting(): void {
    const resting = this.#lanes.filter((lane) => lane.isResting);
    if (resting.length === 0) return;
    // What has arrived already is heard before the time counts as over: a busy process hears of both at once.
    this.#gathering ??= setTimeout(() => setImmediate(() => {
      this.#gathered();
      this.#soon();
    }), this.#times.gatherMs);
    for (const lane of resting) {
      lane.isResting = false;
      lane.isAwaited = true;
      this.#answer(lane);
    }
  }

  #gathered(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    for (const lane of this.#lanes) lane.isAwaited = false;
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
        this.#wakeResting();
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

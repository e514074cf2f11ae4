/**
 * Who works next. One limit of jobs at once is shared by the priorities. While slots are free each waits for its next
 * message, and takes it at once. When the last slot is taken nothing is fetched any more: a message in the hands of a worker
 * that cannot admit it is out of the reach of those that could. A slot that becomes free is given by smooth weighted
 * round-robin among the queues that hold messages then, and only of the one that is chosen a message is fetched: a busy
 * high queue is served first but takes at most its share, a lone queue gets every slot, and none starves (of 100 jobs while all
 * three are busy: 60, 30 and 10).
 *
 * What a worker still waited for when its last slot was taken may yet come, a handful for each priority: it goes back to the front
 * of its queue at once, where it keeps its turn.
 */
import { MessageHandedBack, type Fetching, queuePriorities, type QueuePriority } from '#platform/queue.ts';

export type Weights = Readonly<Record<QueuePriority, number>>;

export const defaultWeights: Weights = { high: 6, normal: 3, low: 1 };

/** The right to work on one job, until it is given back. */
export interface Slot {
  /** Safe to call twice. */
  release(): void;
}

/** Told to whoever comes when nothing is admitted any more: the message goes back to its queue. */
export class AdmissionClosed extends MessageHandedBack {
  constructor() {
    super('No more jobs are admitted here.', 'front');
    this.name = 'AdmissionClosed';
  }
}

/** Told to whoever comes when every slot is taken: another worker may have one. */
export class NoSlotFree extends MessageHandedBack {
  constructor() {
    super('No slot is free.', 'front');
    this.name = 'NoSlotFree';
  }
}

/** Fetches of one queue that wait beside each other, while so many slots are free: after a stall messages come by the dozen. */
const mostWaits = 4;

interface Lane {
  readonly priority: QueuePriority;
  readonly weight: number;
  /** Grows by the weight in each choice its queue stands in, falls by the choice's sum when it is served. */
  credit: number;
  /** Those who would fetch. */
  readonly asking: ((how: Fetching) => void)[];
  /** Fetches under way that wait for a message; none while one looks for it. */
  waits: number;
  isLooking: boolean;
  /** While it is left alone. */
  resting: NodeJS.Timeout | null;
}

export class Admission {
  readonly #lanes: readonly Lane[];
  readonly #backlog: () => Promise<readonly QueuePriority[]>;
  #free: number;
  #isClosed = false;
  /** From when the last slot was taken until no queue was found to choose from: who is served is chosen, not who comes first. */
  #isContended = false;
  /** The choice under way: the answer is awaited of what the queues hold, or of the one fetch it led to. */
  #isChoosing = false;

  /** @param backlog which queues hold messages now; where it cannot be told, none */
  constructor(slots: number, backlog: () => Promise<readonly QueuePriority[]>, weights: Weights = defaultWeights) {
    if (!Number.isSafeInteger(slots) || slots < 1) throw new RangeError('Admission needs at least one slot.');
    this.#free = slots;
    this.#backlog = backlog;
    this.#lanes = queuePriorities.map((priority) => ({ priority, weight: weights[priority], credit: 0, asking: [], waits: 0, isLooking: false, resting: null }));
  }

  get free(): number {
    return this.#free;
  }

  /**
   * Resolves when a message of this priority is to be fetched, with whether to wait for one. Each fetch ends with `admit` or
   * `missed`; of a priority there are no more at a time than slots are free. Never resolves once closed.
   */
  wanted(priority: QueuePriority): Promise<Fetching> {
    const lane = this.#laneOf(priority);
    return new Promise((resolve) => {
      lane.asking.push(resolve);
      this.#next();
    });
  }

  /** A fetch found nothing. */
  missed(priority: QueuePriority): void {
    this.#fetched(this.#laneOf(priority));
    this.#next();
  }

  /** The slot for a message that was fetched. Throws MessageHandedBack where none is free. */
  admit(priority: QueuePriority): Slot {
    this.#fetched(this.#laneOf(priority));
    if (this.#isClosed) throw new AdmissionClosed();
    if (this.#free === 0) throw new NoSlotFree();
    this.#free -= 1;
    if (this.#free === 0) this.#isContended = true;
    this.#next();
    return this.#slot();
  }

  /** Leaves a queue alone for so long: what it holds is for other workers. */
  rest(priority: QueuePriority, ms: number): void {
    const lane = this.#laneOf(priority);
    if (this.#isClosed) return;
    if (lane.resting !== null) clearTimeout(lane.resting);
    lane.resting = setTimeout(() => {
      lane.resting = null;
      this.#next();
    }, ms);
  }

  /** Admits nobody from now on; those who work go on. */
  close(): void {
    this.#isClosed = true;
    for (const { resting } of this.#lanes) if (resting !== null) clearTimeout(resting);
  }

  #fetched(lane: Lane): void {
    if (!lane.isLooking) lane.waits = Math.max(0, lane.waits - 1);
    else this.#isChoosing = lane.isLooking = false;
  }

  #next(): void {
    if (this.#isClosed || this.#free === 0 || this.#isChoosing) return;
    if (this.#isContended) void this.#choose();
    else for (const lane of this.#lanes) while (lane.resting === null && lane.asking.length > 0 && lane.waits < Math.min(this.#free, mostWaits)) this.#fetch(lane, 'wait');
  }

  #fetch(lane: Lane, how: Fetching): void {
    const ask = lane.asking.shift();
    if (how === 'look') lane.isLooking = true;
    else lane.waits += 1;
    ask?.(how);
  }

  /** One slot for the queue whose turn it is; its fetch ends the choice, and leads to the next. */
  async #choose(): Promise<void> {
    this.#isChoosing = true;
    const holding = await this.#backlog().catch((): readonly QueuePriority[] => []);
    if (this.#free > 0) {
      // A queue whose fetch still waits hands its message over by itself.
      const chosen = this.#turnOf(this.#lanes.filter(({ priority, waits, asking, resting }) => holding.includes(priority) && waits === 0 && resting === null && asking.length > 0));
      if (chosen !== null) return this.#fetch(chosen, 'look');
      this.#isContended = false;
    }
    this.#isChoosing = false;
    this.#next();
  }

  #turnOf(lanes: readonly Lane[]): Lane | null {
    let [best = null] = lanes;
    if (best === null) return null;
    let sum = 0;
    for (const lane of lanes) {
      lane.credit += lane.weight;
      sum += lane.weight;
      if (lane.credit > best.credit) best = lane;
    }
    best.credit -= sum;
    return best;
  }

  #slot(): Slot {
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#free += 1;
        this.#next();
      },
    };
  }

  #laneOf(priority: QueuePriority): Lane {
    const lane = this.#lanes.find((candidate) => candidate.priority === priority);
    if (lane === undefined) throw new Error(`There is no priority ${priority}.`);
    return lane;
  }
}

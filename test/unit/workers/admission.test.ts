import { expect } from 'chai';
import { Admission, AdmissionClosed, NoSlotFree, type Slot } from '#workers/admission.ts';
import { queuePriorities, type QueuePriority } from '#platform/queue.ts';
import { until } from '../../support/until.ts';

/** Lets every pending microtask run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const none = (): Promise<QueuePriority[]> => Promise.resolve([]);

/** Queues, and a worker that fetches as it is told. Messages are taken at the front. */
class World {
  readonly waiting = new Map<QueuePriority, number>(queuePriorities.map((priority) => [priority, 0]));
  readonly admitted: { priority: QueuePriority; slot: Slot }[] = [];
  handedBack = 0;
  readonly admission: Admission;
  readonly #arrivals = new Map<QueuePriority, () => void>();

  constructor(slots: number, on: { readonly fetchMs?: Readonly<Record<QueuePriority, number>>; readonly backlog?: () => Promise<readonly QueuePriority[]> } = {}) {
    this.admission = new Admission(slots, on.backlog ?? (() => Promise.resolve(queuePriorities.filter((priority) => (this.waiting.get(priority) ?? 0) > 0))));
    // Two loops of each, as a queue with room for more has.
    for (const priority of queuePriorities) for (const _ of [1, 2]) void this.#loop(priority, on.fetchMs?.[priority] ?? 0);
  }

  add(priority: QueuePriority, count = 1): void {
    this.waiting.set(priority, (this.waiting.get(priority) ?? 0) + count);
    this.#arrivals.get(priority)?.();
  }

  async #loop(priority: QueuePriority, fetchMs: number): Promise<void> {
    for (;;) {
      const how = await this.admission.wanted(priority);
      if (fetchMs > 0) await new Promise((resolve) => { setTimeout(resolve, fetchMs); });
      while (how === 'wait' && this.waiting.get(priority) === 0) await new Promise<void>((resolve) => { this.#arrivals.set(priority, resolve); });
      const there = this.waiting.get(priority) ?? 0;
      if (there === 0) {
        this.admission.missed(priority);
        continue;
      }
      this.waiting.set(priority, there - 1);
      try {
        this.admitted.push({ priority, slot: this.admission.admit(priority) });
      } catch {
        this.handedBack += 1;
        this.add(priority);
      }
    }
  }

  /** Serves so many, one after the other, and answers their order. */
  async serve(count: number): Promise<QueuePriority[]> {
    const order: QueuePriority[] = [];
    while (order.length < count) {
      while (this.admitted.length === 0) await settle();
      const [served] = this.admitted.splice(0, 1);
      if (served === undefined) break;
      order.push(served.priority);
      served.slot.release();
    }
    return order;
  }
}

const countOf = (order: readonly QueuePriority[], priority: QueuePriority): number => order.filter((one) => one === priority).length;

/** The order of so many jobs while each named queue holds more than enough, from when the one slot is taken. */
async function busy(priorities: readonly QueuePriority[], count: number, fetchMs?: Readonly<Record<QueuePriority, number>>): Promise<QueuePriority[]> {
  const world = new World(1, fetchMs === undefined ? {} : { fetchMs });
  for (const priority of priorities) world.add(priority, count + 10);
  const [, ...order] = await world.serve(count + 1);
  world.admission.close();
  return order;
}

describe('admission of jobs', () => {
  it('shares slots 6:3:1 among queues that are all busy', async () => {
    const order = await busy(['low', 'normal', 'high'], 100);
    expect(queuePriorities.map((priority) => countOf(order, priority))).to.deep.equal([60, 30, 10]);
  });
  it('shares 3:1 between the two lower queues when the high one is empty', async () => {
    const order = await busy(['low', 'normal'], 80);
    expect([countOf(order, 'normal'), countOf(order, 'low')]).to.deep.equal([60, 20]);
  });
  it('starves nobody: the low queue is served within every ten jobs', async () => {
    const order = await busy(['high', 'normal', 'low'], 200);
    for (let start = 0; start + 10 <= order.length; start += 10) expect(order.slice(start, start + 10)).to.include('low');
  });
  it('spreads the turns: the high queue never takes more than two in a row from busy others', async () => {
    const order = await busy(['high', 'normal', 'low'], 100);
    expect(order.join(' ')).not.to.include('high high high');
  });
  it('goes by the weights also where a message takes long to come, the lowest longest', async () => {
    const order = await busy(['high', 'normal', 'low'], 40, { high: 1, normal: 4, low: 8 });
    // Nearly: what is still on its way when a slot is free is not in that choice.
    const shares = queuePriorities.map((priority) => countOf(order, priority));
    for (const [nth, share] of [24, 12, 4].entries()) expect(shares[nth], shares.join(' ')).to.be.within(share - 2, share + 2);
  });
  for (const priority of queuePriorities) {
    it(`gives a lone ${priority} queue every slot`, async () => {
      const world = new World(4);
      world.add(priority, 6);
      await until('all slots to be taken', () => world.admitted.length === 4);
      await settle();
      expect(world.admitted).to.have.length(4);
      expect(world.admission.free).to.equal(0);
      world.admission.close();
    });
  }
  it('never lets more work at once than there are slots, and counts a slot given back twice once', async () => {
    const world = new World(2);
    world.add('normal', 5);
    await until('both slots to be taken', () => world.admitted.length === 2);
    world.admitted[0]?.slot.release();
    world.admitted[0]?.slot.release();
    await until('the third', () => world.admitted.length === 3);
    await settle();
    expect(world.admitted).to.have.length(3);
    expect(world.admission.free).to.equal(0);
    world.admission.close();
  });
  it('refuses those who come once it is closed, and leaves those who work alone', () => {
    const admission = new Admission(1, none);
    const working = admission.admit('high');
    admission.close();
    expect(() => admission.admit('low')).to.throw(AdmissionClosed);
    working.release();
    expect(admission.free).to.equal(1);
    expect(() => admission.admit('low')).to.throw(AdmissionClosed);
  });

  describe('of a message that others could take', () => {
    it('fetches nothing while every slot is taken, and hands back at once, one of a priority, what it still waited for', async () => {
      const world = new World(1);
      await settle();
      world.add('normal', 10);
      await until('the first', () => world.admitted.length === 1);
      world.add('high', 10);
      world.add('low', 10);
      await settle();
      await settle();
      expect(world.handedBack).to.equal(2);
      expect(queuePriorities.map((priority) => world.waiting.get(priority))).to.deep.equal([10, 9, 10]);
      world.admission.close();
    });
    it('fetches of the chosen queue alone when a slot is free again', async () => {
      const world = new World(1);
      world.add('low', 5);
      await until('the first', () => world.admitted.length === 1);
      world.add('high', 5);
      await settle();
      const handedBack = world.handedBack;
      await world.serve(6);
      expect(world.handedBack).to.equal(handedBack);
      world.admission.close();
    });
    it('waits again for every queue where another worker took what was chosen', async () => {
      const admission = new Admission(1, () => Promise.resolve(['high']));
      const working = admission.admit('low');
      const wanted = { high: admission.wanted('high'), low: admission.wanted('low') };
      working.release();
      expect(await wanted.high).to.equal('look');
      admission.missed('high');
      expect(await wanted.low).to.equal('wait');
      admission.close();
    });
    it('waits for every queue where it cannot be told what they hold', async () => {
      const admission = new Admission(1, () => Promise.reject(new Error('Redis is away.')));
      const working = admission.admit('low');
      const wanted = queuePriorities.map((priority) => admission.wanted(priority));
      working.release();
      expect(await Promise.all(wanted)).to.deep.equal(['wait', 'wait', 'wait']);
      admission.close();
    });
    it('turns away who comes when no slot is free, to the front of its queue', () => {
      const admission = new Admission(1, none);
      admission.admit('low');
      expect(() => admission.admit('high')).to.throw(NoSlotFree).with.property('place', 'front');
    });
  });
});

import { expect } from 'chai';
import { Admission, AdmissionClosed, defaultTimes, NoSlotFree, type Slot } from '#workers/admission.ts';
import { queuePriorities, type QueuePriority } from '#platform/queue.ts';
import { until } from '../../support/until.ts';

/** Lets every pending microtask run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Asks for a slot and notes when it comes. */
const ask = (admission: Admission, priority: QueuePriority, admitted: { priority: QueuePriority; slot: Slot }[]): void => {
  admission.admit(priority).then((slot) => admitted.push({ priority, slot }), () => undefined);
};

/** Serves `count` jobs one after the other while every named priority always has one waiting; answers the order. */
async function serve(priorities: readonly QueuePriority[], count: number): Promise<QueuePriority[]> {
  const admission = new Admission(1);
  const admitted: { priority: QueuePriority; slot: Slot }[] = [];
  for (const priority of priorities) ask(admission, priority, admitted);
  const order: QueuePriority[] = [];
  while (order.length < count) {
    await settle();
    const [served] = admitted.splice(0);
    if (served === undefined) throw new Error('nobody was admitted');
    order.push(served.priority);
    ask(admission, served.priority, admitted);
    served.slot.release();
  }
  return order;
}

const countOf = (order: readonly QueuePriority[], priority: QueuePriority): number => order.filter((one) => one === priority).length;

describe('admission of jobs', () => {
  it('shares slots 6:3:1 among queues that are all busy', async () => {
    const order = await serve(['low', 'normal', 'high'], 100);
    expect(queuePriorities.map((priority) => countOf(order, priority))).to.deep.equal([60, 30, 10]);
  });
  it('shares 3:1 between the two lower queues when the high one is empty', async () => {
    const order = await serve(['low', 'normal'], 80);
    expect([countOf(order, 'normal'), countOf(order, 'low')]).to.deep.equal([60, 20]);
  });
  it('starves nobody: the low queue is served within every ten jobs', async () => {
    const order = await serve(['high', 'normal', 'low'], 200);
    for (let start = 0; start + 10 <= order.length; start += 10) expect(order.slice(start, start + 10)).to.include('low');
  });
  it('spreads the turns: the high queue never takes more than two in a row from busy others', async () => {
    const order = await serve(['high', 'normal', 'low'], 100);
    expect(order.join(' ')).not.to.include('high high high');
  });
  for (const priority of queuePriorities) {
    it(`gives a lone ${priority} queue every slot`, async () => {
      const admission = new Admission(4);
      const admitted: { priority: QueuePriority; slot: Slot }[] = [];
      for (let index = 0; index < 6; index += 1) ask(admission, priority, admitted);
      await settle();
      expect(admitted).to.have.length(4);
      expect(admission.free).to.equal(0);
      expect(admission.waiting).to.equal(2);
    });
  }
  it('never lets more work at once than there are slots, and counts a slot given back twice once', async () => {
    const admission = new Admission(2);
    const admitted: { priority: QueuePriority; slot: Slot }[] = [];
    for (let index = 0; index < 5; index += 1) ask(admission, 'normal', admitted);
    await settle();
    admitted[0]?.slot.release();
    admitted[0]?.slot.release();
    await settle();
    expect(admitted).to.have.length(3);
    expect(admission.free).to.equal(0);
  });
  it('lets the high queue go first when all arrive in one turn', async () => {
    const admission = new Admission(1);
    const admitted: { priority: QueuePriority; slot: Slot }[] = [];
    ask(admission, 'low', admitted);
    ask(admission, 'high', admitted);
    await settle();
    expect(admitted.map((one) => one.priority)).to.deep.equal(['high']);
  });
  it('refuses those who wait and those who come once it is closed, and leaves those who work alone', async () => {
    const admission = new Admission(1);
    const working = await admission.admit('high');
    const refusals: unknown[] = [];
    const waiting = admission.admit('high').catch((error: unknown) => refusals.push(error));
    admission.close();
    await waiting;
    await admission.admit('low').catch((error: unknown) => refusals.push(error));
    expect(refusals).to.have.length(2);
    for (const refusal of refusals) expect(refusal).to.be.instanceOf(AdmissionClosed);
    working.release();
    expect(admission.free).to.equal(1);
  });

  describe('where what waits is out of the reach of others', () => {
    const times = { patienceMs: 5, gatherMs: 5 };

    it('wants one message of a priority at a time, and no more for one that was given back until a slot is free', async () => {
      const admission = new Admission(1, undefined, times);
      const working = await admission.admit('high');
      await admission.wanted('low');
      const refusal: unknown = await admission.admit('low').catch((error: unknown) => error);
      expect(refusal).to.be.instanceOf(NoSlotFree);
      let isWanted = false;
      const wanted = admission.wanted('low').then(() => { isWanted = true; });
      await settle();
      expect(isWanted).to.equal(false);
      working.release();
      await wanted;
    });
    it('wants none beside one that waits', async () => {
      const admission = new Admission(1, undefined, { ...times, patienceMs: 10_000 });
      const working = await admission.admit('high');
      const next = admission.admit('low');
      let isWanted = false;
      const wanted = admission.wanted('low').then(() => { isWanted = true; });
      await settle();
      expect(isWanted).to.equal(false);
      working.release();
      (await next).release();
      await wanted;
    });
    it('starves nobody where all rest between jobs and a message takes long to come, the lowest longest', async () => {
      const admission = new Admission(1, undefined, { ...defaultTimes, patienceMs: 5 });
      const order: QueuePriority[] = [];
      const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });
      const take = async (priority: QueuePriority, fetchMs: number): Promise<void> => {
        while (order.length < 40) {
          await admission.wanted(priority);
          await pause(fetchMs);
          const slot = await admission.admit(priority).catch(() => null);
          if (slot === null) continue;
          order.push(priority);
          void pause(15).then(() => slot.release());
        }
      };
      void take('high', 25);
      void take('normal', 30);
      void take('low', 35);
      await until('forty jobs to be done', () => order.length >= 40);
      admission.close();
      expect(countOf(order, 'low')).to.be.greaterThan(2);
      expect(countOf(order, 'high')).to.be.greaterThan(10);
    });
    it('waits for nobody when all that rested are there, and for one that does not come a bounded time', async () => {
      const admission = new Admission(1, undefined, { patienceMs: 600, gatherMs: 300 });
      const rest = async (): Promise<void> => { await Promise.allSettled([admission.admit('low'), admission.admit('high')]); };
      const working = await admission.admit('normal');
      await rest();
      let started = performance.now();
      working.release();
      void admission.admit('low').then((slot) => slot.release());
      const high = await admission.admit('high');
      expect(performance.now() - started).to.be.lessThan(200);
      const blocking = await admission.admit('normal').catch(() => null);
      expect(blocking, 'the slot is taken').to.equal(null);
      await rest();
      started = performance.now();
      high.release();
      (await admission.admit('high')).release();
      expect(performance.now() - started).to.be.within(250, 590);
      admission.close();
    });
    it('lets weights decide after a rest, and not who came back first', async () => {
      const admission = new Admission(1, undefined, times);
      const working = await admission.admit('normal');
      const given = await Promise.allSettled([admission.admit('low'), admission.admit('high')]);
      expect(given.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
      const admitted: { priority: QueuePriority; slot: Slot }[] = [];
      working.release();
      ask(admission, 'low', admitted);
      await settle();
      ask(admission, 'high', admitted);
      await until('one to be admitted', () => admitted.length > 0);
      expect(admitted.map(({ priority }) => priority)).to.deep.equal(['high']);
      admission.close();
    });
  });
});

import { expect } from 'chai';
import { emit, enqueue } from '#jobs/outbox.ts';
import { type EventConsumer, OutboxRelay } from '#jobs/relay.ts';
import { transact } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import { type JobMessage, JobProducer, type QueueClass, type QueuePriority } from '#platform/queue.ts';
import { redisOptions } from '#platform/redis.ts';
import { useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

/** Sends, and then fails for the first few times: as a process that dies before it can mark what it sent. */
class Faltering extends JobProducer {
  sends = 0;
  readonly #failures: number;
  readonly #after: boolean;

  constructor(failures: number, after: boolean, ...rest: ConstructorParameters<typeof JobProducer>) {
    super(...rest);
    this.#failures = failures;
    this.#after = after;
  }

  override async send(queueClass: QueueClass, priority: QueuePriority, messages: readonly JobMessage[]): Promise<void> {
    this.sends += 1;
    if (this.#after) await super.send(queueClass, priority, messages);
    if (this.sends <= this.#failures) throw new Error('The process died here.');
    if (!this.#after) await super.send(queueClass, priority, messages);
  }
}

describe('the outbox relay', () => {
  const backend = useBackend();
  const relays: OutboxRelay[] = [];
  const producers: JobProducer[] = [];
  const startRelay = (consumers: Readonly<Record<string, EventConsumer>> = {}, producer = backend.current.producer, bounds?: ConstructorParameters<typeof OutboxRelay>[4]): OutboxRelay => {
    const { database, log } = backend.current;
    const relay = new OutboxRelay(database.db, producer, new Map(Object.entries(consumers)), log, bounds);
    relays.push(relay);
    relay.start();
    return relay;
  };
  const faltering = (failures: number, after: boolean): Faltering => {
    const producer = new Faltering(failures, after, redisOptions(backend.current.env, 'producer'), backend.current.log);
    producers.push(producer);
    return producer;
  };
  beforeEach(async () => { await backend.current.sql('delete from outbox'); });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await Promise.all(producers.splice(0).map((producer) => producer.close()));
  });

  const event = (type: string, entityId: string = newId()) => ({ type, entityId, data: {} });
  const tell = (...types: string[]): Promise<void> => transact(backend.current.database.db, null, async (trx) => { for (const type of types) await emit(trx, event(type)); });
  const queue = (jobId: string, epoch = 0, priority: QueuePriority = 'normal'): Promise<void> =>
    transact(backend.current.database.db, null, (trx) => enqueue(trx, [{ jobId, epoch, queueClass: 'cpu', priority }]));
  const unsent = async (): Promise<number> => (await backend.current.sql<{ left: number }>('select count(*) as left from outbox where sent_at is null'))[0]?.left ?? -1;
  const holds = (jobId: string, epoch = 0): Promise<boolean> => backend.current.producer.holds('cpu', 'normal', { jobId, epoch });
  const allSent = (): Promise<void> => until('everything sent', async () => (await unsent()) === 0);

  it('sends what was committed, when it was committed, and never what was not', async () => {
    const { database: { db } } = backend.current;
    startRelay();
    const [early, undone, late] = [newId(), newId(), newId()];
    const trx = await db.knex.transaction();
    await enqueue(trx, [{ jobId: early, epoch: 0, queueClass: 'cpu', priority: 'normal' }]);
    const lost = await db.knex.transaction();
    await enqueue(lost, [{ jobId: undone, epoch: 0, queueClass: 'cpu', priority: 'normal' }]);
    await lost.rollback();
    await queue(late);
    await until('the later one', () => holds(late));
    expect(await holds(early)).to.equal(false);
    await trx.commit();
    await until('the earlier one', () => holds(early));
    expect(await holds(undone)).to.equal(false);
    await allSent();
  });

  it('sends each job to the queue of its class and priority', async () => {
    const { producer } = backend.current;
    const jobs = [['high', newId()], ['normal', newId()], ['low', newId()]] as const;
    for (const [priority, jobId] of jobs) await queue(jobId, 3, priority);
    startRelay();
    await allSent();
    for (const [priority, jobId] of jobs) {
      for (const other of ['high', 'normal', 'low'] as const) {
        expect(await producer.holds('cpu', other, { jobId, epoch: 3 })).to.equal(other === priority);
      }
    }
  });

  it('sends again what a process sent and died before it could mark it: one message all the same', async () => {
    const producer = faltering(2, true);
    const before = (await backend.current.producer.depth('cpu', 'normal')).waiting;
    const jobId = newId();
    await queue(jobId);
    startRelay({}, producer);
    await allSent();
    expect(producer.sends).to.equal(3);
    expect((await backend.current.producer.depth('cpu', 'normal')).waiting).to.equal(before + 1);
    expect(await holds(jobId)).to.equal(true);
  });

  it('waits for a queue that is away, and loses nothing meanwhile', async () => {
    const producer = faltering(2, false);
    const jobs = Array.from({ length: 5 }, () => newId());
    for (const jobId of jobs) await queue(jobId);
    startRelay({}, producer);
    await allSent();
    for (const jobId of jobs) expect(await holds(jobId)).to.equal(true);
  });

  it('tells the events of a transaction whose jobs no queue takes', async () => {
    const heard: string[] = [];
    const jobId = newId();
    await transact(backend.current.database.db, null, async (trx) => {
      await enqueue(trx, [{ jobId, epoch: 0, queueClass: 'cpu', priority: 'normal' }]);
      await emit(trx, event('good.event'));
    });
    startRelay({ 'good.event': async ({ type }) => { heard.push(type); } }, faltering(Infinity, false));
    await until('all but the job', async () => (await unsent()) === 1);
    expect(heard).to.deep.equal(['good.event']);
    expect(await backend.current.sql('select kind, attempts from outbox where sent_at is null')).to.deep.equal([{ kind: 'job', attempts: 0 }]);
  });

  it('sends to the other queues what was beside jobs of a queue that fails', async () => {
    const { env, log, redis, producer } = backend.current;
    const [stuck, sound] = [newId(), newId()];
    const key = 'bq:cpu_tasks:low:jobs';
    await redis.redis.del(key);
    await redis.redis.set(key, 'no hash, and so nothing can be added to it');
    const own = new JobProducer(redisOptions(env, 'producer'), log);
    producers.push(own);
    await transact(backend.current.database.db, null, (trx) => enqueue(trx, [
      { jobId: stuck, epoch: 0, queueClass: 'cpu', priority: 'low' }, { jobId: sound, epoch: 0, queueClass: 'cpu', priority: 'normal' },
    ]));
    const relay = startRelay({}, own);
    await until('the sound one', async () => (await unsent()) === 1);
    expect(await holds(sound)).to.equal(true);
    await redis.redis.del(key);
    await backend.current.sql('update outbox set run_after = now()');
    relay.wake();
    await allSent();
    expect(await producer.holds('cpu', 'low', { jobId: stuck, epoch: 0 })).to.equal(true);
  });

  it('tells events of one thing in their order, and passes over those that nobody hears', async () => {
    const heard: string[] = [];
    const thing = newId();
    await transact(backend.current.database.db, null, (trx) => emit(trx, ...['a.one', 'b.unheard', 'a.two', 'a.one'].map((type) => event(type, thing))));
    startRelay({ 'a.one': async ({ type }) => { heard.push(type); }, 'a.two': async ({ type }) => { heard.push(type); } });
    await allSent();
    expect(heard).to.deep.equal(['a.one', 'a.two', 'a.one']);
  });

  it('postpones an event that was not taken, and nothing beside it', async () => {
    const heard: string[] = [];
    const jobId = newId();
    await tell('bad.event', 'good.event');
    await queue(jobId);
    startRelay({ 'bad.event': () => Promise.reject(new Error('no')), 'good.event': async ({ type }) => { heard.push(type); } });
    await until('all but one', async () => (await unsent()) === 1);
    expect(heard).to.deep.equal(['good.event']);
    expect(await holds(jobId)).to.equal(true);
    const [row] = await backend.current.sql<{ topic: string; attempts: number; wait: number }>(
      'select topic, attempts, extract(epoch from run_after - now())::float8 as wait from outbox where sent_at is null');
    expect(row).to.include({ topic: 'bad.event', attempts: 1 });
    expect(row?.wait).to.be.within(0.5, 2.1);
  });

  it('asks again when its time has come, longer each time, four minutes at most', async () => {
    let asked = 0;
    await tell('bad.event');
    const relay = startRelay({ 'bad.event': async () => { asked += 1; if (asked <= 3) throw new Error('no'); } });
    for (let round = 1; round <= 3; round += 1) {
      await until(`try ${round}`, async () => (await backend.current.sql<{ attempts: number }>('select attempts from outbox'))[0]?.attempts === round);
      await backend.current.sql('update outbox set run_after = now()');
      relay.wake();
    }
    await allSent();
    expect(asked).to.equal(4);
    await backend.current.sql('update outbox set sent_at = null, attempts = 40, run_after = now()');
    asked = 0;
    relay.wake();
    await until('one more', async () => (await backend.current.sql<{ attempts: number }>('select attempts from outbox'))[0]?.attempts === 41);
    const [row] = await backend.current.sql<{ wait: number }>('select extract(epoch from run_after - now())::float8 as wait from outbox');
    expect(row?.wait).to.be.within(250, 257);
  });

  it('is not held up by any number of events whose consumer hangs', async () => {
    const heard: string[] = [];
    await tell(...Array.from({ length: 40 }, () => 'hanging.event'), 'good.event');
    startRelay({ 'hanging.event': () => new Promise(() => undefined), 'good.event': async ({ type }) => { heard.push(type); } },
      backend.current.producer, { consumerTimeoutMs: 10, batchTimeMs: 50 });
    await until('all but the hanging ones', async () => (await unsent()) === 40);
    expect(heard).to.deep.equal(['good.event']);
  });

  it('gives up a consumer of many together that hangs once its time is over, puts all its events back with a wait, and tells the others', async () => {
    const heard: string[] = [];
    const calls = { together: 0, alone: 0 };
    const said = (): number => backend.current.logLines.filter((line) => line.includes('outbox.consumer_hangs')).length;
    const saidBefore = said();
    await tell(...Array.from({ length: 150 }, () => 'hanging.event'), ...Array.from({ length: 40 }, () => 'good.event'));
    const hanging = Object.assign(() => { calls.alone += 1; return new Promise<void>(() => undefined); }, { together: () => { calls.together += 1; return new Promise<void>(() => undefined); } });
    startRelay({ 'hanging.event': hanging, 'good.event': async ({ type }) => { heard.push(type); } }, backend.current.producer, { consumerTimeoutMs: 100, batchTimeMs: 200 });
    await until('the others', () => heard.length === 40);
    await until('all to be put back', async () => (await backend.current.sql("select from outbox where topic = 'hanging.event' and attempts = 1 and run_after > now()")).length === 150);
    expect(calls).to.deep.equal({ together: 3, alone: 0 });
    expect(said()).to.equal(saidBefore + 1);
  });

  it('tells of different things beside each other, so that one that is slow holds up no other, and never of more than it may at once', async () => {
    const slow = Promise.withResolvers<void>();
    const counted = { now: 0, most: 0 };
    const heard: string[] = [];
    await tell('slow.event', ...Array.from({ length: 20 }, () => 'good.event'));
    startRelay({
      'slow.event': () => slow.promise,
      'good.event': async ({ entityId }) => {
        counted.now += 1;
        counted.most = Math.max(counted.most, counted.now);
        await new Promise((resolve) => setImmediate(resolve));
        counted.now -= 1;
        heard.push(entityId);
      },
    }, backend.current.producer, { atOnce: 3 });
    await until('all the others', () => heard.length === 20);
    slow.resolve();
    await allSent();
    // The third place was the slow one's.
    expect(counted.most).to.equal(2);
  });

  it('tells many of one type together, and one by one where that fails: only the bad one comes again', async () => {
    const calls: number[] = [];
    const heard: string[] = [];
    const [bad, ...good] = Array.from({ length: 7 }, () => newId());
    const one: EventConsumer = async ({ entityId }) => {
      if (entityId === bad) throw new Error('no');
      heard.push(entityId);
    };
    const together: EventConsumer['together'] = async (events) => {
      calls.push(events.length);
      if (events.some(({ entityId }) => entityId === bad)) throw new Error('not all of them');
      heard.push(...events.map(({ entityId }) => entityId));
    };
    const emitAll = (type: string, ids: readonly string[]): Promise<void> => transact(backend.current.database.db, null, (trx) => emit(trx, ...ids.map((id) => event(type, id))));
    const many = Array.from({ length: 120 }, () => newId());
    await emitAll('many.event', many);
    startRelay({ 'many.event': Object.assign(one, { together }) });
    await allSent();
    expect([...heard].sort()).to.deep.equal([...many].sort());
    expect(calls).to.have.length(3);
    heard.length = 0;
    await emitAll('many.event', [...good, bad ?? '']);
    await until('all but one', async () => heard.length === good.length && (await unsent()) === 1);
    expect([...heard].sort()).to.deep.equal([...good].sort());
    expect(await backend.current.sql("select payload ->> 'entityId' as id, attempts from outbox where sent_at is null")).to.deep.equal([{ id: bad, attempts: 1 }]);
  });

  it('is told by a commit which of its lanes has something to send', async () => {
    const { database: { db } } = backend.current;
    const told: (string | null)[] = [];
    const listener = db.listen('outbox', (lane) => { told.push(lane); });
    try {
      await listener.ready;
      told.length = 0;
      await tell('a.one', 'a.two');
      await queue(newId());
      await transact(db, null, (trx) => enqueue(trx, [{ jobId: newId(), epoch: 0, queueClass: 'cpu', priority: 'low', turnOf: newId() }]));
      await until('three words', () => told.length >= 3);
      expect(told).to.deep.equal(['events', 'jobs', 'turns']);
    } finally {
      await listener.close();
    }
  });

  it('shares the work with others: no event is told twice, none is left', async () => {
    const heard: string[] = [];
    const types = Array.from({ length: 600 }, (_, index) => `n.${index}`);
    await transact(backend.current.database.db, null, async (trx) => {
      await trx('outbox').insert(types.map((type) => ({ kind: 'event', topic: 'counted.event', payload: JSON.stringify(event(type)) })));
    });
    const consumers = { 'counted.event': async ({ type }: { type: string }) => { heard.push(type); } };
    for (let one = 0; one < 3; one += 1) startRelay(consumers);
    await allSent();
    expect(heard).to.have.length(600);
    expect(new Set(heard).size).to.equal(600);
  });

  it('sends nothing more once it was stopped', async () => {
    const relay = startRelay();
    await queue(newId());
    await allSent();
    await relay.stop();
    await queue(newId());
    relay.wake();
    expect(await unsent()).to.equal(1);
  });
});

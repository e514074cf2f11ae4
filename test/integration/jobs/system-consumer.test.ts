import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { redisUrlOf } from '#config/connections.ts';
import { Reconciler } from '#jobs/reconciler.ts';
import { OutboxRelay } from '#jobs/relay.ts';
import { SystemJobConsumer } from '#jobs/system-consumer.ts';
import { addSystemJob, type SystemJobKind } from '#jobs/system-jobs.ts';
import { SystemRunner } from '#jobs/system-runner.ts';
import { startRedis } from '#platform/embedded/redis.ts';
import { JobProducer } from '#platform/queue.ts';
import { openRedis, redisOptions, type Redis } from '#platform/redis.ts';
import { useBackend } from '../../support/backend.ts';
import { testEnvironment, testFolder } from '../../support/services.ts';
import { until } from '../../support/until.ts';

describe('system jobs on their way', () => {
  const backend = useBackend();
  const ends: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    await backend.current.sql('delete from system_jobs; delete from outbox');
    await backend.current.redis.redis.flushdb();
  });
  afterEach(async () => { for (const end of ends.splice(0).reverse()) await end(); });

  interface On { readonly redis: Redis; readonly env: Parameters<typeof redisOptions>[0]; readonly producer: JobProducer }
  const ours = (): On => ({ redis: backend.current.redis.redis, env: backend.current.env, producer: backend.current.producer });
  const kindOf = (run: SystemJobKind['run']): SystemJobKind => ({ kind: 'test.work', timeoutMs: 10_000, run });
  /** One API process's part in it. */
  const startProcess = (run: SystemJobKind['run'], { redis, env, producer } = ours(), reconcileMs = 3_600_000): SystemJobConsumer => {
    const { database: { db }, log } = backend.current;
    const kind = kindOf(run);
    const relay = new OutboxRelay(db, producer, new Map(), log);
    const reconciler = new Reconciler({ db, redis, producer, kinds: [], systemKinds: [kind], log, everyMs: reconcileMs });
    const consumer = new SystemJobConsumer({ runner: new SystemRunner({ db, kinds: [kind], log }), redis, queueRedis: redisOptions(env, 'worker'), log });
    relay.start();
    reconciler.start();
    consumer.start();
    ends.push(async () => {
      await consumer.release();
      await consumer.close(2_000);
      await Promise.all([relay.stop(), reconciler.stop()]);
    });
    return consumer;
  };
  const add = (count: number): Promise<string[]> => backend.current.database.db.knex.transaction(async (trx) => {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) ids.push(await addSystemJob(trx, { kind: 'test.work', payload: { n } }) ?? '');
    return ids;
  });
  const statuses = async (): Promise<Record<string, number>> => Object.fromEntries(
    (await backend.current.sql<{ status: string; jobs: number }>('select status, count(*) as jobs from system_jobs group by status')).map(({ status, jobs }) => [status, jobs]));
  const allDone = (jobs: number, timeoutMs?: number): Promise<void> => until(`${jobs} jobs done`, async () => (await statuses())['succeeded'] === jobs, timeoutMs);

  it('run each once, in three processes, four at once in each, and leave nothing in Redis', async () => {
    const runs: string[] = [];
    let running = 0;
    let most = 0;
    const process = async (_payload: unknown, { jobId }: { jobId: string }): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      runs.push(jobId);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
    };
    for (let one = 0; one < 3; one += 1) startProcess(process);
    const ids = await add(120);
    await allDone(120);
    expect([...runs].sort()).to.deep.equal([...ids].sort());
    expect(most).to.be.within(5, 12);
    await until('an empty queue', async () => {
      const { waiting, active } = await backend.current.producer.depth('system', 'normal');
      return waiting + active === 0;
    });
    expect((await backend.current.redis.redis.keys('bq:system*')).filter((key) => key.endsWith(':jobs'))).to.deep.equal([]);
    expect(await backend.current.redis.redis.keys('bq:*')).to.satisfy((keys: string[]) => keys.every((key) => key.startsWith('bq:system_tasks:')));
  });

  it('come back by themselves after a failure, when their time has come', async () => {
    let tries = 0;
    startProcess(async () => { tries += 1; if (tries === 1) throw new Error('not now'); });
    await add(1);
    await until('the failure', async () => (await backend.current.sql("select 1 as one from system_jobs where status = 'queued' and attempt = 1")).length === 1);
    // As if the ten seconds had passed.
    await backend.current.sql("update system_jobs set run_after = now(); update outbox set run_after = now() where sent_at is null");
    await allDone(1);
    expect(tries).to.equal(2);
  });

  it('go to another process at once when theirs goes down in order', async () => {
    const begun = Promise.withResolvers<void>();
    const first = startProcess((_payload, { signal }) => new Promise((_, reject) => {
      begun.resolve();
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }));
    await add(1);
    await begun.promise;
    first.refuse();
    let attempts: number | null = null;
    startProcess(async (_payload, { attempt }) => { attempts = attempt; });
    await first.drain(20);
    expect(await statuses()).to.deep.equal({ running: 1 });
    await first.release();
    await allDone(1);
    expect(attempts).to.equal(1);
  });

  it('are not begun by a process that is going down', async () => {
    const consumer = startProcess(() => Promise.reject(new Error('begun all the same')));
    await consumer.drain(1_000);
    await consumer.close(2_000);
    await add(1);
    await until('its message', async () => (await backend.current.producer.depth('system', 'normal')).waiting === 1);
    expect(await statuses()).to.deep.equal({ queued: 1 });
  });

  it('are all sent again when Redis was wiped while they waited', async () => {
    const { producer, redis: { redis } } = backend.current;
    await backend.current.reconciler().reconcile();
    const relay = backend.current.relay();
    relay.start();
    await add(20);
    await until('their messages', async () => (await producer.depth('system', 'normal')).waiting === 20);
    await relay.stop();
    await redis.flushdb();
    let runs = 0;
    startProcess(async () => { runs += 1; }, ours(), 50);
    await allDone(20);
    expect(runs).to.equal(20);
  });

  it('are sent again one by one where a single message was lost', async () => {
    const { producer, redis: { redis }, sql } = backend.current;
    await backend.current.reconciler().reconcile();
    const [id] = await add(1);
    await sql('update outbox set sent_at = now()');
    await backend.current.reconciler().reconcile();
    expect(await sql('select epoch from system_jobs'), 'so soon it may be on its way').to.deep.equal([{ epoch: 0 }]);
    await backend.current.database.db.knex.transaction(async (trx) => {
      await trx.raw('set local session_replication_role = replica');
      await trx.raw("update system_jobs set updated_at = now() - interval '21 seconds', run_after = now() - interval '21 seconds'");
    });
    await backend.current.reconciler().reconcile();
    await backend.current.reconciler().reconcile();
    expect(await sql('select epoch from system_jobs')).to.deep.equal([{ epoch: 1 }]);
    expect(await sql("select (payload ->> 'epoch')::int as epoch from outbox where payload ->> 'jobId' = ? and sent_at is null", [id])).to.deep.equal([{ epoch: 1 }]);
    expect([await producer.holds('system', 'normal', { jobId: id ?? '', epoch: 0 }), await redis.exists('bq:system_tasks:waiting')]).to.deep.equal([false, 0]);
  });

  it('run by themselves within 30 s once Redis, which was away and comes back empty, is there again', async function () {
    this.timeout(90_000);
    const folder = join(testFolder(), 'redis-that-goes');
    mkdirSync(folder, { recursive: true });
    const start = () => startRedis({ folder, logFile: join(folder, 'redis.log'), path: process.env['PATH'] ?? '' });
    let server = await start();
    ends.push(() => server.stop());
    const env = await testEnvironment({ REDIS_URL: redisUrlOf(server.address) });
    const redis = openRedis(env);
    const producer = new JobProducer(redisOptions(env, 'producer'), backend.current.log);
    ends.push(async () => { redis.disconnect(); await producer.close(); });
    const runs: string[] = [];
    // Twice the reconciler's usual pace; the rest waits as it does in production.
    startProcess(async (_payload, { jobId }) => { runs.push(jobId); }, { redis, env, producer }, 7_000);
    await add(3);
    await allDone(3);
    await server.stop();
    const waiting = await add(3);
    await until('a send that failed', () => backend.current.logLines.some((line) => line.includes('outbox.relay')));
    expect(await statuses()).to.deep.equal({ succeeded: 3, queued: 3 });
    server = await start();
    await allDone(6, 30_000);
    expect(runs.slice(3).sort()).to.deep.equal(waiting.sort());
  });

  it('wait for a Redis that is not there at the start', async function () {
    this.timeout(60_000);
    const folder = join(testFolder(), 'redis-that-comes');
    mkdirSync(folder, { recursive: true });
    const start = () => startRedis({ folder, logFile: join(folder, 'redis.log'), path: process.env['PATH'] ?? '' });
    let server = await start();
    const env = await testEnvironment({ REDIS_URL: redisUrlOf(server.address) });
    await server.stop();
    const redis = openRedis(env);
    const producer = new JobProducer(redisOptions(env, 'producer'), backend.current.log);
    ends.push(() => server.stop(), async () => { redis.disconnect(); await producer.close(); });
    startProcess(() => Promise.resolve(), { redis, env, producer });
    await add(2);
    await until('that it is said', () => backend.current.logLines.some((line) => line.includes('system_jobs.wait')));
    server = await start();
    await allDone(2, 30_000);
  });
});

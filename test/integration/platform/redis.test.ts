import { Socket } from 'node:net';
import Queue from 'bee-queue';
import { expect } from 'chai';
import { findOnPath } from '#platform/embedded/processes.ts';
import { openRedis, openSubscriber, redisOptions, redisReady } from '#platform/redis.ts';
import type { Environment } from '#config/environment.ts';
import { startRedisFor, testEnvironment } from '../../support/services.ts';

const kinds: { name: string; path: string; program: string }[] = [{ name: 'the built-in Redis', path: '', program: 'js-redis-server' }];
const real = findOnPath(['redis-server', 'valkey-server'], process.env['PATH'] ?? '');
// Where there is a real one, everything is shown on both; CI has one (services.ts insists on it).
if (real !== null) kinds.push({ name: 'a real Redis server', path: process.env['PATH'] ?? '', program: real.replace(/.*\//, '') });

for (const kind of kinds) {
  describe(`with ${kind.name}`, () => {
    let env: Environment;
    before(async () => {
      const started = await startRedisFor(`own-${kind.program}`, kind.path);
      expect(started.redisProgram).to.equal(kind.program);
      env = await testEnvironment({ REDIS_URL: started.redisUrl });
    });

    it('runs commands, pipelines, transactions and Lua', async () => {
      const redis = openRedis(env);
      await redisReady(redis);
      try {
        const [set, get] = await Promise.all([redis.set('k', 'v', 'PX', 60_000), redis.get('k')]);
        expect([set, get]).to.deep.equal(['OK', 'v']);
        expect(await redis.multi().incr('n').expire('n', 60).exec()).to.deep.equal([[null, 1], [null, 1]]);
        redis.defineCommand('gate', { numberOfKeys: 2, lua: `local n = redis.call('INCRBY', KEYS[1], ARGV[1]); if n == tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], 60000) end; return {n, redis.call('PTTL', KEYS[1]) > 0 and 1 or 0, redis.call('EXISTS', KEYS[2])}` });
        const gate = (redis as unknown as { gate(...args: (string | number)[]): Promise<number[]> }).gate.bind(redis);
        expect(await Promise.all([gate('rate:{a}', 'revoked:{a}', 1), gate('rate:{a}', 'revoked:{a}', 1)])).to.deep.equal([[1, 1, 0], [2, 1, 0]]);
      } finally {
        redis.disconnect();
      }
    });

    it('refuses whoever has no password', async () => {
      const redis = openRedis({ redis: env.redis === null ? null : { ...env.redis, password: null } });
      try {
        const failure = await redisReady(redis, 2_000).then(() => redis.ping(), (error: unknown) => error).catch((error: unknown) => error);
        expect(failure).to.be.instanceOf(Error);
      } finally {
        redis.disconnect();
      }
    });

    it('carries published messages to every subscriber of the channel, and to none that left', async () => {
      const redis = openRedis(env);
      await redisReady(redis);
      const subscriber = openSubscriber(env);
      try {
        const first: string[] = [];
        const second: string[] = [];
        const arrived = Promise.withResolvers<void>();
        const leave = await subscriber.subscribe('events:1', (message) => first.push(message));
        await subscriber.subscribe('events:1', (message) => {
          second.push(message);
          if (message === 'two') arrived.resolve();
        });
        await redis.publish('events:1', 'one');
        await redis.publish('events:other', 'not ours');
        // The first message is on its way on the same connection as this answer.
        await redis.ping();
        while (second.length === 0) await new Promise((resolve) => setImmediate(resolve));
        await leave();
        await redis.publish('events:1', 'two');
        await arrived.promise;
        expect(first).to.deep.equal(['one']);
        expect(second).to.deep.equal(['one', 'two']);
      } finally {
        subscriber.close();
        redis.disconnect();
      }
    });

    it('runs bee-queue: every job once, those of a waiting worker and those that were there before it', async () => {
      const settings = { getEvents: false, storeJobs: false, removeOnSuccess: true, sendEvents: false };
      const producer = new Queue<{ n: number }>('test_tasks', { ...settings, isWorker: false, redis: redisOptions(env, 'producer') });
      const worker = new Queue<{ n: number }>('test_tasks', { ...settings, redis: redisOptions(env, 'worker') });
      const errors: Error[] = [];
      producer.on('error', (error) => errors.push(error));
      worker.on('error', (error) => errors.push(error));
      try {
        await producer.ready();
        for (let n = 0; n < 20; n += 1) await producer.createJob({ n }).setId(`job-${n}.1`).save();
        const again = await producer.createJob({ n: 0 }).setId('job-0.1').save();
        expect(again.id, 'an id that is there is not enqueued again').to.equal(null);
        const done: number[] = [];
        const all = Promise.withResolvers<void>();
        worker.process(4, async (job) => {
          done.push(job.data.n);
          if (done.length === 40) all.resolve();
        });
        while (done.length < 20) await new Promise((resolve) => setTimeout(resolve, 5));
        // The worker now waits in BRPOPLPUSH.
        await Promise.all(Array.from({ length: 20 }, (_, n) => producer.createJob({ n: 20 + n }).setId(`job-${20 + n}.1`).save()));
        await all.promise;
        expect([...done].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 40 }, (_, n) => n));
        expect(errors).to.deep.equal([]);
      } finally {
        await worker.close(1_000);
        await producer.close(1_000);
      }
    });

    it('has the kernel ask after ten seconds whether a connection of bee-queue still stands, as one that waits for a message sends nothing itself', async () => {
      const asked: unknown[] = [];
      const setKeepAlive = Socket.prototype.setKeepAlive;
      Socket.prototype.setKeepAlive = function (this: Socket, ...how: unknown[]): Socket {
        asked.push(how);
        return setKeepAlive.apply(this, how as Parameters<typeof setKeepAlive>);
      };
      const worker = new Queue('test_kept', { getEvents: false, redis: redisOptions(env, 'worker') });
      try {
        await worker.ready();
        expect(asked).to.deep.equal([[true, 10_000], [true, 10_000]]);
      } finally {
        Socket.prototype.setKeepAlive = setKeepAlive;
        await worker.close(1_000);
      }
    });

    it('runs bee-queue\'s delayed jobs, and gives another worker the job of one that went away', async () => {
      const settings = { getEvents: false, storeJobs: false, sendEvents: false, stallInterval: 100, activateDelayedJobs: true };
      const lost = new Queue<{ n: number }>('test_stalled', { ...settings, redis: redisOptions(env, 'worker') });
      const other = new Queue<{ n: number }>('test_stalled', { ...settings, redis: redisOptions(env, 'worker') });
      lost.on('error', () => undefined);
      other.on('error', () => undefined);
      try {
        await Promise.all([lost.ready(), other.ready()]);
        const taken = Promise.withResolvers<void>();
        lost.process(() => {
          taken.resolve();
          return new Promise<never>(() => undefined);
        });
        await lost.createJob({ n: 7 }).delayUntil(Date.now() + 50).save();
        await taken.promise;
        // It goes away in the middle of the job, which close() reports as an error.
        await lost.close(10).catch(() => undefined);
        const done = Promise.withResolvers<number>();
        other.process(async (job) => done.resolve(job.data.n));
        other.checkStalledJobs(50, () => undefined);
        expect(await done.promise).to.equal(7);
      } finally {
        await other.close(1_000);
      }
    });
  });
}

describe('Redis that is away', () => {
  const away = (): Promise<Environment> => testEnvironment({ REDIS_URL: 'redis://:password1@127.0.0.1:1/0' });

  it('fails a command at once instead of keeping it', async () => {
    const redis = openRedis(await away());
    try {
      const startedAt = performance.now();
      expect(await redis.get('k').catch((error: unknown) => error)).to.be.instanceOf(Error);
      expect(performance.now() - startedAt).to.be.lessThan(1_000);
    } finally {
      redis.disconnect();
    }
  });

  it('is told by redisReady within its time', async () => {
    const redis = openRedis(await away());
    try {
      expect(await redisReady(redis, 100).catch((error: unknown) => error)).to.have.property('name', 'DeadlineError');
    } finally {
      redis.disconnect();
    }
  });

  it('is logged once when it goes, not at every attempt', async () => {
    const said: string[] = [];
    const log = { warn: (type: string) => void said.push(type), info: (type: string) => void said.push(type) };
    const redis = openRedis(await away(), log);
    try {
      let attempts = 0;
      const tried = Promise.withResolvers<void>();
      redis.on('reconnecting', () => {
        attempts += 1;
        if (attempts === 3) tried.resolve();
      });
      await tried.promise;
      expect(said).to.deep.equal(['redis.away']);
    } finally {
      redis.disconnect();
    }
  });
});

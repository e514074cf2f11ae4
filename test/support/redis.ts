import { Redis } from 'ioredis';
import type { Environment } from '#config/environment.ts';
import { openRedis, redisReady } from '#platform/redis.ts';
import { testEnvironment, testServices } from './services.ts';

export interface TestRedis {
  readonly redis: Redis;
  /** The environment in which `redis` is this database. */
  readonly env: Environment;
  readonly url: string;
  /** Closes `redis` and fails if anybody else is still connected to this database. */
  close(): Promise<void>;
}

const databases = 15;
let last = 0;

/** An empty Redis database (1 to 15 in turn; 0 is left alone), with a client that is ready. */
export async function freshRedis(more: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
  last = (last % databases) + 1;
  const number = last;
  const url = new URL((await testServices()).redisUrl);
  url.pathname = `/${number}`;
  const env = await testEnvironment({ REDIS_URL: url.href, ...more });
  const redis = openRedis(env);
  await redisReady(redis);
  await redis.flushdb();
  return {
    redis, env, url: url.href,
    close: async () => {
      redis.disconnect();
      // The built-in server keeps listing clients that went away while they waited for an element: nothing to be learned from it.
      if ((await testServices()).redisProgram === 'js-redis-server') return;
      const left = await connectionsTo(number);
      if (left.length > 0) throw new Error(`Connections to Redis were left open: ${left.join('; ')}`);
    },
  };
}

/** One fresh database for the tests of a file (or of a describe). Read it inside tests only. */
export function useRedis(more: Readonly<Record<string, string>> = {}): { readonly current: TestRedis } {
  let present: TestRedis | null = null;
  before('a fresh Redis database', async () => {
    present = await freshRedis(more);
  });
  after('close Redis', async () => {
    const ended = present;
    present = null;
    await ended?.close();
  });
  return {
    get current() {
      if (present === null) throw new Error('Redis is there inside tests and hooks only.');
      return present;
    },
  };
}

/** Who is connected to a database after up to two seconds of grace. */
async function connectionsTo(number: number): Promise<string[]> {
  const admin = new Redis((await testServices()).redisUrl, { maxRetriesPerRequest: 0, connectTimeout: 2_000, commandTimeout: 2_000 });
  admin.on('error', () => undefined);
  try {
    const endAt = Date.now() + 2_000;
    for (;;) {
      const list = String(await admin.call('CLIENT', 'LIST'));
      const left = list.split('\n').filter((line) => line.split(' ').includes(`db=${number}`));
      if (left.length === 0 || Date.now() > endAt) return left;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    admin.disconnect();
  }
}

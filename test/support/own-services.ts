/** A PostgreSQL and a Redis that belong to one test, so that it may crash and wipe them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { databaseUrlOf } from '#config/connections.ts';
import { startPostgres } from '#platform/embedded/postgres.ts';
import { endProcess } from '#platform/embedded/processes.ts';
import { migrateUp } from '#platform/migrate.ts';
import { openRedis, redisReady } from '#platform/redis.ts';
import { endWithUs, startRedisFor, testEnvironment, testFolder } from './services.ts';
import type { SystemDatabase, SystemRedis } from './system.ts';

export interface OwnPostgres extends SystemDatabase {
  /** Ends it at once, as a crash would, and starts it anew on the same port; resolves when it answers again. */
  restart(): Promise<void>;
}

/** Migrated. Its commits survive its crash: only `fsync` is off, which is for crashes of the machine. */
export async function startOwnPostgres(name: string): Promise<OwnPostgres> {
  const folder = join(testFolder(), name);
  mkdirSync(folder, { recursive: true });
  const start = async () => {
    const started = await startPostgres({ folder: join(folder, 'home'), logFile: join(folder, 'postgres.log'), settings: { fsync: 'off' } });
    return { started, letGo: endWithUs(started.process.pid, 'INT') };
  };
  let now = await start();
  const url = databaseUrlOf(now.started.address);
  await migrateUp(await testEnvironment({ DATABASE_URL: url }));
  return {
    url,
    restart: async () => {
      now.letGo();
      if (!(await endProcess(now.started.process, [['SIGQUIT', 10_000]]))) throw new Error('PostgreSQL does not end.');
      now = await start();
      if (databaseUrlOf(now.started.address) !== url) throw new Error('PostgreSQL came back on another port.');
    },
    drop: async () => {
      now.letGo();
      await now.started.stop();
    },
  };
}

/** A server of its own where there is one on PATH; it ends with the run. */
export async function startOwnRedis(name: string): Promise<SystemRedis> {
  const { redisUrl } = await startRedisFor(name, process.env['PATH'] ?? '');
  const redis = openRedis(await testEnvironment({ REDIS_URL: redisUrl }));
  await redisReady(redis);
  return { redis, url: redisUrl, close: async () => { redis.disconnect(); } };
}

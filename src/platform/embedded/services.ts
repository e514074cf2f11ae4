import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { databaseUrlOf, redisUrlOf } from '#config/connections.ts';
import type { Environment } from '#config/environment.ts';
import { pause } from '../deadline.ts';
import { startPostgres, type EmbeddedPostgres } from './postgres.ts';
import { runsStill, type ProcessIdentity } from './processes.ts';
import { startRedis, type EmbeddedRedis } from './redis.ts';

/** What was started because nothing was configured in its place. */
export interface EmbeddedServices {
  readonly postgres: EmbeddedPostgres | null;
  readonly redis: EmbeddedRedis | null;
  /** DATABASE_URL and REDIS_URL of what was started, for the children's environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** Redis, then PostgreSQL; each is tried whatever became of the other. */
  stop(): Promise<void>;
  stopNow(): void;
}

/** Starts PostgreSQL and Redis, each only where the environment names none, both at once. Never in production. */
export async function startServices(env: Environment, path: string, onCrash: (message: string) => void): Promise<EmbeddedServices> {
  if (env.production) throw new Error('Nothing embedded starts in production.');
  const logs = join(env.dataDir, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o755 });
  const postgresOptions = { folder: join(env.dataDir, 'postgres'), logFile: join(logs, 'postgres.log') };
  const redisOptions = { folder: join(env.dataDir, 'redis'), logFile: join(logs, 'redis.log'), path };
  const [postgresStart, redisStart] = await Promise.allSettled([
    env.database === null ? startPostgres(postgresOptions) : null,
    env.redis === null ? startRedis(redisOptions) : null,
  ]);
  let postgres = postgresStart.status === 'fulfilled' ? postgresStart.value : null;
  let redis = redisStart.status === 'fulfilled' ? redisStart.value : null;
  const watching = new AbortController();

  const stop = async (): Promise<void> => {
    watching.abort(new Error('The services are being stopped.'));
    const results = await Promise.allSettled([redis?.stop()]);
    results.push(...(await Promise.allSettled([postgres?.stop()])));
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  };
  if (postgresStart.status === 'rejected' || redisStart.status === 'rejected') {
    await stop();
    throw postgresStart.status === 'rejected' ? postgresStart.reason : redisStart.status === 'rejected' ? redisStart.reason : null;
  }

  if (postgres !== null) {
    void watch('PostgreSQL', postgres.process, watching.signal, onCrash, async () => (postgres = await startPostgres(postgresOptions)).process);
  }
  if (redis !== null) {
    void watch('Redis', redis.process, watching.signal, onCrash, async () => (redis = await startRedis(redisOptions)).process);
  }
  return {
    get postgres() {
      return postgres;
    },
    get redis() {
      return redis;
    },
    variables: {
      ...(postgres === null ? {} : { DATABASE_URL: databaseUrlOf(postgres.address) }),
      ...(redis === null ? {} : { REDIS_URL: redisUrlOf(redis.address) }),
    },
    stop,
    stopNow: () => {
      watching.abort(new Error('The services are being stopped.'));
      redis?.stopNow();
      postgres?.stopNow();
    },
  };
}

/**
 * Looks every two seconds whether a service still runs (an adopted one is no child of ours, so nobody tells us) and
 * starts it again where it ran before. A port that was taken meanwhile would make it unreachable for the children; the
 * crash message then says so by the children's own errors, and the next npm start puts it right.
 */
async function watch(
  name: string, first: ProcessIdentity, signal: AbortSignal, onCrash: (message: string) => void, start: () => Promise<ProcessIdentity>,
): Promise<void> {
  let identity = first;
  let waitMs = 2_000;
  while (!signal.aborted) {
    await pause(waitMs, signal).catch(() => undefined);
    if (signal.aborted || runsStill(identity)) continue;
    onCrash(`${name} ended, starting it again`);
    try {
      identity = await start();
      waitMs = 2_000;
    } catch (error) {
      onCrash(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`);
      waitMs = Math.min(waitMs * 2, 60_000);
    }
  }
}

/**
 * PostgreSQL and Redis for tests: those of DATABASE_URL and REDIS_URL where they are set, else started once per run, at
 * the first test that asks, and taken away with it. CI=true requires a real redis-server; elsewhere the built-in one
 * stands in when there is none.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseUrlOf, redisUrlOf } from '#config/connections.ts';
import { readEnvironment, type Environment } from '#config/environment.ts';
import { startPostgres } from '#platform/embedded/postgres.ts';
import { findOnPath } from '#platform/embedded/processes.ts';
import { startRedis } from '#platform/embedded/redis.ts';

export interface TestServices {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** `redis-server`, `valkey-server`, `js-redis-server`, or `given` for REDIS_URL. */
  readonly redisProgram: string;
  /** A folder of this run, for DATA_DIR and files; removed at its end. */
  readonly folder: string;
}

let starting: Promise<TestServices> | null = null;
const endings: (() => Promise<void> | void)[] = [];
let runFolder: string | null = null;

/** The services of this run, started at the first call. */
export function testServices(): Promise<TestServices> {
  starting ??= start();
  return starting;
}

/** A folder of this run; removed at its end. */
export function testFolder(): string {
  if (runFolder === null) {
    runFolder = mkdtempSync(join(tmpdir(), 'hivesync-test-'));
    // Root's PostgreSQL runs as an account of its own, which must get through.
    chmodSync(runFolder, 0o755);
    const folder = runFolder;
    endings.unshift(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  }
  return runFolder;
}

/** The environment of a test process: the run's services, and what the test sets beside them. */
export async function testEnvironment(more: Readonly<Record<string, string>> = {}): Promise<Environment> {
  const { databaseUrl, redisUrl, folder } = await testServices();
  return readEnvironment(
    { NODE_ENV: 'test', DATA_DIR: join(folder, 'data'), DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, LOG_LEVEL: 'warn', ...more },
    { directory: folder },
  );
}

async function start(): Promise<TestServices> {
  const folder = testFolder();
  const [databaseUrl, redis] = await Promise.all([givenOr('DATABASE_URL', startTestPostgres), startTestRedis()]);
  return { databaseUrl, ...redis, folder };
}

const givenOr = async (name: string, make: () => Promise<string>): Promise<string> => process.env[name] || (await make());

async function startTestPostgres(): Promise<string> {
  const folder = serviceFolder('postgres');
  const postgres = await startPostgres({
    folder: join(folder, 'home'),
    logFile: join(folder, 'postgres.log'),
    // Nothing here has to survive a power failure.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
  });
  endings.push(endWithUs(postgres.process.pid, 'INT'));
  endings.push(() => postgres.stop());
  return databaseUrlOf(postgres.address);
}

async function startTestRedis(): Promise<{ redisUrl: string; redisProgram: string }> {
  const given = process.env['REDIS_URL'];
  if (given) return { redisUrl: given, redisProgram: 'given' };
  const path = process.env['PATH'] ?? '';
  if (process.env['CI'] === 'true' && findOnPath(['redis-server', 'valkey-server'], path) === null) {
    throw new Error('CI needs redis-server or valkey-server on PATH, or REDIS_URL.');
  }
  return await startRedisFor('redis', path);
}

/** A Redis of its own, for tests that compare or stop one. `path` empty: the built-in one. Ends with the run. */
export async function startRedisFor(name: string, path: string): Promise<{ redisUrl: string; redisProgram: string }> {
  const folder = serviceFolder(name);
  const redis = await startRedis({ folder, logFile: join(folder, 'redis.log'), path });
  endings.push(endWithUs(redis.process.pid, 'TERM'));
  endings.push(() => redis.stop());
  return { redisUrl: redisUrlOf(redis.address), redisProgram: redis.program };
}

function serviceFolder(name: string): string {
  const folder = join(testFolder(), name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Binds a process to ours: a shell that reads from a pipe we hold open, and, when the pipe ends with us however we end,
 * sends the signal. Gives the function that lets go of it.
 */
export function endWithUs(pid: number, signal: 'INT' | 'TERM'): () => void {
  const shell = spawn('/bin/sh', ['-c', 'trap "" INT TERM; read line; test "$line" = done || kill -s "$1" "$2"', 'sh', signal, String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'], detached: true,
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  const stdin: unknown = shell.stdin;
  if (typeof stdin === 'object' && stdin !== null && 'unref' in stdin && typeof stdin.unref === 'function') (stdin as { unref(): void }).unref();
  return () => {
    shell.stdin.end('done\n');
  };
}

/** Stops what was started, the last first, and removes the run's folder. */
export async function stopTestServices(): Promise<void> {
  const failures: unknown[] = [];
  for (const end of endings.splice(0).reverse()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  starting = null;
  runFolder = null;
  if (failures.length > 0) throw new AggregateError(failures, 'The services of the tests did not stop well.');
}

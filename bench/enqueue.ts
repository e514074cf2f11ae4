/**
 * From the transaction that asks for work to the claim that starts it, at 200 jobs a second: outbox, relay, queue,
 * admission and the signed claim, with one API process, one worker process, PostgreSQL and Redis on this machine. Every job
 * runs its whole life: it is claimed, reported, and people are told.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { databaseUrlOf, redisUrlOf } from '#config/connections.ts';
import { readEnvironment } from '#config/environment.ts';
import { type Database, openDatabase } from '#platform/database.ts';
import { startPostgres } from '#platform/embedded/postgres.ts';
import { pickPort } from '#platform/embedded/processes.ts';
import { startRedis } from '#platform/embedded/redis.ts';
import { newId } from '#platform/ids.ts';
import { migrateUp } from '#platform/migrate.ts';
import type { Benchmark } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The last is what is wished for; the others show where it begins to queue. */
const rates = [25, 100, 200] as const;
const secondsOfRound = 5;
/** So many that nobody has two jobs waiting: whose turn it is is another question. */
const people = 400;
const endWithinMs = 180_000;

interface Rig { readonly db: Database; readonly projects: readonly { readonly userId: string; readonly projectId: string }[] }

const benchmark: Benchmark = {
  name: 'enqueue',
  about: [
    `${rates.join(', ')} jobs a second come evenly, ${secondsOfRound} s of each rate a round, each in a transaction of its own, of ${people} accounts; every job has ended and been told before the next rate begins.`,
    'Measured by the database\'s clock, from the start of the transaction that asks to that of the claim. The whole machine is shared: load generator, API with relay, worker, PostgreSQL and Redis.',
  ],
  async run(say, rounds) {
    return withRig(say, async (rig) => {
      await drive(rig, 100, 2);
      const timesOf = rates.map((): number[] => []);
      for (let round = 1; round <= rounds; round += 1) {
        say(`Round ${round} of ${rounds}`);
        for (const [nth, rate] of rates.entries()) timesOf[nth]?.push(...await drive(rig, rate, secondsOfRound));
      }
      return rates.map((rate, nth) => ({
        name: `asked for → claimed, ${rate} jobs/s`, ours: { name: 'HiveSync', timesMs: timesOf[nth] ?? [] }, others: [],
        ...(rate === rates.at(-1) ? { wished: 'median < 20 ms, p99 < 100 ms' } : {}),
      }));
    });
  },
};
export default benchmark;

/** Jobs that have not ended, and what people have not been told yet: it would burden the next rate. */
const openSql = `
  select (select count(*) from preview_jobs where id = any($1::uuid[]) and completed_at is null) as open,
         (select count(*) from outbox where sent_at is null) as untold`;

/** Asks for jobs at the rate for so many seconds, waits until all have ended and been told, and answers how long each waited, in milliseconds. */
async function drive({ db, projects }: Rig, jobsPerSecond: number, seconds: number): Promise<number[]> {
  const count = jobsPerSecond * seconds;
  const ids = Array.from({ length: count }, () => newId());
  const startedAt = performance.now();
  // At its moment, whether those before have been answered or not: a system that is slow is not asked more slowly.
  await Promise.all(ids.map(async (id, nth) => {
    const atMs = startedAt + (nth * 1_000) / jobsPerSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - performance.now())));
    const owner = projects[nth % projects.length];
    if (owner !== undefined) await ask(db, id, owner.userId, owner.projectId);
  }));
  const endAt = performance.now() + endWithinMs;
  for (;;) {
    const [left] = await db.named<{ open: number; untold: number }>('bench.open', openSql, [ids]);
    if (left?.open === 0 && left.untold === 0) break;
    if (performance.now() > endAt) throw new Error(`${left?.open ?? '?'} of ${count} jobs did not end, ${left?.untold ?? '?'} events are not told.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const rows = await db.named<{ waited: number }>('bench.waited', 'select extract(epoch from started_at - queued_at)::float8 * 1000 as waited from preview_jobs where id = any($1::uuid[])', [ids]);
  return rows.map(({ waited }) => Number(waited));
}

/** What the service and enqueue() write when the last upload is there, as one statement: who asks is to burden the machine little. */
const askSql = `
  with asked as (
    insert into preview_jobs (id, project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, file_count, source_bytes, max_build_ms, queue_class, queue_priority, queued_at)
    values ($1, $2, $3, 'pro', '0.88.1', 'ios', 'index.js', 'development', 0, 0, 60000, 'cpu', 'normal', now()) returning id, epoch, requested_by, queue_class, queue_priority
  )
  insert into outbox (kind, topic, payload, turn_of, job_id, epoch)
  select 'job', queue_class || ':' || queue_priority, jsonb_build_object('jobId', id, 'epoch', epoch, 'queueClass', queue_class, 'priority', queue_priority), requested_by, id, epoch from asked`;

const ask = async (db: Database, id: string, userId: string, projectId: string): Promise<void> => void await db.named('bench.ask', askSql, [id, projectId, userId]);

async function withRig<T>(say: (line: string) => void, work: (rig: Rig) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hivesync-bench-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 5 })];
  try {
    const postgres = await startPostgres({ folder: join(folder, 'postgres'), logFile: join(folder, 'postgres.log') });
    ends.push(() => postgres.stop());
    const redis = await startRedis({ folder: join(folder, 'redis'), logFile: join(folder, 'redis.log'), path: process.env['PATH'] ?? '' });
    ends.push(() => redis.stop());
    const port = await pickPort(null);
    const variables = {
      PATH: process.env['PATH'], HOME: folder, DATA_DIR: folder, DATABASE_URL: databaseUrlOf(postgres.address), REDIS_URL: redisUrlOf(redis.address),
      PORT: String(port), BASE_URL: `http://127.0.0.1:${port}`, LOG_LEVEL: 'error', CONTRACT_REFEREE: 'off', WORKER_CONCURRENCY: '16',
    };
    say(`PostgreSQL and ${redis.program} are up; an API and a worker start.`);
    const env = readEnvironment(variables, { directory: folder, role: 'api' });
    await migrateUp(env);
    const db = openDatabase(env);
    ends.push(() => db.close());
    const api = start('src/api.ts', variables);
    ends.push(() => end(api));
    await answering(variables.BASE_URL, api);
    const worker = start('bench/enqueue-worker.ts', variables);
    ends.push(() => end(worker));
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('exit', () => reject(new Error('The worker ended.')));
    });
    return await work({ db, projects: await populate(db) });
  } finally {
    for (const step of ends.reverse()) await step();
  }
}

const start = (file: string, env: NodeJS.ProcessEnv): ChildProcess =>
  spawn(process.execPath, [file], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => { child.once('exit', resolve); });
  child.kill('SIGTERM');
  await gone;
}

async function answering(baseUrl: string, api: ChildProcess): Promise<void> {
  for (;;) {
    if (api.exitCode !== null) throw new Error('The API ended.');
    if ((await fetch(`${baseUrl}/health`).catch(() => null))?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function populate(db: Database): Promise<Rig['projects']> {
  const made = Array.from({ length: people }, (_, nth) => ({ nth, userId: newId(), projectId: newId() }));
  await db.knex('users').insert(made.map(({ nth, userId }) => ({ id: userId, email: `bench${nth}@example.com`, username: `bench${nth}`, password_hash: '-', tier: 'pro' })));
  await db.knex('projects').insert(made.map(({ userId, projectId }) => ({ id: projectId, owner_id: userId, name: 'Bench', metadata: {}, settings: {} })));
  return made;
}

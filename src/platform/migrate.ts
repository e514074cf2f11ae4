/**
 * Migrations: Knex's, from `migrations/*.ts` (run by Node as they are), under a PostgreSQL advisory lock. Knex's own lock
 * is a row that a killed migration leaves behind for ever; the advisory lock goes with the connection, and whoever holds
 * it may clear that row.
 *
 * By hand: `node src/platform/migrate.ts up | down | status` (with the environment that names the database).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import pg from 'pg';
import { readEnvironment } from '#config/environment.ts';
import { type Database, openDatabase } from './database.ts';
import { clientConfig, requireAddress, type DatabaseEnvironment } from './database/pool.ts';
import { pause } from './deadline.ts';

const directory = fileURLToPath(new URL('../../migrations', import.meta.url));
/** Any constant nobody else uses: "hive" and "migr" as bytes. */
const advisoryLock = '7523094288207243122';
/** Another process may be migrating: a new replica waits for it this long. */
const lockWaitMs = 120_000;
/** One migration may build an index over a large table. */
const statementTimeoutMs = 600_000;

class FolderSource implements Knex.MigrationSource<string> {
  async getMigrations(): Promise<string[]> {
    return readdirSync(directory).filter((name) => /^\d{4}_[a-z0-9_]+\.ts$/.test(name)).sort();
  }

  getMigrationName(name: string): string {
    // Without its ending: the name in the database must not depend on how the file is run.
    return name.replace(/\.ts$/, '');
  }

  async getMigration(name: string): Promise<Knex.Migration> {
    return (await import(pathToFileURL(join(directory, name)).href)) as Knex.Migration;
  }
}

const config = (): Knex.MigratorConfig => ({ migrationSource: new FolderSource(), tableName: 'migrations' });

export interface MigrationState {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
}

/** Applies every pending migration, each in a transaction of its own unless it opts out. Gives the names applied now. */
export async function migrateUp(env: DatabaseEnvironment): Promise<readonly string[]> {
  return await underLock(env, async (knex) => namesOf(await knex.migrate.latest(config())));
}

/** Takes back the newest `steps` migrations, the newest first (all of them by default). Gives the names taken back. */
export async function migrateDown(env: DatabaseEnvironment, steps = Number.POSITIVE_INFINITY): Promise<readonly string[]> {
  return await underLock(env, async (knex) => {
    const undone: string[] = [];
    while (undone.length < steps) {
      const names = namesOf(await knex.migrate.down(config()));
      if (names.length === 0) break;
      undone.push(...names);
    }
    return undone;
  });
}

/** What has been applied and what has not; changes nothing but Knex's own table. */
export async function migrationState(env: DatabaseEnvironment): Promise<MigrationState> {
  return await underLock(env, async (knex) => {
    const [applied, pending] = (await knex.migrate.list(config())) as [{ name: string }[], string[]];
    return { applied: applied.map(({ name }) => name), pending: pending.map((name) => name.replace(/\.ts$/, '')) };
  });
}

/** The migrations a database still lacks, read without changing anything: all of them where it has no schema yet. */
export async function missingMigrations(db: Pick<Database, 'named'>): Promise<readonly string[]> {
  const source = new FolderSource();
  const names = (await source.getMigrations()).map((name) => source.getMigrationName(name));
  const [table] = await db.named<{ is_there: boolean }>('migrations.table', "select to_regclass('migrations') is not null as is_there", []);
  if (table?.is_there !== true) return names;
  const applied = new Set((await db.named<{ name: string }>('migrations.applied', 'select name from migrations', [])).map(({ name }) => name));
  return names.filter((name) => !applied.has(name));
}

const namesOf = (answer: unknown): string[] => {
  const [, names] = answer as [number, string[]];
  return names.map((name) => name.replace(/\.ts$/, ''));
};

async function underLock<T>(env: DatabaseEnvironment, work: (knex: Knex) => Promise<T>): Promise<T> {
  const holder = new pg.Client(clientConfig(requireAddress(env), statementTimeoutMs, 'hivesync migrate'));
  holder.on('error', () => undefined);
  await holder.connect();
  const db = openDatabase({ ...env, postgresPoolSize: 2, postgresStatementTimeoutMs: statementTimeoutMs });
  try {
    await takeLock(holder);
    await db.knex.migrate.forceFreeMigrationsLock(config());
    return await work(db.knex);
  } finally {
    await db.close();
    await holder.end();
  }
}

/** By asking again and again rather than by waiting inside the server: that would hold a snapshot and block CREATE INDEX CONCURRENTLY. */
async function takeLock(holder: pg.Client): Promise<void> {
  const endAt = Date.now() + lockWaitMs;
  for (;;) {
    const { rows } = await holder.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [advisoryLock]);
    if (rows[0]?.taken === true) return;
    if (Date.now() > endAt) throw new Error(`Another process has been migrating for more than ${lockWaitMs / 1000} seconds.`);
    await pause(200);
  }
}

if (import.meta.main) {
  const env = readEnvironment();
  const command = process.argv[2];
  if (command === 'up') console.log((await migrateUp(env)).map((name) => `applied ${name}`).join('\n') || 'nothing to apply');
  else if (command === 'down') console.log((await migrateDown(env, 1)).map((name) => `took back ${name}`).join('\n') || 'nothing to take back');
  else if (command === 'status') {
    const state = await migrationState(env);
    for (const name of state.applied) console.log(`applied  ${name}`);
    for (const name of state.pending) console.log(`pending  ${name}`);
  } else {
    console.error('Usage: migrate.ts up | down | status');
    process.exitCode = 2;
  }
}

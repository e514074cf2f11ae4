import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Environment } from '#config/environment.ts';
import { openDatabase, type Database } from '#platform/database.ts';
import { migrateUp } from '#platform/migrate.ts';
import { testEnvironment, testServices } from './services.ts';

export interface TestDatabase {
  readonly db: Database;
  /** The environment in which `database` is this clone. */
  readonly env: Environment;
  readonly url: string;
  /** Closes `db`, fails if anybody else is still connected, and drops the database. */
  drop(): Promise<void>;
}

let template: Promise<string> | null = null;

/** A database of its own with the current schema: a copy of a template that is migrated once per run (tens of ms). */
export async function cloneDatabase(more: Readonly<Record<string, string>> = {}): Promise<TestDatabase> {
  template ??= makeTemplate();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(`CREATE DATABASE ${name} TEMPLATE ${await template}`);
  const url = await urlOf(name);
  const env = await testEnvironment({ DATABASE_URL: url, ...more });
  const db = openDatabase(env);
  return {
    db, env, url,
    drop: async () => {
      let left: string[] = [];
      try {
        await db.close();
        left = await connectionsTo(name);
      } finally {
        await asAdmin(`DROP DATABASE ${name} WITH (FORCE)`);
      }
      if (left.length > 0) throw new Error(`Connections were left open: ${left.join('; ')}`);
    },
  };
}

/** An empty database, without the schema: for what tests migrations themselves. */
export async function emptyDatabase(): Promise<{ env: Environment; drop(): Promise<void> }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(`CREATE DATABASE ${name}`);
  return {
    env: await testEnvironment({ DATABASE_URL: await urlOf(name) }),
    drop: () => asAdmin(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** One clone for the tests of a file (or of a describe): made before them, dropped after. Read it inside tests only. */
export function useDatabase(more: Readonly<Record<string, string>> = {}): { readonly current: TestDatabase } {
  let present: TestDatabase | null = null;
  before('clone the database', async () => {
    present = await cloneDatabase(more);
  });
  after('drop the database', async () => {
    const ended = present;
    present = null;
    await ended?.drop();
  });
  return {
    get current() {
      if (present === null) throw new Error('The database is there inside tests and hooks only.');
      return present;
    },
  };
}

/** At the end of the run: with DATABASE_URL of somebody's own server nothing of ours is left on it. */
export async function dropTemplate(): Promise<void> {
  if (template === null) return;
  const name = await template;
  template = null;
  await asAdmin(`DROP DATABASE ${name} WITH (FORCE)`);
}

async function makeTemplate(): Promise<string> {
  const name = `template_${randomBytes(6).toString('hex')}`;
  await asAdmin(`CREATE DATABASE ${name}`);
  await migrateUp(await testEnvironment({ DATABASE_URL: await urlOf(name) }));
  return name;
}

async function urlOf(name: string): Promise<string> {
  const url = new URL((await testServices()).databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Who is connected after up to two seconds of grace: a backend takes a moment to go. */
async function connectionsTo(name: string): Promise<string[]> {
  const endAt = Date.now() + 2_000;
  for (;;) {
    const rows = await ask<{ who: string }>(
      `SELECT application_name || ': ' || left(query, 120) AS who FROM pg_stat_activity WHERE datname = '${name}' AND backend_type = 'client backend'`,
    );
    if (rows.length === 0 || Date.now() > endAt) return rows.map(({ who }) => who);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const asAdmin = async (sql: string): Promise<void> => {
  await ask(sql);
};

async function ask<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: (await testServices()).databaseUrl, connectionTimeoutMillis: 5_000, statement_timeout: 60_000 });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

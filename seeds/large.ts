/**
 * Much of everything, to measure search and lists with: 20,000 projects, 500,000 tasks and as many comments in about a
 * minute. The same numbers make the same rows, ids and times included.
 *
 *   npm run seed:large                       into the database of npm start, or the configured one
 *   npm run seed:large -- --projects 2000 --things 100000
 */
import { parseArgs } from 'node:util';
import type { Knex } from 'knex';
import { type Environment, EnvironmentError, readEnvironment } from '#config/environment.ts';
import { Passwords } from '#domains/auth/passwords.ts';
import { type Database, openDatabase, transact } from '#platform/database.ts';
import { migrateUp } from '#platform/migrate.ts';
import { located } from './located.ts';
import { type Draw, drawFrom, sentence } from './words.ts';

export interface LargeSize {
  readonly projects: number;
  /** Tasks and comments together: half of each. */
  readonly things: number;
  /** How many of the projects one account owns. */
  readonly many: number;
}
const fullSize: LargeSize = { projects: 20_000, things: 1_000_000, many: 1_000 };

/** Where the rows' times begin; each is 13 seconds after the one before it. */
const epochMs = Date.parse('2025-01-01T00:00:00Z');

/** Who sees one project, and who sees many; their password is that of the demo account. */
export const largeAccounts = {
  one: { id: idOf(1, 1), email: 'one@example.com', username: 'one_project' },
  many: { id: idOf(1, 2), email: 'many@example.com', username: 'many_projects' },
} as const;
const password = 'notes-taken-outdoors';
const owners = 50;
const batch = 10_000;

/** Fills the database, in one transaction. Throws in production, and where it was filled before. */
export async function seedLarge(db: Database, env: Pick<Environment, 'production'>, size: LargeSize = fullSize, say: (line: string) => void = () => undefined): Promise<void> {
  if (env.production) throw new Error('A million invented rows are not for production.');
  const startedAt = Date.now();
  const passwordHash = await new Passwords().hash(password);
  await transact(db, null, async (trx) => {
    await trx.raw("set local maintenance_work_mem = '512MB'; set local synchronous_commit = off");
    if (await trx('users').where({ id: largeAccounts.one.id }).first('id') !== undefined) throw new Error('This database has the large seed already.');
    await addAccounts(trx, passwordHash);
    const draw = drawFrom(7);
    const indexes = await dropIndexes(trx);
    await addProjects(trx, size, draw);
    const half = Math.floor(size.things / 2);
    for (let from = 0; from < half; from += batch) {
      const count = Math.min(batch, half - from);
      const projects = Array.from({ length: count }, () => 1 + Math.floor(draw() * size.projects));
      await addTasks(trx, from, projects, draw);
      await addComments(trx, from, projects, draw);
      if ((from / batch) % 5 === 4 || from + count === half) say(`${2 * (from + count)} of ${2 * half} tasks and comments, ${secondsSince(startedAt)} s`);
    }
    for (const [index, definition] of indexes.entries()) {
      await trx.raw(definition);
      if (index % 10 === 9 || index === indexes.length - 1) say(`${index + 1} of ${indexes.length} indexes made anew, ${secondsSince(startedAt)} s`);
    }
  });
  // Not in a transaction: marks what everybody sees, so that an index alone answers, and gathers the statistics that plans are made of.
  for (const table of ['projects', 'tasks', 'comments', 'search_entries']) await db.knex.raw(`vacuum (analyze) ${table}`);
  say(`Done in ${secondsSince(startedAt)} s: ${size.projects} projects. ${largeAccounts.one.email} owns one, ${largeAccounts.many.email} ${size.many} of them; the password is ${password}`);
}

const secondsSince = (startedAt: number): string => ((Date.now() - startedAt) / 1000).toFixed(0);

/** A UUIDv7 of the moment of the n-th row of a kind: rows stand in the order they were made in, as real ones do. */
function idOf(kind: number, n: number): string {
  const time = (epochMs + n * 13_000).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${kind.toString(16).padStart(3, '0')}-8000-${n.toString(16).padStart(12, '0')}`;
}
const timeOf = (n: number): string => new Date(epochMs + n * 13_000).toISOString();
const [projectKind, taskKind, commentKind] = [2, 3, 4];

/** Indexes over all rows at once take a fraction of the time. In the transaction: whoever ends it half-way has them all again. */
async function dropIndexes(trx: Knex.Transaction): Promise<string[]> {
  const { rows } = await trx.raw<{ rows: { name: string; definition: string }[] }>(`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
     where indrelid in ('tasks'::regclass, 'comments'::regclass, 'search_entries'::regclass) and not indisprimary and not indisunique`);
  for (const { name } of rows) await trx.raw(`drop index ${name}`);
  return rows.map(({ definition }) => definition);
}

/** Knex has no type for an array as one value. */
const insert = async (trx: Knex.Transaction, sql: string, values: readonly unknown[]): Promise<void> => {
  await trx.raw(sql, values as never);
};

async function addAccounts(trx: Knex.Transaction, passwordHash: string): Promise<void> {
  const crowd = Array.from({ length: owners }, (_, n) => ({ id: idOf(1, 10 + n), email: `crowd${n}@example.com`, username: `crowd_${n}` }));
  const accounts = [largeAccounts.one, largeAccounts.many, ...crowd];
  await trx('users').insert(accounts.map((account) => ({ ...account, password_hash: passwordHash, tier: 'premium', email_verified_at: trx.fn.now() })));
  await trx('user_profiles').insert(accounts.map(({ id, username }) => ({ user_id: id, display_name: username })));
}

/** The first is of who sees one project, the next of who sees many. */
const ownerOf = (n: number, many: number): string => (n === 1 ? largeAccounts.one.id : n <= 1 + many ? largeAccounts.many.id : idOf(1, 10 + n % owners));

async function addProjects(trx: Knex.Transaction, { projects, many }: LargeSize, draw: Draw): Promise<void> {
  const rows = Array.from({ length: projects }, (_, at) => at + 1);
  await insert(trx, `
    insert into projects (id, owner_id, name, description, created_at, updated_at)
    select id, owner_id, name, description, at, at from unnest(?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::timestamptz[]) as r (id, owner_id, name, description, at)`,
  [rows.map((n) => idOf(projectKind, n)), rows.map((n) => ownerOf(n, many)), rows.map(() => sentence(draw, 2, 4).slice(0, 120)), rows.map(() => sentence(draw, 5, 20)), rows.map(timeOf)]);
}

async function addTasks(trx: Knex.Transaction, from: number, projects: readonly number[], draw: Draw): Promise<void> {
  const numbers = projects.map((_, at) => from + at + 1);
  await insert(trx, `
    insert into tasks (id, project_id, title, description, status, created_by, completed_at, created_at, updated_at)
    select id, project_id, title, description, status, ?, case when status = 'done' then at end, at, at
      from unnest(?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::text[], ?::timestamptz[]) as r (id, project_id, title, description, status, at)`,
  [largeAccounts.many.id, numbers.map((n) => idOf(taskKind, n)), projects.map((n) => idOf(projectKind, n)), numbers.map(() => sentence(draw, 3, 8).slice(0, 200)),
    // Half have a description; one in thirty a long one.
    numbers.map(() => (draw() < 0.5 ? null : draw() < 0.06 ? sentence(draw, 120, 250) : sentence(draw, 8, 40))),
    numbers.map((n) => ['todo', 'in_progress', 'in_review', 'done', 'cancelled'][n % 5]), numbers.map(timeOf)]);
}

/** Each on the task of the same number, which is in the same project. */
async function addComments(trx: Knex.Transaction, from: number, projects: readonly number[], draw: Draw): Promise<void> {
  const numbers = projects.map((_, at) => from + at + 1);
  await insert(trx, `
    insert into comments (id, project_id, entity_type, entity_id, author_id, body, created_at, updated_at)
    select id, project_id, 'task', task_id, ?, body, at, at
      from unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::text[], ?::timestamptz[]) as r (id, project_id, task_id, body, at)`,
  [largeAccounts.many.id, numbers.map((n) => idOf(commentKind, n)), projects.map((n) => idOf(projectKind, n)), numbers.map((n) => idOf(taskKind, n)),
    numbers.map(() => sentence(draw, 4, 40)), numbers.map(timeOf)]);
}

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { projects: { type: 'string' }, things: { type: 'string' }, many: { type: 'string' } } });
  const numberOf = (name: keyof LargeSize): number => {
    const value = Number(values[name] ?? fullSize[name]);
    if (!Number.isSafeInteger(value) || value < 1 || value > 20_000_000) throw new Error(`--${name} is a whole number from 1 to 20,000,000.`);
    return value;
  };
  const env = await located(readEnvironment(undefined, { role: 'api' }));
  if (env.production) throw new Error('A million invented rows are not for production.');
  await migrateUp(env);
  const db = openDatabase({ ...env, postgresPoolSize: 1, postgresStatementTimeoutMs: 600_000 });
  try {
    await seedLarge(db, env, { projects: numberOf('projects'), things: numberOf('things'), many: numberOf('many') }, (line) => console.log(line));
  } finally {
    await db.close();
  }
}

if (import.meta.main) {
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Error || error instanceof EnvironmentError ? error.message : String(error));
    process.exitCode = 1;
  }
}

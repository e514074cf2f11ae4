/**
 * The database: one pg pool per process, with Knex (builder, transactions, Objection, migrations) over that same pool,
 * and named statements straight on its connections. One pool means one bound on connections whoever asks; pg's own
 * pool is taken for it because a named statement then costs no more than with bare pg.
 */
import knexFactory, { type Knex } from 'knex';
import type pg from 'pg';
import type { Call } from './call.ts';
import { listenOn, type Listener, type ListenOptions, type OnNotify } from './database/listen.ts';
import { cut, isUnanswered, markBroken, openPool, type DatabaseEnvironment } from './database/pool.ts';
import { withDeadline } from './deadline.ts';

export type { DatabaseEnvironment, Listener, ListenOptions, OnNotify };

/** A value bound to a placeholder. Objects and arrays for json columns are stringified by the caller. */
export type Binding = string | number | boolean | null | Buffer | readonly string[] | readonly number[] | readonly boolean[];

export interface Database {
  readonly knex: Knex;
  /**
   * Runs a statement that PostgreSQL parses and plans once per connection under `name`: the way of every hot query.
   * One name stands for one text for ever; under the empty one a statement is planned anew for its values each time, for
   * texts that are put together of what was asked for. timestamptz comes as RFC 3339 text, int8 and numeric as number.
   */
  named<Row>(name: string, sql: string, values: readonly Binding[]): Promise<Row[]>;
  /** The same inside a transaction, on its connection. */
  namedIn<Row>(trx: Knex.Transaction, name: string, sql: string, values: readonly Binding[]): Promise<Row[]>;
  /** LISTENs on a connection of its own, outside the pool. */
  listen(channel: string, onNotify: OnNotify, options?: ListenOptions): Listener;
  /** Connections open now, and callers waiting for one: for metrics and for tests that look for leaks. */
  readonly use: { readonly open: number; readonly idle: number; readonly waiting: number };
  close(): Promise<void>;
}

/** Opens the pool; connects at the first use. Throws when no database is configured. */
export function openDatabase(env: DatabaseEnvironment): Database {
  const pool = openPool(env);
  const listeners = new Set<Listener>();
  const held = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => held.add(client));
  pool.on('release', (_error, client) => held.delete(client));
  pool.on('remove', (client) => held.delete(client));

  const knex = knexFactory({ client: 'pg', connectionPool: pool, asyncStackTraces: false } as Knex.Config);
  // Knex does not know that a connection whose answer never came is lost; without this it would go back to the pool.
  knex.on('query-error', (error: unknown, query: { __knexUid?: string }) => {
    if (!isUnanswered(error)) return;
    for (const client of held) {
      if ((client as pg.PoolClient & { __knexUid?: string }).__knexUid === query.__knexUid) cut(client);
    }
  });

  return {
    knex,
    async named<Row>(name: string, sql: string, values: readonly Binding[]): Promise<Row[]> {
      const client = await pool.connect();
      let broken = false;
      try {
        return await runNamed<Row>(client, name, sql, values, () => {
          broken = true;
        });
      } catch (error) {
        broken ||= isUnanswered(error);
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async namedIn<Row>(trx: Knex.Transaction, name: string, sql: string, values: readonly Binding[]): Promise<Row[]> {
      const client = await (trx.client as { acquireConnection(): Promise<pg.PoolClient> }).acquireConnection();
      try {
        const { rows } = await client.query({ name, text: sql, values: values as unknown[] });
        return rows as Row[];
      } catch (error) {
        if (isUnanswered(error)) cut(client);
        else if (isPlanUseless(error)) markBroken(client);
        throw error;
      }
    },
    listen(channel, onNotify, options) {
      const inner = listenOn(env, channel, onNotify, options);
      const listener: Listener = {
        ready: inner.ready,
        close: async () => {
          listeners.delete(listener);
          await inner.close();
        },
      };
      listeners.add(listener);
      return listener;
    },
    get use() {
      return { open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
    },
    async close() {
      await Promise.all([...listeners].map((listener) => listener.close()));
      await knex.destroy();
      try {
        await withDeadline(() => pool.end(), 5_000, 'Closing the database pool');
      } catch (error) {
        // Somebody still holds a connection: it is cut, so that the process can end.
        for (const client of held) cut(client);
        throw error;
      }
    },
  };
}

/**
 * A table that changed under a live process makes its prepared plan useless ("cached plan must not change result
 * type"). Outside a transaction nothing was done yet, so the statement runs once more unprepared, and the connection
 * is retired.
 */
async function runNamed<Row>(
  client: pg.PoolClient, name: string, sql: string, values: readonly Binding[], retire: () => void,
): Promise<Row[]> {
  try {
    const { rows } = await client.query({ name, text: sql, values: values as unknown[] });
    return rows as Row[];
  } catch (error) {
    if (!isPlanUseless(error)) throw error;
    retire();
    const { rows } = await client.query({ text: sql, values: values as unknown[] });
    return rows as Row[];
  }
}

const isPlanUseless = (error: unknown): boolean => sqlState(error) === '0A000' && error instanceof Error && error.message.includes('cached plan');

/** The SQLSTATE of a database error, `23505` for instance; null for any other error. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

/** The constraint a database error is about; null where it is about none. */
export function violatedConstraint(error: unknown): string | null {
  return error instanceof Error && 'constraint' in error && typeof error.constraint === 'string' ? error.constraint : null;
}

/** Serialization failure and deadlock: the database undid everything and asks for another try. */
const retryable = new Set(['40001', '40P01']);
/** Whether the database undid the transaction whole and it may be run again. */
export const isRetryable = (error: unknown): boolean => retryable.has(sqlState(error) ?? '');
const maxTries = 4;
/** More than a pool has connections: each that is retired is one less with the old plan. */
const mostRetired = 200;

/**
 * Runs `work` in one transaction and gives what it gives. Before the commit the result is sealed into the call's
 * idempotency key, if it has one: so the work of a mutating service method returns exactly the answer's `data`, and
 * `etagOf` says the ETag that goes with it, where it has one.
 *
 * A deadlock or serialization failure runs `work` again, four times in all: it must have no effect outside the
 * transaction. So does a plan that a changed table made useless, once for each connection that has it, which is retired.
 * Every other error rolls back and is thrown as it is.
 */
export async function transact<T>(
  db: Pick<Database, 'knex'>, call: Pick<Call, 'idempotency'> | null, work: (trx: Knex.Transaction) => Promise<T>, etagOf?: (result: T) => string,
): Promise<T> {
  for (let tries = 1, retired = 0; ;) {
    try {
      return await db.knex.transaction(async (trx) => {
        const result = await work(trx);
        await call?.idempotency?.seal(trx, result, etagOf?.(result));
        return result;
      });
    } catch (error) {
      if (isPlanUseless(error) && retired < mostRetired) {
        retired += 1;
        continue;
      }
      if (tries >= maxTries || !isRetryable(error)) throw error;
      // A random wait, so that two that met do not meet again: at most 10, 40, 90 ms.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * tries * tries));
      tries += 1;
    }
  }
}

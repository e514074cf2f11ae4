import { isIP } from 'node:net';
import pg from 'pg';
import type { DatabaseAddress, Environment } from '#config/environment.ts';
import { rowTypes } from './types.ts';

/** What of the environment the database needs. */
export type DatabaseEnvironment = Pick<Environment, 'database' | 'postgresPoolSize' | 'postgresStatementTimeoutMs'>;

export const connectTimeoutMs = 5_000;
/** How long a caller waits for a free connection before it is told that the database is too busy. */
const lockTimeoutMs = 5_000;
const idleInTransactionMs = 30_000;

export function requireAddress(env: Pick<Environment, 'database'>): DatabaseAddress {
  if (env.database === null) {
    throw new Error('No database is configured: set DATABASE_URL or POSTGRES_HOST, or use npm start, which starts one.');
  }
  return env.database;
}

/** The settings of one connection, also for those that stand outside the pool. */
export function clientConfig(address: DatabaseAddress, statementTimeoutMs: number, applicationName: string): pg.ClientConfig {
  return {
    host: address.host,
    port: address.port,
    user: address.user,
    ...(address.password === null ? {} : { password: address.password.reveal() }),
    database: address.database,
    ...(address.ssl === 'disable' ? {} : { ssl: tlsOf(address) }),
    types: rowTypes,
    // UTC is what `timestampText` reads.
    options: '-c timezone=UTC',
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

const tlsOf = (address: DatabaseAddress): { rejectUnauthorized: boolean; servername?: string } => ({
  rejectUnauthorized: address.ssl === 'verify-full',
  ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
});

/** How long the client itself waits for an answer: beyond it the connection is half open, and is cut. */
export const answerTimeoutMs = (env: DatabaseEnvironment): number => env.postgresStatementTimeoutMs + 5_000;

/**
 * The one pool of a process. A connection that breaks while somebody holds it emits `error`; without a listener that
 * would end the process, so each gets one: the holder's own query fails, and the pool drops the connection.
 */
export function openPool(env: DatabaseEnvironment): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(requireAddress(env), env.postgresStatementTimeoutMs, 'hivesync'),
    max: env.postgresPoolSize,
    min: 0,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 3_600,
    query_timeout: answerTimeoutMs(env),
  });
  pool.on('connect', (client) => {
    client.on('error', () => markBroken(client));
  });
  // An idle connection that breaks is dropped by the pool itself; the next caller gets a new one.
  pool.on('error', () => undefined);
  return pool;
}

/** Whether an error says that the answer never came: the connection's state is unknown, so it must not be used again. */
export const isUnanswered = (error: unknown): boolean => error instanceof Error && error.message === 'Query read timeout';

/** Has the connection closed at once and never handed out again, by the pool and by Knex over it alike. */
export function cut(client: pg.ClientBase): void {
  markBroken(client);
  const { connection } = client as pg.ClientBase & { connection?: { stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}

/** Has the connection closed when whoever holds it gives it back: Knex reads the mark then. */
export function markBroken(client: pg.ClientBase): void {
  Object.assign(client, { __knex__disposed: true });
}

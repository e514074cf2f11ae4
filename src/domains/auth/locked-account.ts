import type { Knex } from 'knex';
import type { Database } from '#platform/database.ts';

/** An account as those see it who change how it proves who it is. */
export interface LockedAccount {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly password_hash: string;
  readonly pending_email: string | null;
  readonly email_verified_at: string | null;
  readonly mfa_enabled_at: string | null;
  readonly suspended_at: string | null;
}

const columns = 'id, email, username, password_hash, pending_email, email_verified_at, mfa_enabled_at, suspended_at';
const byIdSql = `select ${columns} from users where id = $1 and deleted_at is null for no key update`;
const byEmailSql = `select ${columns} from users where lower(email) = lower($1) and deleted_at is null for no key update`;

/**
 * The account with its row locked until the commit; undefined where it is gone. Whatever changes a password, an address
 * or a second factor begins here, also when it was found by a token: so two such changes of one account come one after
 * the other, see each other's marks, and never wait for each other in a circle.
 */
export async function lockAccount(db: Database, trx: Knex.Transaction, userId: string): Promise<LockedAccount | undefined> {
  const [row] = await db.namedIn<LockedAccount>(trx, 'auth.lock_account', byIdSql, [userId]);
  return row;
}

/** The same by its present address. */
export async function lockAccountByEmail(db: Database, trx: Knex.Transaction, email: string): Promise<LockedAccount | undefined> {
  const [row] = await db.namedIn<LockedAccount>(trx, 'auth.lock_account_by_email', byEmailSql, [email]);
  return row;
}

/** Addresses are compared as the unique index does. */
export const sameAddress = (a: string, b: string | null): boolean => b !== null && a.toLowerCase() === b.toLowerCase();

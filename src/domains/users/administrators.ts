/** Administrators made from the server's own console: the first one, and any that operators add. */
import type { Knex } from 'knex';
import { type Database, transact, violatedConstraint } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import { audit } from '../audit/audit.ts';

export interface FoundAccount {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly email_verified_at: string | null;
  readonly suspended_at: string | null;
  readonly deleted_at: string | null;
  /** Its right is one that ends with no date and no subscription. */
  readonly is_admin_for_good: boolean;
}

export interface NewAdministrator {
  readonly email: string;
  readonly username: string;
  readonly passwordHash: string;
}

/** An override without an end: no change of a subscription and no date takes it away. */
const forGood = { tier_override: 'admin', tier_override_until: null } as const;

const findSql = `
  select id, email, username, email_verified_at, suspended_at, deleted_at,
         tier_override is not distinct from 'admin' and tier_override_until is null as is_admin_for_good
    from users where lower(email) = lower($1) or lower(username) = lower($2)`;

/** Accounts that have this address or this name: none, one that has either or both, or two. */
export async function findAccounts(db: Database, email: string, username: string | null): Promise<FoundAccount[]> {
  return db.named<FoundAccount>('users.find_for_admin', findSql, [email, username]);
}

/** Makes an account that is an administrator for good, its address taken as confirmed. Null where somebody took a name meanwhile. */
export async function createAdministrator(db: Database, { email, username, passwordHash }: NewAdministrator): Promise<string | null> {
  const id = newId();
  try {
    await transact(db, null, async (trx) => {
      await trx('users').insert({ id, email, username, password_hash: passwordHash, email_verified_at: trx.fn.now(), ...forGood });
      await trx('user_profiles').insert({ user_id: id });
      await told(trx, id, false);
    });
    return id;
  } catch (error) {
    if (['users_email_key', 'users_username_key'].includes(violatedConstraint(error) ?? '')) return null;
    throw error;
  }
}

/** Makes an account that there is an administrator for good. */
export async function promote(db: Database, userId: string): Promise<void> {
  await transact(db, null, async (trx) => {
    const promoted = await trx('users').where({ id: userId }).whereNull('deleted_at').update(forGood);
    if (promoted === 0) throw new Error('The account went away in this moment.');
    await told(trx, userId, true);
  });
}

async function told(trx: Knex.Transaction, userId: string, isPromotion: boolean): Promise<void> {
  await audit(trx, null, { event_type: 'user.admin_created', entity_type: 'user', entity_id: userId, data: { promoted: isPromotion } });
}

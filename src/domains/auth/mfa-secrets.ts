import type { Knex } from 'knex';
import type { Vault } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';
import { newTotpSecret, stepOfCode } from './totp.ts';

/** How long an enrolment waits for its first code. */
export const enrollmentSeconds = 600;

const waitingSql = 'select secret, key_id from mfa_secrets where user_id = $1 and confirmed_at is null and expires_at > now()';
const confirmedSql = 'select secret, key_id from mfa_secrets where user_id = $1 and confirmed_at is not null';

/**
 * Takes a code for used, together with every older one. The condition alone decides: of fifty at once with one code the
 * first moves the step on, and the others find it there. The secret is written as it is sealed now.
 */
const takeStepSql = `
  update mfa_secrets set last_used_step = $2, secret = $3, key_id = $4, confirmed_at = coalesce(confirmed_at, now()), expires_at = null
   where user_id = $1 and (last_used_step is null or last_used_step < $2)
  returning user_id`;

interface SecretRow { readonly secret: Buffer; readonly key_id: string }

const contextOf = (userId: string): string => `mfa_secrets.secret:${userId}`;

/** The secrets that authenticator apps make their codes of. Every method belongs into a transaction that holds the account's lock. */
export class MfaSecrets {
  readonly #db: Database;
  readonly #vault: Vault;

  constructor(db: Database, vault: Vault) {
    this.#db = db;
    this.#vault = vault;
  }

  /** Makes a secret that waits to be confirmed, in place of one that did. */
  async enroll(trx: Knex.Transaction, userId: string): Promise<Buffer> {
    const secret = newTotpSecret();
    const sealed = this.#vault.seal(secret, contextOf(userId));
    await trx('mfa_secrets')
      .insert({
        user_id: userId, secret: sealed.data, key_id: sealed.keyId, confirmed_at: null, last_used_step: null,
        expires_at: trx.raw("now() + interval '1 second' * ?", [enrollmentSeconds]),
      })
      .onConflict('user_id').merge();
    return secret;
  }

  /** Uses the first code of an enrolment, which confirms it; null where none waits. */
  async confirm(trx: Knex.Transaction, userId: string, code: string, nowMs: number): Promise<boolean | null> {
    const [row] = await this.#db.namedIn<SecretRow>(trx, 'auth.mfa_waiting', waitingSql, [userId]);
    return row === undefined ? null : this.#take(trx, userId, row, code, nowMs);
  }

  /** Uses a code; false where it is wrong, was used, or an account has no second factor. */
  async use(trx: Knex.Transaction, userId: string, code: string, nowMs: number): Promise<boolean> {
    const [row] = await this.#db.namedIn<SecretRow>(trx, 'auth.mfa_confirmed', confirmedSql, [userId]);
    return row !== undefined && this.#take(trx, userId, row, code, nowMs);
  }

  async forget(trx: Knex.Transaction, userId: string): Promise<void> {
    await trx('mfa_secrets').where({ user_id: userId }).delete();
  }

  async #take(trx: Knex.Transaction, userId: string, row: SecretRow, code: string, nowMs: number): Promise<boolean> {
    const context = contextOf(userId);
    const secret = this.#vault.open({ keyId: row.key_id, data: row.secret }, context);
    const step = stepOfCode(secret, code, nowMs);
    if (step === null) return false;
    const sealed = row.key_id === this.#vault.keyId ? { keyId: row.key_id, data: row.secret } : this.#vault.seal(secret, context);
    return (await this.#db.namedIn(trx, 'auth.take_totp_step', takeStepSql, [userId, step, sealed.data, sealed.keyId])).length === 1;
  }
}

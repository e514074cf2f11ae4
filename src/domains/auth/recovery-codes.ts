/**
 * Ten codes that each stand in for the authenticator's once. A code has 50 bits: enough against guessing at the door,
 * too few for a plain hash, of which a graphics card makes some 2^34 a second (a code in a day). So what is kept is an
 * HMAC under a key that is not in the database, over the account's id, so that one table serves no two accounts.
 */
import { randomBytes, type KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { RecoveryCodes as Shown } from '#generated/sdk/types.gen.ts';
import { hmacSha256 } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

const useSql = `
  update recovery_codes set used_at = now() where user_id = $1 and (code_hash = $2 or code_hash = $3) and used_at is null returning id`;
const leftSql = 'select count(*) as "left" from recovery_codes where user_id = $1 and used_at is null';

export class RecoveryCodes {
  readonly #db: Database;
  readonly #current: KeyObject;
  readonly #previous: KeyObject;

  /** @param previous the key before a rotation: codes made under it still hold */
  constructor(db: Database, current: KeyObject, previous: KeyObject | null) {
    this.#db = db;
    this.#current = current;
    this.#previous = previous ?? current;
  }

  /** Makes ten; those from before are gone. They are shown once: this is it. */
  async renew(trx: Knex.Transaction, userId: string): Promise<Shown['recovery_codes']> {
    const code = newRecoveryCode;
    const codes: Shown['recovery_codes'] = [code(), code(), code(), code(), code(), code(), code(), code(), code(), code()];
    await this.forget(trx, userId);
    await trx('recovery_codes').insert(codes.map((one) => ({ id: newId(), user_id: userId, code_hash: hashOf(this.#current, userId, one) })));
    return codes;
  }

  /** Uses a code up; false where it is not one of the account's, or was used. Of several at once one is told true. */
  async use(trx: Knex.Transaction, userId: string, code: string): Promise<boolean> {
    const hashes = [hashOf(this.#current, userId, code), hashOf(this.#previous, userId, code)] as const;
    return (await this.#db.namedIn(trx, 'auth.use_recovery_code', useSql, [userId, ...hashes])).length === 1;
  }

  /** How many are still good. */
  async left(trx: Knex.Transaction, userId: string): Promise<number> {
    const [row] = await this.#db.namedIn<{ left: number }>(trx, 'auth.recovery_codes_left', leftSql, [userId]);
    return row?.left ?? 0;
  }

  async forget(trx: Knex.Transaction, userId: string): Promise<void> {
    await trx('recovery_codes').where({ user_id: userId }).delete();
  }
}

/** `abcde-fghij`: five random bits a sign. */
export function newRecoveryCode(): string {
  const signs = [...randomBytes(10)].map((byte) => alphabet[byte & 31]).join('');
  return `${signs.slice(0, 5)}-${signs.slice(5)}`;
}

const hashOf = (key: KeyObject, userId: string, code: string): Buffer => hmacSha256(key, `recovery code\n${userId}\n${code}`);

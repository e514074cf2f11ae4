import type { Knex } from 'knex';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { adminsSql, lockAdminsSql } from './queries.ts';

interface Administrator {
  readonly id: string;
  /** Its right does not end by a date. */
  readonly lasts: boolean;
}

/** Sees to it that there is always an administrator. */
export class Administrators {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** One change of who is one at a time, until the transaction ends. Before any account's row is locked. */
  async lock(trx: Knex.Transaction): Promise<void> {
    await trx.raw(lockAdminsSql);
  }

  /**
   * Makes a change under the lock. CONFLICT where nobody would be an administrator after it, or nobody for longer than to
   * a date although somebody was; FORBIDDEN where the caller is none any more: another change came first.
   */
  async change(trx: Knex.Transaction, callerId: string, make: () => PromiseLike<unknown>): Promise<void> {
    const before = await this.#all(trx);
    await make();
    const after = await this.#all(trx);
    if (after.length === 0) throw new ServiceError('CONFLICT', 'No administrator would be left. Make another account one first.');
    if (before.some(({ lasts }) => lasts) && !after.some(({ lasts }) => lasts)) {
      throw new ServiceError('CONFLICT', 'No administrator would be left when those who are one to a date are none any more. Make another account one first.');
    }
    if (!before.some(({ id }) => id === callerId)) throw new ServiceError('FORBIDDEN', 'This is for administrators.');
  }

  async #all(trx: Knex.Transaction): Promise<readonly Administrator[]> {
    return this.#db.namedIn<Administrator>(trx, 'admin.administrators', adminsSql, []);
  }
}

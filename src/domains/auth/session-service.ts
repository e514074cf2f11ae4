import type { Knex } from 'knex';
import type { Revocations } from './revocations.ts';
import { endSessions, type WhichSessions } from './sessions.ts';

/** A person's sessions and devices; and the end of them, for whoever ends an account's access. */
export class SessionService {
  readonly #revocations: Revocations;

  constructor(revocations: Revocations) {
    this.#revocations = revocations;
  }

  /** Ends sessions of an account inside the caller's transaction; hand what it answers to `told` after the commit. */
  async end(trx: Knex.Transaction, userId: string, which: WhichSessions = {}): Promise<string[]> {
    return endSessions(trx, userId, which);
  }

  /** Makes ended sessions (or revoked API keys) known to every replica. */
  async told(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#revocations.revoke(...ids);
  }
}

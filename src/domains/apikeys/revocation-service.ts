import type { Knex } from 'knex';
import { emit } from '#jobs/outbox.ts';

/** The end of all of an account's keys, for whoever ends the account. */
export class ApiKeyRevocationService {
  /** Revokes them inside the caller's transaction; tell `SessionService.told` of the ids it answers after the commit. */
  async revokeAllOf(trx: Knex.Transaction, userId: string): Promise<string[]> {
    const revoked = await trx('api_keys').where({ user_id: userId }).whereNull('revoked_at').update({ revoked_at: trx.fn.now() }).returning<{ id: string }[]>('id');
    const ids = revoked.map(({ id }) => id);
    await emit(trx, ...ids.map((id) => ({ type: 'api_key.revoked', entityId: id, userId, data: {} })));
    return ids;
  }
}

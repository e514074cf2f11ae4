import type { Database } from '#platform/database.ts';

/** Answers kept for the account and for its API keys. Before the keys themselves are erased. */
const eraseSql = `
  with gone as (
    select id from idempotency_keys
     where caller = 'user:' || $1::uuid or caller in (select 'key:' || k.id from api_keys k where k.user_id = $1::uuid)
     limit 1000 for update
  )
  delete from idempotency_keys using gone where idempotency_keys.id = gone.id returning 1`;

/** A stage of the erasure of an account. */
export const idempotencyErasure = (db: Pick<Database, 'named'>): { name: string; run(userId: string, signal: AbortSignal): Promise<number> } => ({
  name: 'idempotency_keys',
  async run(userId, signal) {
    for (let erased = 0; ;) {
      signal.throwIfAborted();
      const rows = await db.named('erasure.idempotency_keys', eraseSql, [userId]);
      if (rows.length === 0) return erased;
      erased += rows.length;
    }
  },
});

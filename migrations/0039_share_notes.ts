import type { Knex } from 'knex';

/** The table may be large, so the index is built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/** Who was told something by whoever shared a preview: what somebody wrote is taken out there too when the account is erased. */
export async function up(knex: Knex): Promise<void> {
  // One that a build broken off has left is not valid.
  await knex.raw('drop index if exists notifications_shared_by_idx');
  await knex.raw(`create index concurrently notifications_shared_by_idx on notifications ((payload->>'shared_by')) where type = 'preview.shared'`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index concurrently if exists notifications_shared_by_idx');
}

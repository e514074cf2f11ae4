import type { Knex } from 'knex';

/** The audit grows large, so the index is built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/** What was done to an account, by whomever: for its export and its erasure. */
export async function up(knex: Knex): Promise<void> {
  // One that a build broken off has left is not valid.
  await knex.raw('drop index if exists audit_logs_account_idx');
  await knex.raw(`create index concurrently audit_logs_account_idx on audit_logs (entity_id, id) where entity_type = 'user'`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index if exists audit_logs_account_idx');
}

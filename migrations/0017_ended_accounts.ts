import type { Knex } from 'knex';

/** The audit grows large and accounts are many, so the indexes are built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

const indexes = [
  // What was done to an account, by whomever: for its export and its erasure.
  ['audit_logs_account_idx', "audit_logs (entity_id, id) where entity_type = 'user'"],
  // Accounts deleted a moment ago, whose credentials somebody may still hold.
  ['users_deleted_at_idx', 'users (deleted_at) where deleted_at is not null'],
] as const;

export async function up(knex: Knex): Promise<void> {
  for (const [name, definition] of indexes) {
    // One that a build broken off has left is not valid.
    await knex.raw(`drop index if exists ${name}`);
    await knex.raw(`create index concurrently ${name} on ${definition}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const [name] of indexes) await knex.raw(`drop index if exists ${name}`);
}

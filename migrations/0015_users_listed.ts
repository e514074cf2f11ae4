import type { Knex } from 'knex';

/** Accounts are many, so the indexes are built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/** What administrators list accounts by, and the parts of addresses and names they look for. */
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

const indexes = [
  ['users_listed_idx', 'users (created_at desc, id desc)'],
  ['users_administrators_idx', "users (id) where tier = 'admin' or tier_override = 'admin'"],
  ['users_email_trgm_idx', 'users using gin (lower(email) gin_trgm_ops)'],
  ['users_username_trgm_idx', 'users using gin (lower(username) gin_trgm_ops)'],
  ['user_profiles_display_name_trgm_idx', 'user_profiles using gin (lower(display_name) gin_trgm_ops)'],
] as const;

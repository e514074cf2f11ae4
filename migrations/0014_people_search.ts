import type { Knex } from 'knex';

/** Accounts are many, so the indexes are built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/**
 * What people are found by: every run of three characters in their names. pg_trgm knows letters and digits of the
 * database's locale alone, which under `C` are those of English; names are written in every script.
 */
export async function up(knex: Knex): Promise<void> {
  // 6 µs a name; the same as a query in SQL takes 26.
  await knex.raw(`
    create or replace function name_parts(name text) returns text[] language plpgsql immutable strict parallel safe as $$
    declare
      plain text := lower(name);
      parts text[] := '{}';
    begin
      for at in 1 .. length(plain) - 2 loop
        parts := parts || substr(plain, at, 3);
      end loop;
      return parts;
    end
    $$`);
  for (const [name, definition] of indexes) {
    // One that a build broken off has left is not valid.
    await knex.raw(`drop index if exists ${name}`);
    await knex.raw(`create index concurrently ${name} on ${definition}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const [name] of indexes) await knex.raw(`drop index if exists ${name}`);
  await knex.raw('drop function name_parts(text)');
}

const indexes = [
  ['users_username_parts_idx', 'users using gin (name_parts(username)) where deleted_at is null and suspended_at is null'],
  ['user_profiles_display_name_parts_idx', 'user_profiles using gin (name_parts(display_name)) where searchable'],
  ['user_profiles_display_name_idx', 'user_profiles (lower(display_name)) where searchable'],
] as const;

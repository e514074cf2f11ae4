import type { Knex } from 'knex';

/** Why an account was suspended: for administrators and the audit trail, the account is not told. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    alter table users
      add column suspended_reason text check (length(suspended_reason) between 1 and 500),
      add constraint users_suspended_reason_stands check (suspended_reason is null or suspended_at is not null);
    create index users_suspended_at_idx on users (suspended_at) where suspended_at is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop index users_suspended_at_idx;
    alter table users drop constraint users_suspended_reason_stands, drop column suspended_reason;
  `);
}

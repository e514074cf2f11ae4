import type { Knex } from 'knex';

/** Shares that ended long ago, for the clean-up that walks them. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    create index preview_shares_ended_idx on preview_shares ((coalesce(revoked_at, expires_at)));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index preview_shares_ended_idx');
}

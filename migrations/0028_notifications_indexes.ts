import type { Knex } from 'knex';

/** The table may be large, so indexes are built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

const order = 'created_at desc, id desc';

/** Name and what it is on. What counting and lists of restricted API keys look at stands in the index itself. */
const built: readonly (readonly [string, string])[] = [
  ['notifications_listed_idx', `(user_id, ${order}) include (in_app, project_id)`],
  ['notifications_unread_listed_idx', `(user_id, ${order}) include (project_id) where read_at is null and in_app`],
  ['notifications_type_idx', `(user_id, type, ${order}) where in_app`],
  ['notifications_project_idx', `(project_id, user_id, ${order})`],
  ['notifications_awaiting_digest_idx', '(user_id, created_at) where awaits_digest'],
  ['notifications_digest_id_idx', '(digest_id) where digest_id is not null'],
];
/** Those that do the same with less, and one that was for a sweep: it goes by people now. */
const replaced: readonly (readonly [string, string])[] = [
  ['notifications_user_id_idx', `(user_id, ${order})`],
  ['notifications_unread_idx', `(user_id, ${order}) where read_at is null and in_app`],
  ['notifications_project_id_idx', '(project_id)'],
  ['notifications_created_at_idx', '(created_at)'],
];

export async function up(knex: Knex): Promise<void> {
  await build(knex, built);
  await drop(knex, replaced);
  for (const [table, constraint] of [['notifications', 'type_check'], ['notification_preferences', 'type_check'], ['notifications', 'digest_check']] as const) {
    await knex.raw(`alter table ${table} validate constraint ${table}_${constraint}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  await build(knex, replaced);
  await drop(knex, built);
}

async function build(knex: Knex, indexes: typeof built): Promise<void> {
  for (const [name, on] of indexes) {
    // One that a build broken off has left is not valid.
    await knex.raw(`drop index if exists ${name}`);
    await knex.raw(`create index concurrently ${name} on notifications ${on}`);
  }
}

async function drop(knex: Knex, indexes: typeof built): Promise<void> {
  for (const [name] of indexes) await knex.raw(`drop index concurrently if exists ${name}`);
}

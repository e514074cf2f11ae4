import type { Knex } from 'knex';

/** As many as builds at once until now; from here on beside those. Null = no cap. */
const liveSessionsAtOnce = { free: 1, pro: 3, premium: 10, admin: null } as const;

/** What a revision needs beside its bundle, and how many sessions a tier may have open. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    alter table tier_limits add column live_sessions_at_once bigint check (live_sessions_at_once >= 0);

    -- Files the bundle refers to that the preview it began with does not hold: [{path, object_key, size, sha256}].
    alter table live_revisions add column assets jsonb not null default '[]' check (jsonb_typeof(assets) = 'array');
    -- Comes after the bundle.
    alter table live_revisions add column map_key text check (length(map_key) <= 1024);

    -- Administrators list the few that died; a session is forgotten soon, so that the table stays small.
    create index live_sessions_dead_idx on live_sessions (died_at desc, id desc) where died_at is not null;
  `);
  for (const [tier, live_sessions_at_once] of Object.entries(liveSessionsAtOnce)) await knex('tier_limits').where({ tier }).update({ live_sessions_at_once });
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop index live_sessions_dead_idx;
    alter table live_revisions drop column map_key;
    alter table live_revisions drop column assets;
    alter table tier_limits drop column live_sessions_at_once;
  `);
}

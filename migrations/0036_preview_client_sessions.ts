import type { Knex } from 'knex';

/** Previews of what a client builds or serves itself, and which tokens are for them. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table preview_client_sessions (
      id uuid primary key,
      project_id uuid not null references projects (id),
      user_id uuid not null references users (id),
      kind text not null check (kind in ('bundle', 'dev_server')),
      target_platform text not null check (target_platform in ('ios', 'android', 'web')),
      -- Shown to the session's owner alone, and never fetched.
      dev_server_url text check (length(dev_server_url) between 1 and 2048),
      object_key text unique check (length(object_key) <= 1024),
      bundle_size bigint check (bundle_size > 0),
      bundle_sha256 bytea check (length(bundle_sha256) = 32),
      uploaded_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null,
      check ((kind = 'dev_server') = (dev_server_url is not null)),
      check (object_key is null or kind = 'bundle'),
      check (num_nonnulls(object_key, bundle_size, bundle_sha256, uploaded_at) in (0, 4))
    );
    create index preview_client_sessions_project_id_idx on preview_client_sessions (project_id);
    create index preview_client_sessions_user_id_idx on preview_client_sessions (user_id, expires_at);
    create index preview_client_sessions_expires_at_idx on preview_client_sessions (expires_at);

    -- The log of tokens outlives the session.
    alter table preview_sessions add column session_id uuid references preview_client_sessions (id) on delete set null;
    create index preview_sessions_session_id_idx on preview_sessions (session_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    alter table preview_sessions drop column session_id;
    drop table preview_client_sessions;
  `);
}

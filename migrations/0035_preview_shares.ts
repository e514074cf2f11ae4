import type { Knex } from 'knex';

/** Previews shared with single people, and which tokens rest on a share. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table preview_shares (
      id uuid primary key,
      project_id uuid not null references projects (id),
      job_id uuid not null references preview_jobs (id),
      shared_by uuid not null references users (id),
      user_id uuid not null references users (id),
      note text check (length(note) <= 500),
      -- Null: as long as the artifacts stand.
      expires_at timestamptz(3),
      last_viewed_at timestamptz(3),
      revoked_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      check (user_id <> shared_by)
    );
    -- One that stands for each person; the newest of a person tells a revoked one from none.
    create unique index preview_shares_standing_idx on preview_shares (job_id, user_id) where revoked_at is null;
    create index preview_shares_job_id_idx on preview_shares (job_id, created_at desc, id desc);
    create index preview_shares_project_id_idx on preview_shares (project_id);
    create index preview_shares_shared_by_idx on preview_shares (shared_by);
    create index preview_shares_user_id_idx on preview_shares (user_id);

    -- The log of tokens outlives a share that is erased with an account.
    alter table preview_sessions add column share_id uuid references preview_shares (id) on delete set null;
    create index preview_sessions_share_id_idx on preview_sessions (share_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    alter table preview_sessions drop column share_id;
    drop table preview_shares;
  `);
}

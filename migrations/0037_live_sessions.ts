import type { Knex } from 'knex';

/** Builds that stay warm and follow edits: each a worker job as long as it lives, with the revisions it was given. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table live_sessions (
      id uuid primary key,
      project_id uuid not null references projects (id),
      requested_by uuid not null references users (id),
      -- The preview whose sources it began with; the builds are as its was.
      job_id uuid not null references preview_jobs (id),
      tier text not null check (tier in ('free', 'pro', 'premium', 'admin')),
      max_build_ms integer not null check (max_build_ms > 0),
      revision integer not null default 0 check (revision >= 0),
      idle_seconds integer not null check (idle_seconds > 0),
      -- The last edit: it ends when none has come for so long.
      changed_at timestamptz(3) not null default now(),
      -- Since when a worker has it warm; null while one is sought.
      live_at timestamptz(3),
      -- When its bundles were removed.
      swept_at timestamptz(3),

      -- What every job has (see 0008).
      status text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out')),
      stage text check (stage in ('fetching', 'bundling', 'packaging', 'uploading')),
      progress smallint not null default 0 check (progress between 0 and 100),
      queue_class text not null check (queue_class in ('cpu', 'gpu')),
      queue_priority text not null check (queue_priority in ('low', 'normal', 'high')),
      epoch integer not null default 0,
      attempt integer not null default 0,
      max_attempts integer not null default 10 check (max_attempts between 1 and 100),
      run_after timestamptz(3) not null default now(),
      worker_id uuid references worker_nodes (id),
      lease_token_hash bytea check (length(lease_token_hash) = 32),
      lease_expires_at timestamptz(3),
      ended_lease_hash bytea check (length(ended_lease_hash) = 32),
      queued_at timestamptz(3),
      started_at timestamptz(3),
      completed_at timestamptz(3),
      died_at timestamptz(3),
      retried_at timestamptz(3),
      error_code text check (length(error_code) <= 40),
      failure jsonb,
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((status = 'running') = (lease_token_hash is not null)),
      check ((status in ('queued', 'running')) = (completed_at is null)),
      check (status <> 'running' or queued_at is not null),
      check (died_at is null or status in ('failed', 'timed_out'))
    );
    create index live_sessions_project_id_idx on live_sessions (project_id);
    create index live_sessions_requested_by_idx on live_sessions (requested_by);
    create index live_sessions_job_id_idx on live_sessions (job_id);
    create index live_sessions_worker_id_idx on live_sessions (worker_id);
    create index live_sessions_open_idx on live_sessions (status, lease_expires_at) where status in ('queued', 'running');
    create index live_sessions_ended_idx on live_sessions (completed_at) where completed_at is not null;
    create trigger live_sessions_touch before update on live_sessions for each row execute function touch_row();

    -- The sources as the last revision left them that a worker has told of.
    create table live_session_files (
      session_id uuid not null references live_sessions (id) on delete cascade,
      path text not null check (length(path) between 1 and 1024),
      sha256 bytea not null check (length(sha256) = 32),
      size bigint not null check (size >= 0),
      primary key (session_id, path)
    );

    create table live_revisions (
      session_id uuid not null references live_sessions (id) on delete cascade,
      revision integer not null check (revision >= 0),
      status text not null default 'building' check (status in ('building', 'ready', 'failed', 'superseded')),
      -- {written: [{path, sha256, size}], removed: [path]}, until it is part of the files above.
      changes jsonb,
      object_key text check (length(object_key) <= 1024),
      bundle_size bigint check (bundle_size >= 0),
      bundle_sha256 bytea check (length(bundle_sha256) = 32),
      duration_ms integer check (duration_ms >= 0),
      failure jsonb,
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      primary key (session_id, revision),
      check ((status = 'building') or changes is null)
    );
    create trigger live_revisions_touch before update on live_revisions for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table live_revisions;
    drop table live_session_files;
    drop table live_sessions;
  `);
}

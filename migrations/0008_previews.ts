import type { Knex } from 'knex';

/** Preview jobs, their content-addressed sources, what they made, and the log of the tokens that show it. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table preview_jobs (
      id uuid primary key,
      project_id uuid not null references projects (id),
      requested_by uuid not null references users (id),
      tier text not null check (tier in ('free', 'pro', 'premium', 'admin')),
      sdk_version text not null check (length(sdk_version) <= 60),
      target_platform text not null check (target_platform in ('ios', 'android', 'web')),
      device_type text check (length(device_type) <= 60),
      entry_file text not null check (length(entry_file) between 1 and 255),
      environment text not null check (environment in ('development', 'staging', 'production')),
      env jsonb not null default '{}',
      dev boolean not null default false,
      mirror_ref text check (length(mirror_ref) <= 255),
      commit text check (commit ~ '^[0-9a-f]{40,64}$'),
      file_count integer not null check (file_count >= 0),
      source_bytes bigint not null check (source_bytes >= 0),
      missing_count integer not null default 0 check (missing_count >= 0),
      max_build_ms integer not null check (max_build_ms > 0),

      -- What every job has: its place in the queue, its life, and the lease that holds it while it runs.
      status text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out')),
      stage text check (stage in ('fetching', 'bundling', 'packaging', 'uploading')),
      progress smallint not null default 0 check (progress between 0 and 100),
      queue_class text not null check (queue_class in ('cpu', 'gpu')),
      queue_priority text not null check (queue_priority in ('low', 'normal', 'high')),
      epoch integer not null default 0,
      attempt integer not null default 0,
      max_attempts integer not null default 3 check (max_attempts between 1 and 10),
      run_after timestamptz(3) not null default now(),
      worker_id uuid references worker_nodes (id),
      lease_token_hash bytea check (length(lease_token_hash) = 32),
      lease_expires_at timestamptz(3),
      -- The lease that ended last: a repeat of its report is answered as the first was.
      ended_lease_hash bytea check (length(ended_lease_hash) = 32),
      queued_at timestamptz(3),
      started_at timestamptz(3),
      completed_at timestamptz(3),

      -- The hash of the Idempotency-Key of a buildPreview, and of what it asked for: a repeat waits for the same job.
      request_key_hash bytea check (length(request_key_hash) = 32),
      request_body_hash bytea check (length(request_body_hash) = 32),
      error_code text check (length(error_code) <= 40),
      failure jsonb,
      timings jsonb,
      bundle_bytes bigint check (bundle_bytes >= 0),
      artifacts_expire_at timestamptz(3),
      log_lines integer not null default 0,
      deleted_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((status = 'running') = (lease_token_hash is not null)),
      check ((status in ('queued', 'running')) = (completed_at is null)),
      check (status <> 'running' or queued_at is not null)
    );
    create index preview_jobs_project_id_idx on preview_jobs (project_id, created_at desc, id desc);
    create index preview_jobs_requested_by_idx on preview_jobs (requested_by, created_at desc);
    create unique index preview_jobs_request_key_idx on preview_jobs (requested_by, request_key_hash) where request_key_hash is not null;
    create index preview_jobs_worker_id_idx on preview_jobs (worker_id);
    create index preview_jobs_open_idx on preview_jobs (status, lease_expires_at) where status in ('queued', 'running');
    create trigger preview_jobs_touch before update on preview_jobs for each row execute function touch_row();

    create table source_blobs (
      project_id uuid not null references projects (id),
      sha256 bytea not null check (length(sha256) = 32),
      size bigint not null check (size >= 0),
      created_at timestamptz(3) not null default now(),
      last_used_at timestamptz(3) not null default now(),
      primary key (project_id, sha256)
    );

    create table preview_job_files (
      job_id uuid not null references preview_jobs (id) on delete cascade,
      path text not null check (length(path) between 1 and 1024),
      sha256 bytea not null check (length(sha256) = 32),
      size bigint not null check (size >= 0),
      primary key (job_id, path)
    );

    create table preview_job_logs (
      job_id uuid not null references preview_jobs (id) on delete cascade,
      seq integer not null,
      level text not null check (level in ('debug', 'info', 'warn', 'error')),
      message text not null check (length(message) <= 4000),
      at timestamptz(3) not null default now(),
      primary key (job_id, seq)
    );

    create table preview_artifacts (
      id uuid primary key,
      job_id uuid not null references preview_jobs (id),
      object_key text not null unique check (length(object_key) <= 1024),
      kind text not null check (kind in ('bundle', 'source_map', 'asset', 'metadata', 'log')),
      path text not null check (length(path) between 1 and 1024),
      device_type text,
      version integer not null default 1,
      size bigint not null check (size >= 0),
      sha256 bytea not null check (length(sha256) = 32),
      encoding text not null default 'identity' check (encoding in ('identity', 'gzip', 'br')),
      content_type text not null check (length(content_type) <= 120),
      created_at timestamptz(3) not null default now(),
      unique (job_id, path, encoding)
    );

    create table preview_sessions (
      id uuid primary key,
      project_id uuid not null references projects (id),
      job_id uuid references preview_jobs (id),
      user_id uuid not null references users (id),
      token_hash bytea not null unique check (length(token_hash) = 32),
      purpose text not null check (purpose in ('view', 'upload')),
      bundle_url text,
      bundle_size bigint,
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null
    );
    create index preview_sessions_project_id_idx on preview_sessions (project_id);
    create index preview_sessions_job_id_idx on preview_sessions (job_id);
    create index preview_sessions_user_id_idx on preview_sessions (user_id);
    create index preview_sessions_expires_at_idx on preview_sessions (expires_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table preview_sessions;
    drop table preview_artifacts;
    drop table preview_job_logs;
    drop table preview_job_files;
    drop table source_blobs;
    drop table preview_jobs;
  `);
}

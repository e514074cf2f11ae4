import type { Knex } from 'knex';

/**
 * Work of the backend's own process group (mails, clean-ups, exports, erasure): the truth about each job. Only its id
 * travels. A payload names rows and never holds a secret; it is emptied when the job ends.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table system_jobs (
      id uuid primary key,
      kind text not null check (kind ~ '^[a-z][a-z0-9_.]{1,59}$'),
      payload jsonb not null default '{}',
      -- Of two open jobs with one key the second is not made.
      dedupe_key text check (length(dedupe_key) between 1 and 200),
      status text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed')),
      epoch integer not null default 0,
      attempt integer not null default 0,
      max_attempts integer not null default 8 check (max_attempts between 1 and 50),
      run_after timestamptz(3) not null default now(),
      lease_token uuid,
      lease_expires_at timestamptz(3),
      error_message text check (length(error_message) <= 2000),
      started_at timestamptz(3),
      completed_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((status = 'running') = (lease_token is not null)),
      check ((lease_token is null) = (lease_expires_at is null)),
      check ((status in ('queued', 'running')) = (completed_at is null))
    );
    create unique index system_jobs_dedupe_key_idx on system_jobs (dedupe_key) where dedupe_key is not null and status in ('queued', 'running');
    create index system_jobs_queued_idx on system_jobs (run_after, id) where status = 'queued';
    create index system_jobs_running_idx on system_jobs (lease_expires_at) where status = 'running';
    create index system_jobs_completed_at_idx on system_jobs (completed_at) where completed_at is not null;
    create trigger system_jobs_touch before update on system_jobs for each row execute function touch_row();

    -- Periodic work, once per deployment: who moves next_run_at on does it.
    create table schedules (
      name text primary key check (name ~ '^[a-z][a-z0-9_.]{1,59}$'),
      every_seconds integer not null check (every_seconds between 1 and 2678400),
      next_run_at timestamptz(3) not null,
      last_run_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create trigger schedules_touch before update on schedules for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table schedules; drop table system_jobs;');
}

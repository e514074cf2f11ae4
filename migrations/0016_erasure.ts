import type { Knex } from 'knex';

/**
 * The end of accounts, and what they may take along: how far an erasure is, that accounts and projects were erased, and
 * exports. An erasure's row stays as the proof that it was done; it names nobody.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table account_erasures (
      user_id uuid primary key references users (id),
      requested_at timestamptz(3) not null default now(),
      -- Not before: what was under way when the account was deleted has ended by then.
      run_after timestamptz(3) not null,
      erase_by timestamptz(3) not null,
      -- The stages that are done, each with how much went.
      stages jsonb not null default '{}',
      completed_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check (requested_at <= run_after and run_after < erase_by)
    );
    create index account_erasures_open_idx on account_erasures (run_after) where completed_at is null;
    create trigger account_erasures_touch before update on account_erasures for each row execute function touch_row();

    alter table users add column erased_at timestamptz(3);
    alter table projects add column erased_at timestamptz(3);

    create table data_exports (
      id uuid primary key,
      user_id uuid not null references users (id),
      status text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
      -- Counts the tries; only the newest can end the export.
      attempt integer not null default 0 check (attempt >= 0),
      -- Null again when the archive was deleted.
      object_key text check (length(object_key) <= 1024),
      size bigint check (size >= 0),
      sha256 bytea check (length(sha256) = 32),
      started_at timestamptz(3),
      completed_at timestamptz(3),
      expires_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((status in ('queued', 'running')) = (completed_at is null)),
      check ((status = 'succeeded') = (size is not null) and (size is null) = (sha256 is null) and (size is null) = (expires_at is null)),
      check (object_key is null or status = 'succeeded')
    );
    create unique index data_exports_open_idx on data_exports (user_id) where status in ('queued', 'running');
    create index data_exports_user_id_idx on data_exports (user_id, created_at desc, id desc);
    create index data_exports_expires_at_idx on data_exports (expires_at) where object_key is not null;
    create trigger data_exports_touch before update on data_exports for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table data_exports;
    alter table projects drop column erased_at;
    alter table users drop column erased_at;
    drop table account_erasures;
  `);
}

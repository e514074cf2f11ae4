import type { Knex } from 'knex';

/** How far the erasure of each deleted project is. A row stays as the proof that it was done. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table project_erasures (
      project_id uuid primary key references projects (id),
      requested_at timestamptz(3) not null default now(),
      -- When the round that is next begins.
      run_after timestamptz(3) not null default now(),
      -- The stages that are done, each with how much went.
      stages jsonb not null default '{}',
      completed_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check (requested_at <= run_after)
    );
    create index project_erasures_open_idx on project_erasures (run_after) where completed_at is null;
    create trigger project_erasures_touch before update on project_erasures for each row execute function touch_row();

    -- Those that were hidden before there was an erasure: a schedule finds them.
    insert into project_erasures (project_id) select id from projects where deleted_at is not null and erased_at is null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table project_erasures;
  `);
}

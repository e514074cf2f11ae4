import type { Knex } from 'knex';

/** How far the clean-up of a preview has come, which sources are to go, and how far storage was searched for what nobody knows. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    -- The stages: out of the API's reach, objects gone, rows reduced to what statistics need.
    alter table preview_jobs add column unlinked_at timestamptz(3);
    alter table preview_jobs add column objects_erased_at timestamptz(3);
    alter table preview_jobs add column reduced_at timestamptz(3);

    -- Nothing refers to it any more: the project counts as without it from then on, its object goes a while later.
    alter table source_blobs add column condemned_at timestamptz(3);

    create table object_walks (
      name text primary key check (length(name) between 1 and 60),
      -- The last key that was looked at; null between two walks.
      after text check (length(after) between 1 and 1024),
      begun_at timestamptz(3) not null default now(),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create trigger object_walks_touch before update on object_walks for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table object_walks;
    alter table source_blobs drop column condemned_at;
    alter table preview_jobs drop column reduced_at;
    alter table preview_jobs drop column objects_erased_at;
    alter table preview_jobs drop column unlinked_at;
  `);
}

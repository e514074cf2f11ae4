import type { Knex } from 'knex';

/** A tag can change, and so has a version. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    alter table project_tags add column row_version bigint not null default 1;
    alter table project_tags add column updated_at timestamptz(3) not null default now();
    create trigger project_tags_touch before update on project_tags for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop trigger project_tags_touch on project_tags;
    alter table project_tags drop column updated_at;
    alter table project_tags drop column row_version;
  `);
}

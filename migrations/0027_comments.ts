import type { Knex } from 'knex';

/**
 * Comments with their stars and mentions. A comment and its replies are on one thing of one project, which services see
 * to: nothing of that ever changes. What was deleted and has replies stays as a tombstone, empty.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table comments (
      id uuid primary key,
      project_id uuid not null references projects (id),
      -- A comment that has replies is never deleted, whoever tries.
      parent_id uuid references comments (id),
      -- How many comments stand above it in its thread.
      depth smallint not null default 0 check (depth between 0 and 20),
      entity_type text not null check (entity_type in ('project', 'task', 'code', 'preview')),
      entity_id uuid not null,
      -- The same where it is a task or a preview: on none that does not exist, and none is deleted before its comments.
      task_id uuid generated always as (case when entity_type = 'task' then entity_id end) stored references tasks (id),
      preview_job_id uuid generated always as (case when entity_type = 'preview' then entity_id end) stored references preview_jobs (id),
      anchor jsonb,
      author_id uuid references users (id),
      body text check (length(body) between 1 and 10000),
      edited_at timestamptz(3),
      deleted_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((parent_id is null) = (depth = 0)),
      check (entity_type in ('task', 'preview') or entity_id = project_id),
      check ((entity_type = 'code') = (anchor is not null)),
      check (anchor is null or coalesce(
        jsonb_typeof(anchor) = 'object' and anchor - '{path,line_start,line_end,commit}'::text[] = '{}'
        and jsonb_typeof(anchor -> 'path') = 'string' and length(anchor ->> 'path') between 1 and 1024
        and jsonb_typeof(anchor -> 'line_start') = 'number' and (anchor ->> 'line_start')::integer >= 1
        and jsonb_typeof(anchor -> 'line_end') = 'number' and (anchor ->> 'line_end')::integer between (anchor ->> 'line_start')::integer and 10000000
        and coalesce(anchor ->> 'commit' ~ '^([0-9a-f]{40}|[0-9a-f]{64})$', true), false)),
      check ((deleted_at is null) = (body is not null)),
      check ((deleted_at is null) = (author_id is not null))
    );
    -- One for each way a project's comments are narrowed, in the order they are listed in; each serves both directions.
    create index comments_created_at_idx on comments (project_id, created_at, id);
    create index comments_entity_type_idx on comments (project_id, entity_type, created_at, id);
    create index comments_entity_idx on comments (project_id, entity_type, entity_id, created_at, id);
    -- A path may be longer than an index takes; those that agree so far are told apart by the row.
    create index comments_path_idx on comments (project_id, (left(anchor ->> 'path', 512) collate "C"), created_at, id) where entity_type = 'code';
    create index comments_top_level_idx on comments (project_id, created_at, id) where parent_id is null;
    create index comments_replies_idx on comments (project_id, created_at, id) where parent_id is not null;
    create index comments_parent_id_idx on comments (parent_id, created_at, id);
    create index comments_author_id_idx on comments (author_id, project_id, created_at, id);
    create index comments_task_id_idx on comments (task_id);
    create index comments_preview_job_id_idx on comments (preview_job_id);
    create index comments_body_trgm_idx on comments using gin (body gin_trgm_ops) where deleted_at is null;
    create trigger comments_touch before update on comments for each row execute function touch_row();

    create table comment_stars (
      comment_id uuid not null references comments (id) on delete cascade,
      user_id uuid not null references users (id),
      created_at timestamptz(3) not null default now(),
      primary key (comment_id, user_id)
    );
    create index comment_stars_user_id_idx on comment_stars (user_id, comment_id);

    create table comment_mentions (
      comment_id uuid not null references comments (id) on delete cascade,
      user_id uuid not null references users (id),
      -- The order of the first mentions in the body; null where it says the name no longer: who was told once is not told again.
      position smallint check (position between 0 and 49),
      created_at timestamptz(3) not null default now(),
      primary key (comment_id, user_id)
    );
    create index comment_mentions_user_id_idx on comment_mentions (user_id, comment_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table comment_mentions;
    drop table comment_stars;
    drop table comments;
  `);
}

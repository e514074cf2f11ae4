import type { Knex } from 'knex';

/**
 * Tasks with their labels, dependencies and attachments. Of attachments the bytes lie in object storage; a task and what
 * is linked to it belong to one project, which services see to: a task never moves.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table tasks (
      id uuid primary key,
      project_id uuid not null references projects (id),
      title text not null check (length(title) between 1 and 200),
      description text check (length(description) <= 20000),
      status text not null default 'todo' check (status in ('todo', 'in_progress', 'in_review', 'done', 'cancelled')),
      assignee_id uuid references users (id),
      due_date timestamptz(3),
      created_by uuid not null references users (id),
      completed_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((status = 'done') = (completed_at is not null))
    );
    -- One for each order that a project's tasks are listed in; each serves both directions.
    create index tasks_created_at_idx on tasks (project_id, created_at desc, id desc);
    create index tasks_updated_at_idx on tasks (project_id, updated_at desc, id desc);
    create index tasks_title_idx on tasks (project_id, (left(lower(title), 175) collate "C"), id);
    -- Those without a date come last in either direction, which takes two.
    create index tasks_due_first_idx on tasks (project_id, (coalesce(due_date, 'infinity'::timestamptz)), id);
    create index tasks_due_last_idx on tasks (project_id, (coalesce(due_date, '-infinity'::timestamptz)) desc, id desc);
    create index tasks_status_idx on tasks (project_id, status, created_at desc, id desc);
    create index tasks_project_assignee_idx on tasks (project_id, assignee_id, created_at desc, id desc);
    create index tasks_title_trgm_idx on tasks using gin (title gin_trgm_ops);
    -- What falls due, over all projects: whoever is told of it in time.
    create index tasks_open_due_date_idx on tasks (due_date, id) where due_date is not null and status not in ('done', 'cancelled');
    create index tasks_assignee_id_idx on tasks (assignee_id);
    create index tasks_created_by_idx on tasks (created_by);
    create trigger tasks_touch before update on tasks for each row execute function touch_row();

    create table task_labels (
      id uuid primary key,
      project_id uuid not null references projects (id),
      name text not null check (length(name) between 1 and 50),
      color text not null check (color ~ '^#[0-9a-f]{6}$'),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create unique index task_labels_name_key on task_labels (project_id, (lower(name) collate "C"));
    create trigger task_labels_touch before update on task_labels for each row execute function touch_row();

    create table task_label_links (
      task_id uuid not null references tasks (id) on delete cascade,
      label_id uuid not null references task_labels (id) on delete cascade,
      created_at timestamptz(3) not null default now(),
      primary key (task_id, label_id)
    );
    create index task_label_links_label_id_idx on task_label_links (label_id, task_id);

    create table task_dependencies (
      task_id uuid not null references tasks (id) on delete cascade,
      depends_on_task_id uuid not null references tasks (id) on delete cascade,
      created_at timestamptz(3) not null default now(),
      primary key (task_id, depends_on_task_id),
      check (task_id <> depends_on_task_id)
    );
    create index task_dependencies_depends_on_idx on task_dependencies (depends_on_task_id, task_id);

    create table task_attachments (
      id uuid primary key,
      task_id uuid not null references tasks (id),
      name text not null check (length(name) between 1 and 255),
      external_url text check (length(external_url) <= 2048 and external_url ~ '^https{0,1}://'),
      object_key text unique check (length(object_key) <= 1024),
      content_type text check (length(content_type) between 3 and 127),
      size bigint check (size between 1 and 104857600),
      sha256 bytea check (length(sha256) = 32),
      uploaded_by uuid not null references users (id),
      -- When it became ready: a link at once, an upload when it was completed.
      uploaded_at timestamptz(3),
      -- Until then one request has it to itself to complete it.
      claimed_until timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check (num_nonnulls(object_key, external_url) = 1),
      check (num_nonnulls(object_key, content_type, size, sha256) in (0, 4)),
      check (external_url is null or uploaded_at is not null),
      check (uploaded_at is null or claimed_until is null)
    );
    create index task_attachments_task_id_idx on task_attachments (task_id, created_at, id);
    create index task_attachments_uploaded_by_idx on task_attachments (uploaded_by);
    create index task_attachments_pending_idx on task_attachments (created_at) where uploaded_at is null;
    create trigger task_attachments_touch before update on task_attachments for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table task_attachments;
    drop table task_dependencies;
    drop table task_label_links;
    drop table task_labels;
    drop table tasks;
  `);
}

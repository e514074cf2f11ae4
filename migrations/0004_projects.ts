import type { Knex } from 'knex';

/** Teams and projects with who belongs to them. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table teams (
      id uuid primary key,
      owner_id uuid not null references users (id),
      name text not null check (length(name) between 1 and 120),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create index teams_owner_id_idx on teams (owner_id);
    create trigger teams_touch before update on teams for each row execute function touch_row();

    create table team_members (
      id uuid primary key,
      team_id uuid not null references teams (id) on delete cascade,
      user_id uuid not null references users (id),
      role text not null check (role in ('Owner', 'Admin', 'Member')),
      status text not null default 'active' check (status in ('invited', 'active')),
      joined_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      unique (team_id, user_id)
    );
    create index team_members_user_id_idx on team_members (user_id);

    create table projects (
      id uuid primary key,
      owner_id uuid not null references users (id),
      team_id uuid references teams (id),
      name text not null check (length(name) between 1 and 120),
      description text check (length(description) <= 4000),
      metadata jsonb not null default '{}',
      settings jsonb not null default '{}',
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      archived_at timestamptz(3),
      deleted_at timestamptz(3)
    );
    create index projects_owner_id_idx on projects (owner_id, created_at desc, id desc) where deleted_at is null;
    create index projects_owner_id_all_idx on projects (owner_id);
    create index projects_team_id_idx on projects (team_id);
    create index projects_name_trgm_idx on projects using gin (name gin_trgm_ops);
    create trigger projects_touch before update on projects for each row execute function touch_row();

    create table project_members (
      id uuid primary key,
      project_id uuid not null references projects (id) on delete cascade,
      user_id uuid not null references users (id),
      role text not null check (role in ('Owner', 'Member')),
      status text not null default 'active' check (status in ('invited', 'active')),
      joined_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      unique (project_id, user_id)
    );
    create index project_members_user_id_idx on project_members (user_id);

    create table project_tags (
      id uuid primary key,
      project_id uuid not null references projects (id) on delete cascade,
      name text not null check (length(name) between 1 and 50),
      color text not null check (color ~ '^#[0-9a-f]{6}$'),
      created_at timestamptz(3) not null default now()
    );
    create unique index project_tags_name_key on project_tags (project_id, lower(name));

    create table project_favorites (
      user_id uuid not null references users (id),
      project_id uuid not null references projects (id) on delete cascade,
      created_at timestamptz(3) not null default now(),
      primary key (user_id, project_id)
    );
    create index project_favorites_project_id_idx on project_favorites (project_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table project_favorites;
    drop table project_tags;
    drop table project_members;
    drop table projects;
    drop table team_members;
    drop table teams;
  `);
}

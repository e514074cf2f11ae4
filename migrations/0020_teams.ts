import type { Knex } from 'knex';

/**
 * Invitations into teams and projects, transfers of projects to a person among them; and versions of team members, whose
 * roles change. The token of a mailed one is derived from the row's id; only its SHA-256 stands here.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    alter table team_members
      add column row_version bigint not null default 1,
      add column updated_at timestamptz(3) not null default now();
    create trigger team_members_touch before update on team_members for each row execute function touch_row();

    create table invitations (
      id uuid primary key,
      project_id uuid references projects (id) on delete cascade,
      team_id uuid references teams (id) on delete cascade,
      -- Whom it names, or who accepted one that went to an address.
      user_id uuid references users (id),
      -- As the inviter wrote it; null where a person was named.
      email text check (length(email) between 3 and 254),
      role text not null check (role in ('owner', 'admin', 'member')),
      status text not null default 'pending' check (status in ('pending', 'accepted', 'declined', 'revoked', 'expired')),
      invited_by uuid references users (id),
      token_hash bytea unique check (length(token_hash) = 32),
      expires_at timestamptz(3) not null,
      responded_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check (num_nonnulls(project_id, team_id) = 1),
      -- A team's owners are made of members; owner of a project is a transfer that waits.
      check (role = 'member' or (role = 'admin' and team_id is not null) or (role = 'owner' and project_id is not null)),
      check (status <> 'pending' or num_nonnulls(user_id, email) = 1),
      check ((email is null) = (token_hash is null)),
      check (status <> 'accepted' or user_id is not null),
      check ((status in ('accepted', 'declined', 'revoked')) = (responded_at is not null))
    );
    -- One that is open for each person, and for each address; and one transfer of a project.
    create unique index invitations_team_user_key on invitations (team_id, user_id) where status = 'pending' and team_id is not null;
    create unique index invitations_team_email_key on invitations (team_id, lower(email)) where status = 'pending' and team_id is not null;
    create unique index invitations_project_user_key on invitations (project_id, user_id) where status = 'pending' and project_id is not null and role = 'member';
    create unique index invitations_project_email_key on invitations (project_id, lower(email)) where status = 'pending' and project_id is not null;
    create unique index invitations_transfer_key on invitations (project_id) where status = 'pending' and role = 'owner';
    create index invitations_team_id_idx on invitations (team_id, created_at desc, id desc);
    create index invitations_project_id_idx on invitations (project_id, created_at desc, id desc);
    create index invitations_user_id_idx on invitations (user_id, created_at desc, id desc);
    create index invitations_invited_by_idx on invitations (invited_by, created_at desc);
    create index invitations_email_idx on invitations (lower(email), created_at desc) where email is not null;
    create index invitations_expires_at_idx on invitations (expires_at);
    create trigger invitations_touch before update on invitations for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table invitations;
    drop trigger team_members_touch on team_members;
    alter table team_members drop column updated_at, drop column row_version;
  `);
}

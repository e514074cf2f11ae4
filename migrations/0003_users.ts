import type { Knex } from 'knex';

/** Accounts, their profiles, sign-ins and refresh tokens. Secrets are stored as Argon2id or SHA-256 only. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table users (
      id uuid primary key,
      email text not null check (length(email) <= 254),
      username text not null check (username ~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,29}$'),
      password_hash text not null,
      tier text not null default 'free' check (tier in ('free', 'pro', 'premium', 'admin')),
      tier_override text check (tier_override in ('free', 'pro', 'premium', 'admin')),
      tier_override_until timestamptz(3),
      pending_email text check (length(pending_email) <= 254),
      mfa_enabled_at timestamptz(3),
      last_login timestamptz(3),
      email_verified_at timestamptz(3),
      suspended_at timestamptz(3),
      deleted_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check (tier_override is not null or tier_override_until is null)
    );
    create unique index users_email_key on users (lower(email));
    create unique index users_username_key on users (lower(username));
    create trigger users_touch before update on users for each row execute function touch_row();

    create table user_profiles (
      user_id uuid primary key references users (id) on delete cascade,
      display_name text check (length(display_name) between 1 and 80),
      avatar_url text check (length(avatar_url) <= 2048),
      preferences jsonb not null default '{}',
      searchable boolean not null default true,
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create trigger user_profiles_touch before update on user_profiles for each row execute function touch_row();

    create table device_sessions (
      id uuid primary key,
      user_id uuid not null references users (id),
      device_id text not null check (length(device_id) between 1 and 128),
      device_name text check (length(device_name) <= 100),
      platform text check (length(platform) <= 40),
      last_seen timestamptz(3) not null default now(),
      created_at timestamptz(3) not null default now(),
      unique (user_id, device_id)
    );

    create table sessions (
      id uuid primary key,
      user_id uuid not null references users (id),
      device_session_id uuid references device_sessions (id),
      ip_address inet,
      user_agent text check (length(user_agent) <= 512),
      suspicious boolean not null default false,
      created_at timestamptz(3) not null default now(),
      last_seen timestamptz(3) not null default now(),
      revoked_at timestamptz(3)
    );
    create index sessions_user_id_idx on sessions (user_id);
    create index sessions_revoked_at_idx on sessions (revoked_at) where revoked_at is not null;
    create index sessions_device_session_id_idx on sessions (device_session_id);

    create table refresh_tokens (
      id uuid primary key,
      session_id uuid not null references sessions (id),
      family uuid not null,
      counter integer not null check (counter >= 0),
      token_hash bytea not null unique check (length(token_hash) = 32),
      used_at timestamptz(3),
      expires_at timestamptz(3) not null,
      created_at timestamptz(3) not null default now(),
      unique (family, counter)
    );
    create index refresh_tokens_session_id_idx on refresh_tokens (session_id);
    create index refresh_tokens_expires_at_idx on refresh_tokens (expires_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table refresh_tokens;
    drop table sessions;
    drop table device_sessions;
    drop table user_profiles;
    drop table users;
  `);
}

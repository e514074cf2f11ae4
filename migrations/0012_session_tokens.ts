import type { Knex } from 'knex';

/**
 * Sessions made out of another one: one-time tokens for the website, and devices that a person links by a short code.
 * Codes and tokens are kept as hashes only. And why a session is suspicious, beside that it is.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table session_tokens (
      id uuid primary key,
      user_id uuid not null references users (id),
      -- Whose holder asked for it: it is void when that one has ended.
      session_id uuid not null references sessions (id),
      token_hash bytea not null unique check (length(token_hash) = 32),
      expires_at timestamptz(3) not null,
      used_at timestamptz(3),
      created_at timestamptz(3) not null default now()
    );
    create index session_tokens_user_id_idx on session_tokens (user_id);
    create index session_tokens_session_id_idx on session_tokens (session_id);
    create index session_tokens_expires_at_idx on session_tokens (expires_at);
    create index session_tokens_unused_idx on session_tokens (user_id, expires_at) where used_at is null;

    create table device_links (
      id uuid primary key,
      device_code_hash bytea not null unique check (length(device_code_hash) = 32),
      -- Keyed: eight letters alone would be found from a plain hash within a minute.
      user_code_hash bytea not null unique check (length(user_code_hash) = 32),
      client_name text not null check (length(client_name) between 1 and 100),
      device_id text check (length(device_id) between 1 and 128),
      device_name text check (length(device_name) between 1 and 100),
      platform text check (length(platform) between 1 and 40),
      ip_address inet not null,
      user_agent text check (length(user_agent) <= 512),
      status text not null default 'pending' check (status in ('pending', 'approved', 'denied')),
      -- Who decided, by which session, and when that person had last proved who it is.
      user_id uuid references users (id),
      session_id uuid references sessions (id),
      authenticated_at timestamptz(3),
      decided_at timestamptz(3),
      interval_seconds integer not null default 5 check (interval_seconds between 1 and 60),
      last_polled_at timestamptz(3),
      consumed_at timestamptz(3),
      expires_at timestamptz(3) not null,
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((device_id is null) = (device_name is null) and (device_id is null) = (platform is null)),
      check ((status = 'pending') = (decided_at is null) and (decided_at is null) = (user_id is null)),
      check ((decided_at is null) = (authenticated_at is null)),
      check (consumed_at is null or status = 'approved')
    );
    create index device_links_user_id_idx on device_links (user_id);
    create index device_links_session_id_idx on device_links (session_id);
    create index device_links_expires_at_idx on device_links (expires_at);
    create trigger device_links_touch before update on device_links for each row execute function touch_row();

    alter table sessions
      add column suspicious_reason text check (suspicious_reason in ('new_device_and_network', 'many_failures', 'refresh_token_reused')),
      add check (suspicious_reason is null or suspicious);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    alter table sessions drop column suspicious_reason;
    drop table device_links;
    drop table session_tokens;
  `);
}

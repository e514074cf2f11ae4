import type { Knex } from 'knex';

/** When a person last proved who it is, and when a session ends by itself; what a session and a device always have. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    alter table sessions
      add column authenticated_at timestamptz(3) not null default now(),
      add column expires_at timestamptz(3) not null default now() + interval '30 days';
    update sessions s set
      authenticated_at = s.created_at,
      expires_at = coalesce((select max(t.expires_at) from refresh_tokens t where t.session_id = s.id), s.created_at + interval '30 days'),
      ip_address = coalesce(s.ip_address, '0.0.0.0');
    alter table sessions alter column ip_address set not null;
    create index sessions_expires_at_idx on sessions (expires_at);
    update device_sessions set device_name = coalesce(device_name, 'Unnamed device'), platform = coalesce(platform, 'other');
    alter table device_sessions alter column device_name set not null, alter column platform set not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    alter table device_sessions alter column device_name drop not null, alter column platform drop not null;
    drop index sessions_expires_at_idx;
    alter table sessions alter column ip_address drop not null, drop column expires_at, drop column authenticated_at;
  `);
}

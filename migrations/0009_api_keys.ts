import type { Knex } from 'knex';

/** Keys for automation. Of a key only its SHA-256, its beginning and its end are kept. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table api_keys (
      id uuid primary key,
      user_id uuid not null references users (id),
      name text not null check (length(name) between 1 and 100),
      hashed_key bytea not null unique check (length(hashed_key) = 32),
      prefix text not null check (length(prefix) <= 16),
      last_four text not null check (length(last_four) = 4),
      scopes text[] not null,
      project_ids uuid[],
      expires_at timestamptz(3),
      revoked_at timestamptz(3),
      last_used_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create index api_keys_user_id_idx on api_keys (user_id);
    create index api_keys_expires_at_idx on api_keys (expires_at) where expires_at is not null;
    create trigger api_keys_touch before update on api_keys for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table api_keys');
}

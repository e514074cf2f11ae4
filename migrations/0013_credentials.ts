import type { Knex } from 'knex';

/**
 * What changes or completes a proof of who somebody is: password resets, addresses to be confirmed, second factors. Of
 * every token only its SHA-256 is kept; the secret of an authenticator is sealed. All but the second factor itself are
 * good once: `used_at` says when one was used, or made void by a newer one.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table password_resets (
      -- The id of the job that made it: a job that runs twice makes one.
      id uuid primary key,
      user_id uuid not null references users (id),
      token_hash bytea not null unique check (length(token_hash) = 32),
      expires_at timestamptz(3) not null,
      used_at timestamptz(3),
      created_at timestamptz(3) not null default now()
    );
    create index password_resets_user_id_idx on password_resets (user_id);
    create unique index password_resets_open_idx on password_resets (user_id) where used_at is null;
    create index password_resets_expires_at_idx on password_resets (expires_at);

    create table email_verifications (
      id uuid primary key,
      user_id uuid not null references users (id),
      -- The address to be confirmed: the account's own, or the one it is about to change to.
      email text not null check (length(email) <= 254),
      token_hash bytea not null unique check (length(token_hash) = 32),
      expires_at timestamptz(3) not null,
      used_at timestamptz(3),
      created_at timestamptz(3) not null default now()
    );
    create index email_verifications_user_id_idx on email_verifications (user_id);
    create unique index email_verifications_open_idx on email_verifications (user_id) where used_at is null;
    create index email_verifications_email_idx on email_verifications (lower(email));
    create index email_verifications_expires_at_idx on email_verifications (expires_at);

    create table mfa_secrets (
      user_id uuid primary key references users (id),
      -- AES-256-GCM, and the id of the key that sealed it.
      secret bytea not null check (length(secret) = 48),
      key_id text not null check (length(key_id) between 1 and 64),
      -- An enrolment waits until then; confirmed, it ends no more.
      expires_at timestamptz(3),
      confirmed_at timestamptz(3),
      -- The 30 seconds whose code was taken last: that one and those before it are used.
      last_used_step bigint check (last_used_step >= 0),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((confirmed_at is null) = (expires_at is not null))
    );
    create index mfa_secrets_expires_at_idx on mfa_secrets (expires_at) where expires_at is not null;
    create trigger mfa_secrets_touch before update on mfa_secrets for each row execute function touch_row();

    create table recovery_codes (
      id uuid primary key,
      user_id uuid not null references users (id),
      code_hash bytea not null check (length(code_hash) = 32),
      used_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      unique (user_id, code_hash)
    );

    -- A sign-in whose password was right, and what of it has to be kept until the second factor comes.
    create table mfa_challenges (
      id uuid primary key,
      user_id uuid not null references users (id),
      token_hash bytea not null unique check (length(token_hash) = 32),
      device_id text check (length(device_id) between 1 and 128),
      device_name text check (length(device_name) between 1 and 100),
      platform text check (length(platform) between 1 and 40),
      failures_before integer not null check (failures_before >= 0),
      -- Wrong codes; the fifth makes it void.
      failures integer not null default 0 check (failures between 0 and 5),
      expires_at timestamptz(3) not null,
      used_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      check ((device_id is null) = (device_name is null) and (device_id is null) = (platform is null))
    );
    create index mfa_challenges_user_id_idx on mfa_challenges (user_id);
    create index mfa_challenges_expires_at_idx on mfa_challenges (expires_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table mfa_challenges;
    drop table recovery_codes;
    drop table mfa_secrets;
    drop table email_verifications;
    drop table password_resets;
  `);
}

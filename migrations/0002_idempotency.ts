import type { Knex } from 'knex';

/**
 * Answers kept for a day under the client's Idempotency-Key. The key itself is never stored: `key_hash` finds the row,
 * and `answer` is encrypted under a key derived from it, so that the table alone gives nothing away.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table idempotency_keys (
      id uuid primary key,
      caller text not null check (length(caller) <= 80),
      operation_id text not null check (length(operation_id) <= 80),
      key_hash bytea not null check (length(key_hash) = 32),
      request_hash bytea not null check (length(request_hash) = 32),
      state text not null check (state in ('in_progress', 'done')),
      lease_token uuid not null,
      lease_until timestamptz(3) not null,
      status smallint check (status between 200 and 499),
      answer bytea,
      expires_at timestamptz(3) not null,
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      unique (caller, operation_id, key_hash),
      check ((state = 'done') = (answer is not null)),
      check ((answer is null) = (status is null))
    );
    create index idempotency_keys_expires_at_idx on idempotency_keys (expires_at);
    create trigger idempotency_keys_touch before update on idempotency_keys for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table idempotency_keys');
}

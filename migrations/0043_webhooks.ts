import type { Knex } from 'knex';

const eventTypes = [
  'project.updated', 'project.deleted', 'member.added', 'member.removed', 'task.created', 'task.updated', 'task.completed', 'comment.created',
  'preview.succeeded', 'preview.failed', 'ai_job.succeeded', 'ai_job.failed', 'refactor.succeeded', 'refactor.failed', 'repo.synced', 'repo.sync_failed',
  'webhook.test', 'webhook.disabled',
];
const listed = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

/** Endpoints that are told of a project's events, what is sent to them, and what each attempt came to. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table webhook_endpoints (
      id uuid primary key,
      project_id uuid not null references projects (id),
      url text not null check (length(url) between 8 and 2048 and url ~ '^https{0,1}://'),
      event_types text[] not null check (cardinality(event_types) between 1 and 18 and event_types <@ array[${listed(eventTypes)}]),
      is_active boolean not null default true,
      disabled_reason text check (disabled_reason in ('switched_off', 'failing', 'gone')),
      disabled_at timestamptz(3),
      -- Since when no attempt has arrived; null when the last one did.
      failing_since timestamptz(3),
      created_by uuid not null references users (id),
      -- Sealed (AES-256-GCM) with the key of that id; gone at once with the endpoint.
      secret bytea,
      secret_key_id text check (length(secret_key_id) <= 16),
      -- Signs beside the other until its end.
      previous_secret bytea,
      previous_secret_key_id text check (length(previous_secret_key_id) <= 16),
      previous_secret_expires_at timestamptz(3),
      -- From then on it is nobody's, and a sweep takes its deliveries and the row.
      deleted_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check (is_active = (disabled_at is null)),
      check ((disabled_at is null) = (disabled_reason is null)),
      check ((secret is null) = (deleted_at is not null)),
      check ((secret is null) = (secret_key_id is null)),
      check (num_nonnulls(previous_secret, previous_secret_key_id, previous_secret_expires_at) in (0, 3)),
      check (previous_secret is null or secret is not null)
    );
    create index webhook_endpoints_project_id_idx on webhook_endpoints (project_id, created_at desc, id desc);
    create index webhook_endpoints_created_by_idx on webhook_endpoints (created_by);
    create index webhook_endpoints_deleted_at_idx on webhook_endpoints (deleted_at) where deleted_at is not null;
    -- What a rotation left is forgotten when its time is over.
    create index webhook_endpoints_previous_idx on webhook_endpoints (previous_secret_expires_at) where previous_secret_expires_at is not null;
    create trigger webhook_endpoints_touch before update on webhook_endpoints for each row execute function touch_row();

    -- One for each event, whatever number of endpoints it goes to: the id is the header webhook-id.
    create table webhook_messages (
      id uuid primary key,
      project_id uuid not null references projects (id),
      type text not null check (type in (${listed(eventTypes)})),
      -- What tells an event that is heard of twice.
      event_key text unique check (length(event_key) between 1 and 200),
      -- The bytes that are signed and sent, as they are: so text, not jsonb.
      body text not null check (length(body) between 2 and 262144),
      created_at timestamptz(3) not null default now(),
      unique (id, type)
    );
    create index webhook_messages_project_id_idx on webhook_messages (project_id);
    create index webhook_messages_created_at_idx on webhook_messages (created_at);

    create table webhook_deliveries (
      id uuid primary key,
      webhook_id uuid not null references webhook_endpoints (id),
      event_id uuid not null,
      event_type text not null,
      trigger text not null check (trigger in ('occurrence', 'test', 'redelivery')),
      status text not null default 'pending' check (status in ('pending', 'succeeded', 'failed', 'cancelled')),
      attempt_count smallint not null default 0 check (attempt_count between 0 and 10),
      next_attempt_at timestamptz(3),
      -- Of the last attempt; null when nothing came back.
      response_status smallint check (response_status between 100 and 599),
      -- Held by whoever makes an attempt now.
      lease_token uuid,
      lease_expires_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      completed_at timestamptz(3),
      foreign key (event_id, event_type) references webhook_messages (id, type),
      check ((status = 'pending') = (completed_at is null)),
      check ((status = 'pending') = (next_attempt_at is not null)),
      check ((lease_token is null) = (lease_expires_at is null)),
      check (lease_token is null or status = 'pending')
    );
    -- An event comes to an endpoint once by itself; what is sent again is asked for.
    create unique index webhook_deliveries_occurrence_idx on webhook_deliveries (event_id, webhook_id) where trigger = 'occurrence';
    create index webhook_deliveries_event_id_idx on webhook_deliveries (event_id, event_type, webhook_id);
    create index webhook_deliveries_webhook_id_idx on webhook_deliveries (webhook_id, created_at desc, id desc);
    create index webhook_deliveries_status_idx on webhook_deliveries (webhook_id, status, created_at desc, id desc);
    create index webhook_deliveries_event_type_idx on webhook_deliveries (webhook_id, event_type, created_at desc, id desc);
    -- What is due is taken endpoint by endpoint, so that nobody waits behind another's backlog.
    create index webhook_deliveries_due_idx on webhook_deliveries (webhook_id, next_attempt_at, id) where status = 'pending';
    create index webhook_deliveries_leased_idx on webhook_deliveries (webhook_id) where lease_token is not null;
    create index webhook_deliveries_created_at_idx on webhook_deliveries (created_at);

    create table webhook_attempts (
      delivery_id uuid not null references webhook_deliveries (id) on delete cascade,
      number smallint not null check (number between 1 and 10),
      attempted_at timestamptz(3) not null,
      duration_ms integer not null check (duration_ms between 0 and 60000),
      response_status smallint check (response_status between 100 and 599),
      -- The first 20 kB of the answer.
      response_body text check (octet_length(response_body) <= 81920 and length(response_body) <= 20480),
      failure text check (failure in ('status', 'redirect', 'timeout', 'dns', 'connection', 'tls', 'address_refused')),
      primary key (delivery_id, number)
    );
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table webhook_attempts;
    drop table webhook_deliveries;
    drop table webhook_messages;
    drop table webhook_endpoints;
  `);
}

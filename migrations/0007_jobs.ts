import type { Knex } from 'knex';

/** What carries jobs: the outbox that leaves with each transaction, and the workers that come for the work. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table outbox (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('event', 'job')),
      topic text not null check (length(topic) <= 80),
      payload jsonb not null,
      attempts integer not null default 0,
      run_after timestamptz(3) not null default now(),
      created_at timestamptz(3) not null default now(),
      sent_at timestamptz(3)
    );
    create index outbox_unsent_idx on outbox (id) where sent_at is null;
    create index outbox_sent_at_idx on outbox (sent_at) where sent_at is not null;

    -- Wakes the relays at commit, so that the way from commit to queue takes milliseconds; they poll slowly besides.
    create function outbox_notify() returns trigger language plpgsql as $$
    begin
      perform pg_notify('outbox', '');
      return null;
    end $$;
    create trigger outbox_wake after insert on outbox for each statement execute function outbox_notify();

    create table worker_nodes (
      id uuid primary key,
      name text not null unique check (length(name) between 1 and 100),
      type text not null check (type in ('cpu', 'gpu')),
      cloudflare_id text check (length(cloudflare_id) <= 100),
      status text not null default 'active' check (status in ('active', 'draining', 'silent', 'stopped', 'revoked')),
      concurrency integer not null check (concurrency between 1 and 256),
      version text check (length(version) <= 60),
      capabilities jsonb not null default '{}',
      last_heartbeat_at timestamptz(3),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create index worker_nodes_status_idx on worker_nodes (status, last_heartbeat_at);
    create trigger worker_nodes_touch before update on worker_nodes for each row execute function touch_row();

    create table worker_heartbeats (
      id uuid primary key,
      node_id uuid not null references worker_nodes (id),
      metrics_json jsonb not null default '{}',
      "timestamp" timestamptz(3) not null default now()
    );
    create index worker_heartbeats_node_id_idx on worker_heartbeats (node_id, "timestamp" desc);
    create index worker_heartbeats_timestamp_idx on worker_heartbeats ("timestamp");
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table worker_heartbeats;
    drop table worker_nodes;
    drop table outbox;
    drop function outbox_notify();
  `);
}

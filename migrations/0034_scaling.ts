import type { Knex } from 'knex';

/** How many workers each class may have, and what was decided about it. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table scaling_rules (
      type text primary key check (type in ('cpu', 'gpu')),
      enabled boolean not null default true,
      min integer not null check (min between 0 and 1000),
      max integer not null check (max between 0 and 1000),
      scale_up_queue_length integer not null check (scale_up_queue_length between 1 and 1000000),
      target_wait_seconds integer not null check (target_wait_seconds between 1 and 86400),
      idle_seconds integer not null check (idle_seconds between 1 and 86400),
      cooldown_seconds integer not null check (cooldown_seconds between 1 and 86400),
      updated_by uuid references users (id),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check (min <= max)
    );
    create index scaling_rules_updated_by_idx on scaling_rules (updated_by);
    create trigger scaling_rules_touch before update on scaling_rules for each row execute function touch_row();
    insert into scaling_rules (type, min, max, scale_up_queue_length, target_wait_seconds, idle_seconds, cooldown_seconds)
    values ('cpu', 1, 4, 5, 10, 300, 60), ('gpu', 1, 2, 3, 20, 600, 120);

    create table scaling_events (
      id uuid primary key,
      type text not null references scaling_rules (type),
      action text not null check (action in ('scale_up', 'scale_down')),
      from_count integer not null check (from_count between 0 and 1000),
      to_count integer not null check (to_count between 0 and 1000),
      reason text not null check (length(reason) between 1 and 500),
      driver text not null check (driver in ('process', 'http', 'none')),
      outcome text not null default 'asked' check (outcome in ('asked', 'reached', 'failed')),
      error text check (length(error) <= 1000),
      -- Whom a scale-down asked to drain.
      worker_id uuid references worker_nodes (id),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((outcome = 'failed') = (error is not null))
    );
    create index scaling_events_listed_idx on scaling_events (created_at desc, id desc);
    create index scaling_events_type_idx on scaling_events (type, created_at desc, id desc);
    create index scaling_events_asked_idx on scaling_events (type) where outcome = 'asked';
    create index scaling_events_worker_id_idx on scaling_events (worker_id);
    create trigger scaling_events_touch before update on scaling_events for each row execute function touch_row();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table scaling_events;
    drop table scaling_rules;
  `);
}

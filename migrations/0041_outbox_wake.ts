import type { Knex } from 'knex';

/**
 * The notification says which of the relay's lanes has something to send (events, jobs, turns), so that a commit wakes that
 * lane and not all three: each look for nothing is a transaction. An empty one still wakes them all.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    create or replace function outbox_notify() returns trigger language plpgsql as $$
    begin
      perform pg_notify('outbox', lane)
         from (select distinct case when kind = 'event' then 'events' when turn_of is null then 'jobs' else 'turns' end as lane from added) as lanes;
      return null;
    end $$;
    drop trigger outbox_wake on outbox;
    create trigger outbox_wake after insert on outbox referencing new table as added for each statement execute function outbox_notify();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    create or replace function outbox_notify() returns trigger language plpgsql as $$
    begin
      perform pg_notify('outbox', '');
      return null;
    end $$;
    drop trigger outbox_wake on outbox;
    create trigger outbox_wake after insert on outbox for each statement execute function outbox_notify();
  `);
}

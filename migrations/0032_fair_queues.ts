import type { Knex } from 'knex';

/**
 * Whose turn a job's message is: of one account's waiting jobs a few at a time are sent to a queue, so that a long
 * backlog of one holds up nobody else. What was sent and not yet taken up is counted by `settled_at`.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    alter table outbox
      add column turn_of uuid,
      add column job_id uuid,
      add column epoch integer,
      -- Its job was taken up, ended, or was sent under another epoch: the message is no more ahead of its account's next.
      add column settled_at timestamptz(3),
      add constraint outbox_turn_check check (turn_of is null or (kind = 'job' and job_id is not null and epoch is not null));
    create index outbox_turn_idx on outbox (topic, turn_of, id) where kind = 'job' and sent_at is null and turn_of is not null;
    create index outbox_ahead_idx on outbox (topic, turn_of) where kind = 'job' and sent_at is not null and settled_at is null and turn_of is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop index outbox_ahead_idx;
    drop index outbox_turn_idx;
    alter table outbox drop constraint outbox_turn_check, drop column settled_at, drop column epoch, drop column job_id, drop column turn_of;
  `);
}

import type { Knex } from 'knex';

/** Built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/** What leaves without waiting for a turn is found past any backlog of what waits for one. */
export async function up(knex: Knex): Promise<void> {
  // One that a build broken off has left is not valid.
  await knex.raw('drop index concurrently if exists outbox_due_idx');
  await knex.raw('create index concurrently outbox_due_idx on outbox (kind, id) where sent_at is null and turn_of is null');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index concurrently if exists outbox_due_idx');
}

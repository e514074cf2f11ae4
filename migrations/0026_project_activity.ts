import type { Knex } from 'knex';

/** The audit grows large, so the index is built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/** What happened to one thing of a project: in a busy project its own trail is a small part of the whole. */
export async function up(knex: Knex): Promise<void> {
  // One that a build broken off has left is not valid.
  await knex.raw('drop index if exists audit_logs_project_entity_idx');
  await knex.raw(`
    create index concurrently audit_logs_project_entity_idx on audit_logs (entity_id, created_at desc, id desc) where project_id is not null`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index if exists audit_logs_project_entity_idx');
}

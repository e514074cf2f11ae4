import type { Knex } from 'knex';

/** The table may be large, so indexes are built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/** What ended in the last hour; and jobs by when they were asked for, with all that statistics count in the index itself. */
const built: readonly (readonly [string, string])[] = [
  ['preview_jobs_completed_at_idx', 'preview_jobs (completed_at) where completed_at is not null'],
  ['preview_jobs_asked_idx', 'preview_jobs (created_at) include (tier, status, target_platform, queued_at, started_at, completed_at)'],
];

export async function up(knex: Knex): Promise<void> {
  for (const [name, on] of built) {
    // One that a build broken off has left is not valid.
    await knex.raw(`drop index concurrently if exists ${name}`);
    await knex.raw(`create index concurrently ${name} on ${on}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const [name] of built) await knex.raw(`drop index concurrently if exists ${name}`);
}

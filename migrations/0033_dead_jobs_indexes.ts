import type { Knex } from 'knex';

/** The tables may be large, so indexes are built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/** Few rows each: only the dead stand in them. */
const built: readonly (readonly [string, string])[] = [
  ['preview_jobs_dead_idx', 'preview_jobs (died_at desc, id desc) where died_at is not null'],
  ['preview_jobs_dead_project_idx', 'preview_jobs (project_id, died_at desc, id desc) where died_at is not null'],
  ['system_jobs_dead_idx', 'system_jobs (died_at desc, id desc) where died_at is not null'],
  ['system_jobs_dead_kind_idx', 'system_jobs (kind, died_at desc, id desc) where died_at is not null'],
];
const validated = [['preview_jobs', 'died_check'], ['preview_jobs', 'max_attempts_check'], ['system_jobs', 'died_check']] as const;

export async function up(knex: Knex): Promise<void> {
  for (const [name, on] of built) {
    // One that a build broken off has left is not valid.
    await knex.raw(`drop index concurrently if exists ${name}`);
    await knex.raw(`create index concurrently ${name} on ${on}`);
  }
  for (const [table, constraint] of validated) await knex.raw(`alter table ${table} validate constraint ${table}_${constraint}`);
}

export async function down(knex: Knex): Promise<void> {
  for (const [name] of built) await knex.raw(`drop index concurrently if exists ${name}`);
}

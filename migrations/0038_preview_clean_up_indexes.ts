import type { Knex } from 'knex';

/** The tables may be large, so indexes are built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

/** What each stage of the clean-up walks: a job stands in one of them at a time, and in none when it is done. */
const built: readonly (readonly [string, string])[] = [
  ['preview_jobs_deleted_idx', 'preview_jobs (deleted_at) where deleted_at is not null and unlinked_at is null'],
  ['preview_jobs_artifacts_expire_at_idx', 'preview_jobs (artifacts_expire_at) where artifacts_expire_at is not null and unlinked_at is null'],
  ['preview_jobs_given_up_idx', "preview_jobs (completed_at) where status in ('failed', 'cancelled', 'timed_out') and artifacts_expire_at is null and unlinked_at is null"],
  ['preview_jobs_unlinked_idx', 'preview_jobs (unlinked_at) where unlinked_at is not null and objects_erased_at is null'],
  ['preview_jobs_objects_erased_idx', 'preview_jobs (objects_erased_at) where objects_erased_at is not null and reduced_at is null'],
  ['source_blobs_last_used_at_idx', 'source_blobs (last_used_at) where condemned_at is null'],
  ['source_blobs_condemned_at_idx', 'source_blobs (condemned_at) where condemned_at is not null'],
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

import type { Sweep } from '#jobs/scheduled.ts';
import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';

/** The log of view tokens is for looking into who saw what lately; a token itself holds for minutes. */
const tokenDays = 30;

const sweepTokensSql = `
  with old as (
    select id from preview_sessions where expires_at < now() - interval '${tokenDays} days' limit $1 for update skip locked
  )
  delete from preview_sessions using old where preview_sessions.id = old.id returning preview_sessions.id`;

/** Who had a share is told for so long that it is over; then there never was one. */
const shareDays = 30;

/** Those that end with the artifacts stay as long as their job. */
const sweepSharesSql = `
  with old as (
    select id from preview_shares where coalesce(revoked_at, expires_at) < now() - interval '${shareDays} days' limit $1 for update skip locked
  )
  delete from preview_shares using old where preview_shares.id = old.id returning preview_shares.id`;

/** What previews leave behind that nobody looks for any more. */
export const previewSweeps = (db: Database): Sweep[] => [
  { name: 'preview_shares', everySeconds: 6 * 3_600, run: (signal) => deleteInBatches(db, 'previews.sweep_shares', sweepSharesSql, signal) },
  { name: 'preview_tokens', everySeconds: 6 * 3_600, run: (signal) => deleteInBatches(db, 'previews.sweep_tokens', sweepTokensSql, signal) },
];

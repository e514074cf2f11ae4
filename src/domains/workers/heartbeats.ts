import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';

/** A node sends 8,640 a day; what is older than this helps nobody to see how it fares. */
const heartbeatDays = 2;

const sweepSql = `
  with old as (
    select id from worker_heartbeats where "timestamp" < now() - interval '${heartbeatDays} days' limit $1 for update skip locked
  )
  delete from worker_heartbeats using old where worker_heartbeats.id = old.id returning worker_heartbeats.id`;

/** Deletes what workers said of themselves long ago. Answers how many rows went. */
export const sweepHeartbeats = (db: Database, signal?: AbortSignal): Promise<number> => deleteInBatches(db, 'workers.sweep_heartbeats', sweepSql, signal);

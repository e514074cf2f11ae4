import type { Database } from '#platform/database.ts';
import { sweepSql } from './queries.ts';

const batch = 1_000;
/** Bounds one run to 100,000 rows; the schedule calls again. */
const maxBatches = 100;

/** Deletes expired idempotency keys in short transactions. Any number of processes may do it at once. Answers how many went. */
export async function sweepIdempotencyKeys(db: Database, signal?: AbortSignal): Promise<number> {
  let swept = 0;
  for (let run = 0; run < maxBatches && signal?.aborted !== true; run += 1) {
    const rows = await db.named('idempotency.sweep', sweepSql, [batch]);
    swept += rows.length;
    if (rows.length < batch) break;
  }
  return swept;
}

import type { Database } from '../database.ts';

const batchSize = 1_000;
/** Bounds one run to 100,000 rows; the schedule calls again. */
const maxBatches = 100;

/**
 * Deletes in short transactions, so that nobody waits long for a row. `sql` takes the size of a batch as its first value
 * and returns a row for each that went; it skips what is locked, so any number of processes may run it. Answers how many went.
 */
export async function deleteInBatches(db: Pick<Database, 'named'>, name: string, sql: string, signal?: AbortSignal): Promise<number> {
  let deleted = 0;
  for (let batch = 0; batch < maxBatches && signal?.aborted !== true; batch += 1) {
    const rows = await db.named(name, sql, [batchSize]);
    deleted += rows.length;
    if (rows.length < batchSize) break;
  }
  return deleted;
}

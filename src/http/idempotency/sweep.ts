import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';
import { sweepSql } from './queries.ts';

/** Deletes expired idempotency keys. Answers how many went. */
export const sweepIdempotencyKeys = (db: Database, signal?: AbortSignal): Promise<number> => deleteInBatches(db, 'idempotency.sweep', sweepSql, signal);

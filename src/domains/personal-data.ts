/**
 * What a domain says of the personal data it keeps: how an account's are erased, and how they are handed out. A domain
 * that comes to keep some adds its stages (`erasure.ts`) and sections (`export.ts`); services.ts lists them in order.
 */
import type { Readable } from 'node:stream';
import { sha256Hex } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';

/** One part of an account's data, erased when the account was deleted. */
export interface ErasureStage {
  /** `previews`: under this name the account's erasure notes that it is done. Never renamed. */
  readonly name: string;
  /**
   * Erases in short steps until nothing is left, and answers how much went. Run again, also after a part of the work, it
   * ends the same. Throws the signal's reason where it aborts.
   */
  run(userId: string, signal: AbortSignal): Promise<number>;
}

/** One part of what an account's export holds: a file of the archive. */
export interface ExportSection {
  /** `preview_jobs` becomes `preview_jobs.json`. */
  readonly name: string;
  /** The rows as they are handed out, without secrets and without other people's data; read in batches, never all at once. */
  rows(userId: string): AsyncIterable<object>;
}

/** A file of the account's own that goes into its export as it is. */
export interface ExportFile {
  /** Relative, with plain segments: where it lies in the archive. */
  readonly path: string;
  readonly size: number;
  /** Null where its content is not there any more. */
  open(signal: AbortSignal): Promise<Readable | null>;
}

/** Files of the account, in the order they are taken into its export until that is full. */
export type ExportFiles = (userId: string) => AsyncIterable<ExportFile>;

/** Rows taken in one statement of an erasure or export. */
export const batchSize = 1_000;

/** Runs a step that takes a batch until one takes nothing; answers how much went in all. */
export async function untilNoneIsLeft(signal: AbortSignal, step: () => Promise<number>): Promise<number> {
  for (let erased = 0; ;) {
    signal.throwIfAborted();
    const count = await step();
    if (count === 0) return erased;
    erased += count;
  }
}

/** Deletes a table's rows of an account, or of whatever `$1` of the condition names, a batch in each statement. */
export async function eraseRows(db: Pick<Database, 'named'>, table: string, condition: string, id: string, signal: AbortSignal): Promise<number> {
  const sql = `
    with gone as (select ctid from ${table} where ${condition} limit ${batchSize} for update)
    delete from ${table} using gone where ${table}.ctid = gone.ctid returning 1`;
  // PostgreSQL knows statements by the first 63 characters of their names.
  const name = `erasure.${table}.${sha256Hex(condition).slice(0, 8)}`;
  return untilNoneIsLeft(signal, async () => (await db.named(name, sql, [id])).length);
}

/** Before every id. */
export const firstId = '00000000-0000-0000-0000-000000000000';

/** The rows of a section whose statement answers, of `$1`'s, those with an id above `$2`, `batchSize` at a time. */
export const rowsById = (db: Pick<Database, 'named'>, name: string, sql: string, userId: string): AsyncGenerator<{ readonly id: string }> =>
  inBatches<{ readonly id: string }>((last) => db.named(name, sql, [userId, last?.id ?? firstId]));

/** Rows in the order of their key, `batchSize` at a time: `read` answers those after the last one seen, null at first. */
export async function* inBatches<Row>(read: (last: Row | null) => Promise<readonly Row[]>): AsyncGenerator<Row> {
  for (let last: Row | null = null; ;) {
    const rows: readonly Row[] = await read(last);
    yield* rows;
    last = rows.at(-1) ?? null;
    if (rows.length < batchSize) return;
  }
}

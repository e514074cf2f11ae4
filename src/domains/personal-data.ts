/**
 * What a domain says of the personal data it keeps: how an account's are erased, and how they are handed out. A domain
 * that comes to keep some adds its stages (`erasure.ts`) and sections (`export.ts`); services.ts lists them in order.
 */

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

/** Rows taken in one statement of an erasure or export. */
export const batchSize = 1_000;

/** Runs a step that takes at most `batchSize` rows until one takes fewer; answers how many went in all. */
export async function eraseInBatches(signal: AbortSignal, step: () => Promise<number>): Promise<number> {
  for (let erased = 0; ;) {
    signal.throwIfAborted();
    const count = await step();
    erased += count;
    if (count < batchSize) return erased;
  }
}

/** Rows in the order of their key, `batchSize` at a time: `read` answers those after the last one seen, null at first. */
export async function* inBatches<Row>(read: (last: Row | null) => Promise<readonly Row[]>): AsyncGenerator<Row> {
  for (let last: Row | null = null; ;) {
    const rows: readonly Row[] = await read(last);
    yield* rows;
    last = rows.at(-1) ?? null;
    if (rows.length < batchSize) return;
  }
}

/** The files of a build, wherever they come from, with their hashes. */
import { HiveSyncError } from '../errors.ts';

/** A file handed over as it is. */
export interface GivenFile {
  /** Relative to the project's root, with forward slashes. */
  readonly path: string;
  readonly content: string | Uint8Array<ArrayBuffer> | Blob;
}

/** A file whose content can be had, once or again, without being held. */
export interface SourceFile {
  readonly path: string;
  readonly size: number;
  content(): Promise<Blob>;
}

export interface HashedFile extends SourceFile { readonly sha256: string }

/** The API's own bounds for the largest tier, so that what cannot succeed is not begun. */
export const bounds = { files: 40_000, totalBytes: 524_288_000 } as const;
/** Reading and hashing at once: more gains nothing on two cores, and each holds one file. */
const hashedAtOnce = 4;

export function checkBounds(files: readonly SourceFile[]): void {
  if (files.length === 0) throw new HiveSyncError('BAD_SOURCES', 'There are no files to build.');
  if (files.length > bounds.files) throw new HiveSyncError('BAD_SOURCES', `There are more than ${bounds.files} files; exclude some with \`ignore\`.`);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  if (total > bounds.totalBytes) throw new HiveSyncError('BAD_SOURCES', `The files have more than ${bounds.totalBytes} bytes; exclude some with \`ignore\`.`);
}

export function fromGiven(files: readonly GivenFile[]): SourceFile[] {
  return files.map(({ path, content }) => {
    const blob = content instanceof Blob ? content : new Blob([content]);
    return { path, size: blob.size, content: async () => blob };
  });
}

const toHex = (bytes: ArrayBuffer): string => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Runs work over items, `limit` at a time; the first failure stops the rest and is thrown. */
export async function eachAtOnce<Item>(items: readonly Item[], limit: number, work: (item: Item, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next;
      next += 1;
      const item = items[index];
      if (item === undefined) return;
      try {
        await work(item, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}

/** @param onDone called with how many are hashed */
export async function hashAll(files: readonly SourceFile[], signal: AbortSignal | undefined, onDone: (done: number) => void): Promise<HashedFile[]> {
  const hashed: HashedFile[] = [];
  let done = 0;
  await eachAtOnce(files, hashedAtOnce, async (file, index) => {
    signal?.throwIfAborted();
    const bytes = await (await file.content()).arrayBuffer();
    if (bytes.byteLength !== file.size) throw new HiveSyncError('BAD_SOURCES', `${file.path} changed while it was read.`);
    hashed[index] = { ...file, sha256: toHex(await crypto.subtle.digest('SHA-256', bytes)) };
    done += 1;
    onDone(done);
  });
  return hashed;
}

/** A project's folder as a live session follows it: its files with their hashes, read again as they change. Node alone. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FolderWatcher, type WatchOptions } from './folder-watcher.ts';
import { findProject, type FoundFile } from './project-folder.ts';
import { eachAtOnce, type HashedFile } from './sources.ts';

export type Files = ReadonlyMap<string, HashedFile>;

interface Read { readonly stamp: string; readonly sha256: string; readonly size: number; readonly isFresh: boolean }

const readsAtOnce = 4;
/**
 * A file that was written so shortly before it was read may be written again without a change of its times, which some file
 * systems keep by the second or two: it is read again the next time.
 */
const freshMs = 2_000;
/** A folder that cannot be read is looked at again after so long: it may have been moved for a moment. */
const retryMs = 1_000;

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export class LiveFolder {
  readonly #root: string;
  readonly #ignore: ((path: string) => boolean) | undefined;
  readonly #watcher: FolderWatcher;
  #read = new Map<string, Read>();

  constructor(root: string, options: WatchOptions = {}) {
    this.#root = root;
    this.#ignore = options.ignore;
    this.#watcher = new FolderWatcher(root, options);
  }

  /** Settles once something may have changed since `files` was last called; also when it is closed. */
  async next(): Promise<void> {
    await this.#watcher.next();
  }

  /** Has `next` settle, as though something had changed. */
  touch(): void {
    this.#watcher.touch();
  }

  close(): void {
    this.#watcher.close();
  }

  /**
   * The files as they are now; of those whose size and times are as they were nothing is read.
   * @throws HiveSyncError BAD_SOURCES where the folder cannot be read or holds too much; it is looked at again by itself
   */
  async files(): Promise<Files> {
    try {
      let found = await findProject(this.#root, this.#ignore);
      // What came before its folder was watched nobody told of.
      while (this.#watcher.follow(found.folders)) found = await findProject(this.#root, this.#ignore);
      return await this.#hash(found.files);
    } catch (error) {
      this.#watcher.forget();
      this.#watcher.touch(retryMs);
      throw error;
    }
  }

  async #hash(found: readonly FoundFile[]): Promise<Files> {
    const files = new Map<string, HashedFile>();
    const read = new Map<string, Read>();
    await eachAtOnce(found, readsAtOnce, async (file) => {
      const known = this.#read.get(file.place);
      const now = known !== undefined && known.stamp === file.stamp && !known.isFresh ? known : await this.#readOne(file);
      if (now === null) return;
      read.set(file.place, now);
      files.set(file.path, { path: file.path, size: now.size, sha256: now.sha256, content: file.content });
    });
    this.#read = read;
    return files;
  }

  /** Null where it is gone by now. */
  async #readOne({ place, stamp, size, modifiedMs }: FoundFile): Promise<Read | null> {
    const readAt = Date.now();
    let bytes: Uint8Array;
    try {
      bytes = await readFile(place);
    } catch {
      this.#watcher.touch(retryMs);
      return null;
    }
    // Written while it was read: its end comes with the next look.
    if (bytes.length !== size) this.#watcher.touch();
    return { stamp, sha256: sha256Of(bytes), size: bytes.length, isFresh: bytes.length !== size || readAt - modifiedMs < freshMs };
  }
}

/** Tells when something in a folder may have changed. Node alone. */
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { isSource } from './project-folder.ts';

export interface WatchOptions {
  /** Further paths whose changes are of no matter. */
  readonly ignore?: ((path: string) => boolean) | undefined;
  /** The folder is looked at this often, in place of waiting for the system to tell: for folders that it tells nothing of. */
  readonly pollMs?: number | undefined;
  /** Whether the system watches what lies below by itself; else each folder is watched. Default: on macOS and Windows. */
  readonly isRecursive?: boolean | undefined;
}

/** An editor's save is two to five events within a few milliseconds; a formatter's follows some 20 ms after it. */
const quietMs = 30;
/** Who writes without a pause is looked at after this long all the same. */
const longestMs = 500;
/** Where watches have run out. */
const fallbackPollMs = 1_000;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);

/**
 * Node's own recursive watching is native on macOS and Windows alone. Elsewhere it is made of a watch for every file and
 * folder, `node_modules` included, which takes seconds and the system's limit of watches; so each folder of sources is watched
 * here, as `follow` names them.
 */
export class FolderWatcher {
  readonly #root: string;
  readonly #options: WatchOptions;
  readonly #isRecursive: boolean;
  readonly #watchers = new Map<string, FSWatcher>();
  #poll: ReturnType<typeof setInterval> | null = null;
  #later: ReturnType<typeof setTimeout> | null = null;
  #changes = 0;
  #seen = 0;
  #isClosed = false;
  #wake = (): void => undefined;

  constructor(root: string, options: WatchOptions = {}) {
    this.#root = root;
    this.#options = options;
    this.#isRecursive = options.isRecursive ?? (process.platform === 'darwin' || process.platform === 'win32');
    if (options.pollMs !== undefined) this.#startPolling(options.pollMs);
  }

  /** Whether it looks at the folder from time to time, since the system does not tell. */
  get isPolling(): boolean {
    return this.#poll !== null;
  }

  /**
   * Watches these folders and no others.
   * @returns whether one was not watched before: something in it may have changed before it was
   */
  follow(folders: readonly string[]): boolean {
    if (this.#isClosed || this.#poll !== null) return false;
    const wanted = new Set(this.#isRecursive ? [''] : folders);
    for (const folder of this.#watchers.keys()) if (!wanted.has(folder)) this.#drop(folder);
    let isNew = false;
    for (const folder of wanted) {
      if (this.#watchers.has(folder) || this.isPolling) continue;
      isNew = this.#add(folder) || isNew;
    }
    return isNew;
  }

  /** Settles once something may have changed since the last time it settled, and was quiet then; also when it is closed. */
  async next(): Promise<void> {
    while (this.#changes === this.#seen && !this.#isClosed) await new Promise<void>((resolve) => { this.#wake = resolve; });
    const startedAt = performance.now();
    while (!this.#isClosed) {
      const before = this.#changes;
      await new Promise((resolve) => { setTimeout(resolve, quietMs); });
      if (this.#changes === before || performance.now() - startedAt >= longestMs) break;
    }
    this.#seen = this.#changes;
  }

  /** As though something had changed: now, or so much later. */
  touch(afterMs = 0): void {
    if (afterMs > 0) {
      this.#later ??= setTimeout(() => {
        this.#later = null;
        this.touch();
      }, afterMs);
      return;
    }
    this.#changes += 1;
    this.#wake();
  }

  /** Watches nothing, until `follow` says what. */
  forget(): void {
    for (const folder of [...this.#watchers.keys()]) this.#drop(folder);
  }

  close(): void {
    this.#isClosed = true;
    this.forget();
    if (this.#poll !== null) clearInterval(this.#poll);
    if (this.#later !== null) clearTimeout(this.#later);
    this.#wake();
  }

  #add(folder: string): boolean {
    try {
      const watcher = watch(join(this.#root, folder), { recursive: this.#isRecursive }, (type, name) => this.#told(folder, type, name));
      watcher.on('error', () => {
        this.#drop(folder);
        this.touch();
      });
      this.#watchers.set(folder, watcher);
      return true;
    } catch (error) {
      // Out of watches: not ours alone to count.
      if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EMFILE') {
        this.forget();
        this.#startPolling(fallbackPollMs);
      }
      // Gone again, or not to be had: the next look tells.
      this.touch(fallbackPollMs);
      return false;
    }
  }

  #told(folder: string, type: string, name: string | null): void {
    if (name === null) {
      this.touch();
      return;
    }
    const path = (folder === '' ? name : `${folder}/${name}`).replaceAll('\\', '/');
    if (!isSource(path) || this.#options.ignore?.(path) === true) return;
    // Another folder may have come by this name: the watch is of the one that went.
    if (type === 'rename') for (const watched of [...this.#watchers.keys()]) if (watched === path || watched.startsWith(`${path}/`)) this.#drop(watched);
    this.touch();
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  #startPolling(everyMs: number): void {
    this.#poll = setInterval(() => this.touch(), everyMs);
  }
}

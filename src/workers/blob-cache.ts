/**
 * Contents by their SHA-256 on this machine's disk, so that a file a worker has seen is not fetched again. Least
 * recently used ones leave when the bound is reached. A content is handed out only under the hash it was verified by;
 * which hash a job may ask for is the backend's to say, so one cache serves all projects of a worker.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

export interface BlobName {
  /** Hex. */
  readonly sha256: string;
  readonly size: number;
}

/** What arrived is not what was asked for. */
export class BlobMismatch extends Error {
  constructor(blob: BlobName, what: string) {
    super(`The content of ${blob.sha256} is wrong: ${what}.`);
    this.name = 'BlobMismatch';
  }
}

interface Entry {
  readonly size: number;
  /** Found on the disk at start: looked into once before it is trusted (a crash may have left half of it). */
  isVerified: boolean;
}

export type BlobSource = (blob: BlobName, signal?: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/** Contents that must stay until they are let go. */
export interface PinnedBlobs {
  /** Makes sure of one, by `source` if it has to be; answers the file that holds it. */
  obtain(blob: BlobName, source: BlobSource, signal?: AbortSignal): Promise<{ path: string; wasFetched: boolean }>;
  release(): void;
}

const nameForm = /^[0-9a-f]{64}$/u;

export class BlobCache {
  readonly #dir: string;
  readonly #maxBytes: number;
  /** In the order of their last use. */
  readonly #entries: Map<string, Entry>;
  /** What is being fetched, looked into or removed: whoever wants it waits. */
  readonly #busy = new Map<string, Promise<void>>();
  /** By how many each is held, or about to be: from before it is fetched until it is released. */
  readonly #pins = new Map<string, number>();
  #totalBytes: number;
  #evicting: Promise<void> = Promise.resolve();

  private constructor(dir: string, maxBytes: number, entries: Map<string, Entry>) {
    this.#dir = dir;
    this.#maxBytes = maxBytes;
    this.#entries = entries;
    this.#totalBytes = [...entries.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Opens the cache of one process: what an earlier one left is kept, half-written files are removed. */
  static async open(dir: string, maxBytes: number): Promise<BlobCache> {
    const found: { name: string; size: number; usedMs: number }[] = [];
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const group of await readdir(dir)) {
      for (const name of await readdir(join(dir, group))) {
        const path = join(dir, group, name);
        if (!nameForm.test(name)) {
          await rm(path, { recursive: true, force: true });
          continue;
        }
        const { size, mtimeMs } = await stat(path);
        found.push({ name, size, usedMs: mtimeMs });
      }
    }
    found.sort((a, b) => a.usedMs - b.usedMs);
    const cache = new BlobCache(dir, maxBytes, new Map(found.map(({ name, size }) => [name, { size, isVerified: false }])));
    await cache.#evict();
    return cache;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** A holder of contents: none of those it obtained is removed before it releases them. */
  pin(): PinnedBlobs {
    const pinned: string[] = [];
    return {
      obtain: async (blob, source, signal) => {
        if (!nameForm.test(blob.sha256)) throw new BlobMismatch(blob, 'its name is not a SHA-256');
        this.#hold(blob.sha256);
        pinned.push(blob.sha256);
        const wasFetched = await this.#ensure(blob, source, signal);
        const entry = this.#entries.get(blob.sha256);
        if (entry === undefined) throw new Error('a content that is held was removed');
        this.#entries.delete(blob.sha256);
        this.#entries.set(blob.sha256, entry);
        return { path: this.#pathOf(blob.sha256), wasFetched };
      },
      release: () => {
        for (const sha256 of pinned.splice(0)) this.#letGo(sha256);
        this.#evictSoon();
      },
    };
  }

  /** Waits for removals that are under way. */
  async settled(): Promise<void> {
    await this.#evicting;
  }

  async #ensure(blob: BlobName, source: BlobSource, signal?: AbortSignal): Promise<boolean> {
    for (;;) {
      const under = this.#busy.get(blob.sha256);
      if (under !== undefined) {
        // Another job fetches it, or it is being removed. A failure is the other's (its signal, its URL): then it is our turn.
        await under.catch(() => undefined);
        signal?.throwIfAborted();
        if (this.#isGood(blob)) return false;
        if (this.#busy.has(blob.sha256)) continue;
      }
      if (this.#isGood(blob)) return false;
      let wasFetched = true;
      const work = this.#entries.has(blob.sha256)
        ? this.#verify(blob).then(async (good) => {
            wasFetched = !good;
            if (!good) await this.#fetch(blob, source, signal);
          })
        : this.#fetch(blob, source, signal);
      const tracked = work.finally(() => this.#busy.delete(blob.sha256));
      tracked.catch(() => undefined);
      this.#busy.set(blob.sha256, tracked);
      await tracked;
      return wasFetched;
    }
  }

  #isGood(blob: BlobName): boolean {
    const entry = this.#entries.get(blob.sha256);
    return entry?.isVerified === true && entry.size === blob.size;
  }

  /** Looks into a file that an earlier process left. */
  async #verify(blob: BlobName): Promise<boolean> {
    const entry = this.#entries.get(blob.sha256);
    const path = this.#pathOf(blob.sha256);
    if (entry !== undefined && entry.size === blob.size && (await hashOf(path)) === blob.sha256) {
      entry.isVerified = true;
      // What the next start orders them by.
      const now = new Date();
      await utimes(path, now, now);
      return true;
    }
    this.#forget(blob.sha256);
    await rm(path, { force: true });
    return false;
  }

  async #fetch(blob: BlobName, source: BlobSource, signal?: AbortSignal): Promise<void> {
    const path = this.#pathOf(blob.sha256);
    const fresh = `${path}.${randomUUID()}`;
    await mkdir(join(this.#dir, blob.sha256.slice(0, 2)), { recursive: true, mode: 0o700 });
    try {
      const handle = await open(fresh, 'wx', 0o600);
      try {
        const hash = createHash('sha256');
        let size = 0;
        for await (const chunk of await source(blob, signal)) {
          size += chunk.length;
          if (size > blob.size) throw new BlobMismatch(blob, `longer than ${blob.size} bytes`);
          hash.update(chunk);
          // Whole, or an error: a bare write may stop in the middle where the disk is full.
          await handle.writeFile(chunk);
        }
        if (size !== blob.size) throw new BlobMismatch(blob, `${size} bytes in place of ${blob.size}`);
        if (hash.digest('hex') !== blob.sha256) throw new BlobMismatch(blob, 'another hash');
      } finally {
        await handle.close();
      }
      await rename(fresh, path);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
    this.#entries.set(blob.sha256, { size: blob.size, isVerified: true });
    this.#totalBytes += blob.size;
    this.#evictSoon();
  }

  #evictSoon(): void {
    if (this.#totalBytes <= this.#maxBytes) return;
    this.#evicting = this.#evicting.then(() => this.#evict()).catch(() => undefined);
  }

  async #evict(): Promise<void> {
    for (const sha256 of this.#entries.keys()) {
      if (this.#totalBytes <= this.#maxBytes) return;
      if (this.#pins.has(sha256) || this.#busy.has(sha256)) continue;
      this.#forget(sha256);
      const removal = rm(this.#pathOf(sha256), { force: true }).finally(() => this.#busy.delete(sha256));
      this.#busy.set(sha256, removal);
      await removal;
    }
  }

  #hold(sha256: string): void {
    this.#pins.set(sha256, (this.#pins.get(sha256) ?? 0) + 1);
  }

  #letGo(sha256: string): void {
    const count = (this.#pins.get(sha256) ?? 1) - 1;
    if (count === 0) this.#pins.delete(sha256);
    else this.#pins.set(sha256, count);
  }

  #forget(sha256: string): void {
    this.#totalBytes -= this.#entries.get(sha256)?.size ?? 0;
    this.#entries.delete(sha256);
  }

  #pathOf(sha256: string): string {
    return join(this.#dir, sha256.slice(0, 2), sha256);
  }
}

async function hashOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch {
    // Unreadable is as good as absent: it is fetched again.
    return null;
  }
  return hash.digest('hex');
}

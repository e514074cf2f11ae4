/** The transform caches of projects: a folder each, never shared, least recently used ones removed beyond the bounds. */
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

export interface CacheBounds {
  readonly projects: number;
  readonly bytes: number;
}

interface Folder { readonly id: string; readonly bytes: number; readonly usedMs: number }

const idForm = /^[0-9a-f-]{36}$/u;

export class ProjectCaches {
  readonly #dir: string;
  readonly #bounds: CacheBounds;
  readonly #inUse = new Map<string, number>();
  #trimming: Promise<void> = Promise.resolve();

  constructor(dir: string, bounds: CacheBounds) {
    this.#dir = dir;
    this.#bounds = bounds;
  }

  /** The folder of one project, kept until it is released. Two builds of a project may use it at once: its files are replaced whole. */
  async use(projectId: string): Promise<{ dir: string; release(): void }> {
    if (!idForm.test(projectId)) throw new Error('a project id is a UUID');
    const dir = join(this.#dir, projectId);
    this.#inUse.set(projectId, (this.#inUse.get(projectId) ?? 0) + 1);
    await this.#trimming;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const now = new Date();
    await utimes(dir, now, now);
    let isHeld = true;
    return {
      dir,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (this.#inUse.get(projectId) ?? 1) - 1;
        if (left > 0) this.#inUse.set(projectId, left);
        else this.#inUse.delete(projectId);
      },
    };
  }

  /** Brings the caches within their bounds; those in use stay. One that fails is its caller's to tell, and stands in nobody's way. */
  async trim(): Promise<void> {
    const trimmed = this.#trimming.then(() => this.#trim());
    this.#trimming = trimmed.catch(() => undefined);
    await trimmed;
  }

  async #trim(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const folders: Folder[] = [];
    for (const id of await readdir(this.#dir)) if (idForm.test(id)) folders.push(await describe(this.#dir, id));
    folders.sort((a, b) => a.usedMs - b.usedMs);
    let count = folders.length;
    let bytes = folders.reduce((sum, folder) => sum + folder.bytes, 0);
    for (const folder of folders) {
      if (count <= this.#bounds.projects && bytes <= this.#bounds.bytes) return;
      if (this.#inUse.has(folder.id)) continue;
      await rm(join(this.#dir, folder.id), { recursive: true, force: true });
      count -= 1;
      bytes -= folder.bytes;
    }
  }
}

/** A project's cache is a few files in one folder, and a folder for each result that is kept. */
async function describe(parent: string, id: string): Promise<Folder> {
  const dir = join(parent, id);
  return { id, bytes: await bytesIn(dir), usedMs: (await stat(dir)).mtimeMs };
}

async function bytesIn(dir: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(dir)) {
    const path = join(dir, name);
    const found = await stat(path).catch(ignoreAbsent);
    if (found?.isDirectory() === true) bytes += await bytesIn(path).catch(ignoreAbsent) ?? 0;
    else bytes += found?.size ?? 0;
  }
  return bytes;
}

/** A build replaces its cache by a rename: a draft that was listed may be gone. */
function ignoreAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** Walks the objects below a folder in the order of their keys' bytes, the order in which S3 lists. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { headerBytes, systemCode } from './object-file.ts';
import type { ListedObject } from './storage.ts';

/** Objects carry it, folders do not: so the keys `a` and `a/b` can stand side by side. */
export const objectSuffix = '.obj';
/** Folders carry it, so that a folder of the key `a.obj/b` is not taken for the object `a`. */
export const folderSuffix = '.dir';

interface Entry { readonly name: string; readonly path: string; readonly folder: boolean; readonly order: Buffer }

async function entries(folder: string): Promise<Entry[]> {
  let found: { readonly name: string; isDirectory(): boolean }[];
  try {
    found = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
  return found
    .flatMap((entry): Entry[] => {
      const isFolder = entry.isDirectory();
      const suffix = isFolder ? folderSuffix : objectSuffix;
      if (!entry.name.endsWith(suffix)) return [];
      const name = entry.name.slice(0, -suffix.length);
      // A folder's keys all go on with a slash: that is where it stands among its neighbours.
      return [{ name, path: join(folder, entry.name), folder: isFolder, order: Buffer.from(isFolder ? `${name}/` : name) }];
    })
    .sort((a, b) => Buffer.compare(a.order, b.order));
}

const isAfter = (key: string, after: string): boolean => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;

/** Whether any key that begins with `folderKey` (which ends in a slash) can sort after `after`. */
const mayHoldAfter = (folderKey: string, after: string): boolean => after.startsWith(folderKey) || isAfter(folderKey, after);

/**
 * Objects whose keys begin with `prefix` and sort after `after` (the empty string: all). Folders that cannot hold one
 * are not read; one folder's names are in memory at a time per level.
 */
export async function* walkObjects(root: string, prefix: string, after: string, folderKey = ''): AsyncGenerator<ListedObject> {
  for (const entry of await entries(root)) {
    const key = folderKey + entry.name;
    if (entry.folder) {
      const below = `${key}/`;
      const matches = below.startsWith(prefix) || prefix.startsWith(below);
      if (matches && mayHoldAfter(below, after)) yield* walkObjects(entry.path, prefix, after, below);
      continue;
    }
    if (!key.startsWith(prefix) || !isAfter(key, after)) continue;
    try {
      const stats = await stat(entry.path);
      yield { key, sizeBytes: stats.size - headerBytes, modifiedAtMs: Math.trunc(stats.mtimeMs) };
    } catch (error) {
      // Deleted since the folder was read.
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
}

/** What a process behind the weaker wall keeps on the host's disk: looked at from outside, since nothing bounds it from inside. */
import { chmod, lstat, opendir, readdir, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapBounded } from '#platform/concurrency.ts';

export type DiskBounds = {
  /** The one folder that the process can write to. */
  folder: string;
  bytes: number;
  /** Files and folders. */
  entries: number;
};

/** Looked at beside each other: four threads do it. */
const looksAtOnce = 32;
const blockBytes = 512;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);
/** Removed while it was looked at, or another thing by now. */
const gone: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR']);
/** A path too long, or a mode that shuts us out: no build makes such a thing. */
const hidden: ReadonlySet<unknown> = new Set(['ENAMETOOLONG', 'EACCES', 'EPERM', 'ELOOP']);

/** Files that lie in no folder any more and are open still: they hold their bytes as before. Linux alone tells of them. */
const removedButOpen = async (pid: number, folder: string): Promise<number> => {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const sizes = await mapBounded(descriptors, looksAtOnce, async (descriptor) => {
    const path = `/proc/${pid}/fd/${descriptor}`;
    const target = await readlink(path).catch(() => '');
    if (!target.startsWith(`${folder}/`) || !target.endsWith(' (deleted)')) return 0;
    return await stat(path).then(({ blocks }) => blocks * blockBytes, () => 0);
  });
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
};

/**
 * Whether more lies in the folder than may: looked at until that is plain. What the process keeps from being looked at
 * counts as too much; where it is we who cannot look (no descriptor is left, say) the next look tells.
 */
export const isDiskFull = async (pid: number, { folder, bytes: mostBytes, entries: mostEntries }: DiskBounds): Promise<boolean> => {
  let entries = 0;
  let bytes = await removedButOpen(pid, folder);
  const folders = [folder];
  try {
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      const files: string[] = [];
      try {
        for await (const entry of await opendir(at, { bufferSize: 256 })) {
          entries += 1;
          if (entries > mostEntries) return true;
          if (entry.isDirectory()) folders.push(join(at, entry.name));
          else files.push(join(at, entry.name));
        }
      } catch (error) {
        if (!gone.has(codeOf(error))) throw error;
      }
      const sizes = await mapBounded(files, looksAtOnce, (path) => lstat(path).then(({ blocks }) => blocks * blockBytes, (error: unknown) => {
        if (gone.has(codeOf(error))) return 0;
        throw error;
      }));
      bytes += sizes.reduce((sum, size) => sum + size, 0);
      if (bytes > mostBytes) return true;
    }
    return false;
  } catch (error) {
    return hidden.has(codeOf(error));
  }
};

const openUp = async (folder: string): Promise<void> => {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) if (entry.isDirectory()) await openUp(join(folder, entry.name));
};

/** Removes a folder with all that is in it, also what its process has shut. Nobody writes to it any more. */
export const removeFolder = async (folder: string): Promise<void> => {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    await openUp(folder);
    await rm(folder, { recursive: true, force: true });
  }
};

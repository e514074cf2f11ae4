/** A project's sources out of a folder. Node alone: a browser hands its files over. */
import { openAsBlob } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HiveSyncError } from '../errors.ts';
import { bounds, type SourceFile } from './sources.ts';

/** Never part of a build: the API refuses them, or a bundle has no use for them. */
const skippedNames: ReadonlySet<string> = new Set(['node_modules', '__MACOSX']);
/** The native projects, at the root: big, and not bundled. */
const skippedAtRoot: ReadonlySet<string> = new Set(['ios', 'android']);
/** Builds run with HiveSync's own configuration; the API refuses files that would change it. */
const configuration = /^(?:babel|metro)\.config\.(?:js|cjs|mjs|json|ts|cts|mts)$/;
const maxDepth = 64;

const isSkipped = (name: string, path: string): boolean =>
  name.startsWith('.') || skippedNames.has(name) || skippedAtRoot.has(path) || configuration.test(name);

/**
 * Every regular file below the folder, by path: without dotfiles, `node_modules`, the root's `ios` and `android`,
 * Babel's and Metro's configuration, symbolic links and whatever else is no regular file (a FIFO would never end).
 * @param ignore further paths to leave out; asked for folders too
 * @throws HiveSyncError BAD_SOURCES beyond the bounds
 */
export async function readProjectFolder(folder: string, ignore: (path: string) => boolean = () => false): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const walk = async (below: string, depth: number): Promise<void> => {
    if (depth > maxDepth) throw new HiveSyncError('BAD_SOURCES', `Folders are nested more than ${maxDepth} deep in ${below}.`);
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const relative = below === '' ? entry.name : `${below}/${entry.name}`;
      if (isSkipped(entry.name, relative) || ignore(relative)) continue;
      if (entry.isDirectory()) await walk(relative, depth + 1);
      else if (entry.isFile()) {
        const path = join(folder, relative);
        const { size } = await lstat(path);
        // macOS gives names decomposed; the API knows them composed.
        files.push({ path: relative.normalize('NFC'), size, content: async () => await openAsBlob(path) });
        if (files.length > bounds.files) throw new HiveSyncError('BAD_SOURCES', `There are more than ${bounds.files} files in the folder; exclude some with \`ignore\`.`);
      }
    }
  };
  try {
    await walk('', 1);
  } catch (cause) {
    if (cause instanceof HiveSyncError) throw cause;
    throw new HiveSyncError('BAD_SOURCES', `The folder could not be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

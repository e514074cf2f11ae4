/** A project's sources out of a folder. Node alone: a browser hands its files over. */
import { openAsBlob } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HiveSyncError } from '../errors.ts';
import { bounds, eachAtOnce, type SourceFile } from './sources.ts';

/** Never part of a build: the API refuses them, or a bundle has no use for them. */
const skippedNames: ReadonlySet<string> = new Set(['node_modules', '__MACOSX']);
/** The native projects, at the root: big, and not bundled. */
const skippedAtRoot: ReadonlySet<string> = new Set(['ios', 'android']);
/** Builds run with HiveSync's own configuration; the API refuses files that would change it. */
const configuration = /^(?:babel|metro)\.config\.(?:js|cjs|mjs|json|ts|cts|mts)$/;
const maxDepth = 64;

const isSkipped = (name: string, path: string): boolean =>
  name.startsWith('.') || skippedNames.has(name) || skippedAtRoot.has(path) || configuration.test(name);

/** Whether a path below a project's folder may be part of a build, as may everything above it. */
export const isSource = (path: string): boolean => {
  const names = path.split('/');
  return names.every((name, index) => !isSkipped(name, names.slice(0, index + 1).join('/')));
};

export interface FoundFile extends SourceFile {
  /** On this machine; `path` may differ from it by Unicode form. */
  readonly place: string;
  /** Another one as soon as the content may be another. */
  readonly stamp: string;
  readonly modifiedMs: number;
}

export interface FoundProject {
  /** By path. */
  readonly files: readonly FoundFile[];
  /** Those that were looked into, relative to the project's, which is the first and named "". */
  readonly folders: readonly string[];
}

/** Looked at beside each other: four threads do it. */
const looksAtOnce = 16;

/** Gone between being listed and being looked at: editors write beside a file and rename. */
const isGone = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/**
 * Every regular file below the folder: without dotfiles, `node_modules`, the root's `ios` and `android`,
 * Babel's and Metro's configuration, symbolic links and whatever else is no regular file (a FIFO would never end).
 * @param ignore further paths to leave out; asked for folders too
 * @throws HiveSyncError BAD_SOURCES beyond the bounds, or where the folder cannot be read
 */
export async function findProject(folder: string, ignore: (path: string) => boolean = () => false): Promise<FoundProject> {
  const files: FoundFile[] = [];
  const folders: string[] = [];
  const take = async (relative: string): Promise<void> => {
    const place = join(folder, relative);
    try {
      const { size, ino, mtimeMs, ctimeMs } = await lstat(place);
      // macOS gives names decomposed; the API knows them composed.
      files.push({ path: relative.normalize('NFC'), place, size, stamp: `${ino} ${size} ${mtimeMs} ${ctimeMs}`, modifiedMs: mtimeMs, content: async () => await openAsBlob(place) });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  };
  const walk = async (below: string, depth: number): Promise<void> => {
    if (depth > maxDepth) throw new HiveSyncError('BAD_SOURCES', `Folders are nested more than ${maxDepth} deep in ${below}.`);
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch((error: unknown) => {
      if (below !== '' && isGone(error)) return null;
      throw error;
    });
    if (entries === null) return;
    folders.push(below);
    const named = entries.map((entry) => ({ entry, relative: below === '' ? entry.name : `${below}/${entry.name}` }))
      .filter(({ entry, relative }) => !isSkipped(entry.name, relative) && !ignore(relative));
    await eachAtOnce(named.filter(({ entry }) => entry.isFile()), looksAtOnce, async ({ relative }) => await take(relative));
    if (files.length > bounds.files) throw new HiveSyncError('BAD_SOURCES', `There are more than ${bounds.files} files in the folder; exclude some with \`ignore\`.`);
    for (const { entry, relative } of named) if (entry.isDirectory()) await walk(relative, depth + 1);
  };
  try {
    await walk('', 1);
  } catch (cause) {
    if (cause instanceof HiveSyncError) throw cause;
    throw new HiveSyncError('BAD_SOURCES', `The folder could not be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), folders };
}

/** The files of `findProject`. */
export async function readProjectFolder(folder: string, ignore?: (path: string) => boolean): Promise<readonly SourceFile[]> {
  return (await findProject(folder, ignore)).files;
}

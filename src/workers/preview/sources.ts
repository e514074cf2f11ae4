/** Puts a project's files into an empty folder, from blobs that were verified before. */
import { constants } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mapBounded } from '#platform/concurrency.ts';
import { checkSourcePaths } from '#platform/source-paths.ts';

/** Many small files are written side by side; more than this gains nothing on one disk. */
const writersAtOnce = 16;

export class SourcePathsRefused extends Error {
  readonly faults: { index: number; path: string; rule: string; message: string }[];

  constructor(faults: { index: number; path: string; rule: string; message: string }[]) {
    super('The source paths break the rules of intake.');
    this.name = 'SourcePathsRefused';
    this.faults = faults;
  }
}

/**
 * Writes each file below `sourceDir`, which must be empty or missing.
 *
 * @param files path in the project → file on this machine that holds its bytes.
 * @throws SourcePathsRefused when a path breaks a rule (nothing is written then), or the file system's own error.
 */
export const materialiseSources = async (sourceDir: string, files: ReadonlyMap<string, string>, entryFile: string): Promise<void> => {
  const listed = [...files].map(([path, blobFile]) => ({ path, blobFile }));
  const checked = checkSourcePaths(listed, entryFile);
  if (!checked.ok) throw new SourcePathsRefused(checked.faults);

  await mkdir(sourceDir, { recursive: true });
  const targets = checked.normalised.map((path, index) => ({ target: join(sourceDir, path), blobFile: listed[index]?.blobFile ?? '' }));
  for (const folder of new Set(targets.map(({ target }) => dirname(target)))) await mkdir(folder, { recursive: true });

  // Exclusive: two paths that meet in one file (a case-insensitive disk) are an error, not an overwrite, and no link is followed.
  await mapBounded(targets, writersAtOnce, async ({ target, blobFile }) => { await copyFile(blobFile, target, constants.COPYFILE_EXCL); });
};

/** The files one run writes, kept together until all of them are made, so that a failed run leaves nothing half new. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Path below the output folder → text. */
export type Files = Map<string, string>;

export const banner = '// Written by `npm run generate` from openapi/. Never edit it here.\n';

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
}

/** The text of every file below a folder. */
export async function readFiles(folder: string): Promise<Files> {
  const files: Files = new Map();
  for (const path of await filesBelow(folder)) files.set(path, await readFile(join(folder, path), 'utf8'));
  return files;
}

/** Makes the folder hold exactly these files; what has not changed is not touched (watchers stay quiet). */
export async function writeFiles(folder: string, files: Files): Promise<{ written: number; removed: number }> {
  const present = await readFiles(folder);
  let written = 0;
  let removed = 0;
  for (const [path, text] of files) {
    if (present.get(path) === text) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
    written += 1;
  }
  for (const path of present.keys()) {
    if (files.has(path)) continue;
    await rm(join(folder, path));
    removed += 1;
  }
  return { written, removed };
}

/** How a folder differs from what it should hold; empty when it does not. */
export async function differences(folder: string, files: Files): Promise<string[]> {
  const present = await readFiles(folder);
  const found: string[] = [];
  for (const [path, text] of files) {
    const there = present.get(path);
    if (there === undefined) found.push(`${path} is missing`);
    else if (there !== text) found.push(`${path} differs`);
  }
  for (const path of present.keys()) if (!files.has(path)) found.push(`${path} should not be there`);
  return found;
}

/** Reads a folder of sources for a build: regular files only, bounded in number and size, and nothing followed. */
import { constants, existsSync, type Dirent } from 'node:fs';
import { type FileHandle, open, opendir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildFailure } from './child/protocol.ts';

export class SourceRefused extends Error {
  readonly failure: BuildFailure;

  constructor(failure: BuildFailure) {
    super(failure.message);
    this.name = 'SourceRefused';
    this.failure = failure;
  }
}

/** Folders hold files; a project of more folders than this is there to keep the reader busy. */
const foldersPerFile = 2;

/** Small files are bound by the way through the thread pool: 29 of them took 26 ms one after the other (measured). */
const readAtOnce = 8;

export type SourceBounds = { files: number; bytes: number; fileBytes: number };

const notRegular = (path: string): SourceRefused =>
  new SourceRefused({ code: 'BUILD_ERROR', message: `"${path}" is not a regular file.`, file: path });

/**
 * What opening says of a path that is no file or folder of the project's: a link or a FIFO, gone or replaced since it was
 * listed, not to be read, longer than a path may be, or a name that is no text. One answer for all, so that it tells nothing.
 */
const notOfTheProject: ReadonlySet<unknown> = new Set(['ELOOP', 'ENXIO', 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ENAMETOOLONG', 'ENODEV', 'EINVAL']);

/** Opens without following a link and without waiting (a FIFO would). */
const openAt = async (root: string, path: string, flags: number): Promise<FileHandle> => {
  try {
    return await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | flags);
  } catch (error) {
    if (error instanceof Error && 'code' in error && notOfTheProject.has(error.code)) throw notRegular(path);
    throw error;
  }
};

/** Whether there is `/proc` to name what is open by its descriptor. */
const hasProcess = existsSync('/proc/self/fd');

/** The entries of one folder, of the very folder that lies at its path: what a link leads to is not even listed. */
async function* entriesOf(root: string, folder: string): AsyncGenerator<Dirent> {
  const handle = await openAt(root, folder, constants.O_DIRECTORY);
  try {
    if (!(await isAt(handle.fd, join(root, folder)))) throw notRegular(folder);
    yield* await opendir(hasProcess ? `/proc/self/fd/${handle.fd}` : join(root, folder));
  } finally {
    await handle.close();
  }
}

/** Paths of all files below `root`, relative, in no order. Throws SourceRefused at the first that is no regular file. */
const listFiles = async (root: string, bounds: SourceBounds): Promise<string[]> => {
  const files: string[] = [];
  let folderCount = 0;
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of entriesOf(root, folder)) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        folders.push(path);
        folderCount += 1;
      } else if (entry.isFile()) files.push(path);
      else throw notRegular(path);
      if (files.length > bounds.files) throw new SourceRefused({ code: 'TOO_LARGE', message: `The project has more than ${bounds.files} files.` });
      if (folderCount > bounds.files * foldersPerFile) throw new SourceRefused({ code: 'TOO_LARGE', message: 'The project has too many folders.' });
    }
  }
  return files;
};

/** Whether what was opened lies where its path says, and no folder on the way has become a link meanwhile. Where the system does not tell, it is taken to. */
const isAt = async (descriptor: number, path: string): Promise<boolean> => {
  try {
    return (await readlink(`/proc/self/fd/${descriptor}`)) === path;
  } catch {
    return true;
  }
};

/** One file's bytes; looked at once it is open. */
const readRegular = async (root: string, path: string, bounds: SourceBounds): Promise<Buffer> => {
  const handle = await openAt(root, path, 0);
  try {
    const status = await handle.stat();
    // A second name of it may lie anywhere on the disk.
    if (!status.isFile() || status.nlink !== 1 || !(await isAt(handle.fd, join(root, path)))) throw notRegular(path);
    if (status.size > bounds.fileBytes) {
      throw new SourceRefused({ code: 'TOO_LARGE', message: `"${path}" is larger than ${bounds.fileBytes} bytes.`, file: path });
    }
    const bytes = Buffer.alloc(status.size);
    const { bytesRead } = await handle.read(bytes, 0, status.size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
};

/**
 * Hands every file below `root` to `take`, one at a time.
 *
 * @returns count and size of what was read.
 * @throws SourceRefused for a link (a hard one too), a FIFO or device, and for more files or bytes than allowed.
 */
export const readSourceFolder = async (
  root: string,
  bounds: SourceBounds,
  take: (path: string, bytes: Buffer) => Promise<void>,
): Promise<{ files: number; bytes: number }> => {
  const place = await realpath(root);
  const files = await listFiles(place, bounds);
  let total = 0;
  for (let start = 0; start < files.length; start += readAtOnce) {
    const batch = files.slice(start, start + readAtOnce);
    const contents = await Promise.all(batch.map((path) => readRegular(place, path, bounds)));
    for (const [index, bytes] of contents.entries()) {
      total += bytes.length;
      if (total > bounds.bytes) throw new SourceRefused({ code: 'TOO_LARGE', message: `The project is larger than ${bounds.bytes} bytes.` });
      await take(batch[index] ?? '', bytes);
    }
  }
  return { files: files.length, bytes: total };
};

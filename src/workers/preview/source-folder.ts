/** Reads a folder of sources for a build: regular files only, bounded in number and size, and nothing followed. */
import { constants } from 'node:fs';
import { open, opendir, readlink, realpath } from 'node:fs/promises';
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

export type SourceBounds = { files: number; bytes: number; fileBytes: number };

const notRegular = (path: string): SourceRefused =>
  new SourceRefused({ code: 'BUILD_ERROR', message: `"${path}" is not a regular file.`, file: path });

const isLink = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ELOOP' || error.code === 'ENXIO');

/** Paths of all files below `root`, relative, in no order. Throws SourceRefused at the first that is no regular file. */
const listFiles = async (root: string, bounds: SourceBounds): Promise<string[]> => {
  const files: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(join(root, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) files.push(path);
      else throw notRegular(path);
      if (files.length + folders.length > bounds.files) {
        throw new SourceRefused({ code: 'TOO_LARGE', message: `The project has more than ${bounds.files} files.` });
      }
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

/** One file's bytes. Opened without following a link and without waiting (a FIFO would), and looked at once open. */
const readRegular = async (root: string, path: string, bounds: SourceBounds): Promise<Buffer> => {
  let handle;
  try {
    handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isLink(error)) throw notRegular(path);
    throw error;
  }
  try {
    const status = await handle.stat();
    if (!status.isFile() || !(await isAt(handle.fd, join(root, path)))) throw notRegular(path);
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
 * @throws SourceRefused for a link, a FIFO or device, and for more files or bytes than allowed.
 */
export const readSourceFolder = async (
  root: string,
  bounds: SourceBounds,
  take: (path: string, bytes: Buffer) => Promise<void>,
): Promise<{ files: number; bytes: number }> => {
  const files = await listFiles(root, bounds);
  const place = await realpath(root);
  let total = 0;
  for (const path of files) {
    const bytes = await readRegular(place, path, bounds);
    total += bytes.length;
    if (total > bounds.bytes) throw new SourceRefused({ code: 'TOO_LARGE', message: `The project is larger than ${bounds.bytes} bytes.` });
    await take(path, bytes);
  }
  return { files: files.length, bytes: total };
};

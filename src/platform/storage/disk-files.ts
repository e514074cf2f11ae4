/** The few things fileStorage asks of the file system beside writing an object. */
import { copyFile, link, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { boundedStream } from './flow.ts';
import { headerBytes, openObject, systemCode } from './object-file.ts';
import type { ResolvedRange } from './range.ts';
import { type CopyAs, StorageError } from './storage.ts';

/** A crash can leave half an upload; what is older than a day belongs to no running transfer. */
const abandonedMs = 86_400_000;

/** Clears what crashed writers left in the folder for files under way. */
export async function removeAbandoned(temporaryDir: string, nowMs: number): Promise<void> {
  for (const name of await readdir(temporaryDir)) {
    const path = join(temporaryDir, name);
    try {
      if (nowMs - (await stat(path)).mtimeMs > abandonedMs) await rm(path, { force: true });
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
}

/** Another name for the same bytes (they never change); real copies where the file system has no hard links. */
export async function duplicate(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error;
    await copyFile(source, target);
  }
}

/** Whether this very file is stored with the type and encoding of `as`; `checksum_mismatch` where its content is another. */
export async function isStoredAs(path: string, key: string, as: CopyAs): Promise<boolean> {
  const { handle, sizeBytes, sha256, contentType, contentEncoding } = await openObject(path, key);
  await handle.close();
  if (sizeBytes !== as.sizeBytes || sha256 !== (as.sha256 ?? sha256)) throw new StorageError('checksum_mismatch', `object ${key} has another content than the copy is to have`);
  return contentType === as.contentType && contentEncoding === (as.contentEncoding ?? null);
}

/** Takes the handle over and closes it with the stream. */
export async function contentStream(handle: FileHandle, range: ResolvedRange, idleMs: number, signal: AbortSignal | undefined): Promise<Readable> {
  if (range.sizeBytes === 0) {
    await handle.close();
    return Readable.from([], { objectMode: false });
  }
  const source = handle.createReadStream({
    start: headerBytes + range.start,
    end: headerBytes + range.end,
    ...(signal === undefined ? {} : { signal }),
  });
  return boundedStream(source, { idleMs, expectedBytes: range.sizeBytes, what: 'reading an object' });
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

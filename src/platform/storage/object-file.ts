/**
 * How one object lies on disk: one file, a header of 512 bytes and then the content.
 *
 * The metadata is inside the file because one rename then publishes content and metadata together: with two files a
 * crash, or two writers, could join one's content to the other's type and hash. A file is never changed once it has
 * its final name, so a reader that has it open keeps one consistent object, and a copy can be a hard link.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Intake } from './intake.ts';
import { StorageError, type StoredObject } from './storage.ts';

export const headerBytes = 512;
const magic = 'hivesync-object-1 ';

export interface ObjectHeader {
  readonly contentType: string;
  readonly contentEncoding: string | null;
  readonly sizeBytes: number;
  readonly sha256: string;
}

function encodeHeader(header: ObjectHeader): Buffer {
  const text = magic + JSON.stringify(header);
  // The grammar of types and encodings keeps it under 420 bytes.
  if (Buffer.byteLength(text) >= headerBytes) throw new StorageError('bad_key', 'the metadata of an object is too long');
  return Buffer.from(text.padEnd(headerBytes - 1) + '\n');
}

function decodeHeader(bytes: Buffer): ObjectHeader {
  const text = bytes.toString('utf8');
  if (!text.startsWith(magic) || !text.endsWith('\n')) throw new StorageError('unavailable', 'an object file has no header');
  const value: unknown = JSON.parse(text.slice(magic.length));
  if (
    typeof value === 'object' && value !== null &&
    'contentType' in value && typeof value.contentType === 'string' &&
    'contentEncoding' in value && (typeof value.contentEncoding === 'string' || value.contentEncoding === null) &&
    'sizeBytes' in value && typeof value.sizeBytes === 'number' &&
    'sha256' in value && typeof value.sha256 === 'string'
  ) return { contentType: value.contentType, contentEncoding: value.contentEncoding, sizeBytes: value.sizeBytes, sha256: value.sha256 };
  throw new StorageError('unavailable', 'an object file has a damaged header');
}

/** The code of a system error (`ENOENT`), or null for anything else. */
export const systemCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;

/**
 * Renames into place, making the folders again when a concurrent clean-up of empty folders took them away in between.
 * Bounded: that can hardly happen twice in a row, five times means that something else is wrong.
 */
export async function publish(temporary: string, target: string): Promise<void> {
  const folder = dirname(target);
  for (let attempt = 1; ; attempt += 1) {
    await mkdir(folder, { recursive: true });
    try {
      await rename(temporary, target);
      break;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || attempt === 5) throw error;
    }
  }
  await syncFolder(folder);
}

/** The rename itself survives a power cut only once the folder is written. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, constants.O_RDONLY);
  } catch (error) {
    // The object was deleted again, and its empty folder with it.
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** One write may stop in the middle without an error, where the disk is full for a moment; the rest then fails or follows. */
async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** A socket brings 64 KiB at a time, and each write goes through the thread pool: written in pieces of 1 MiB, an object of 5 MiB takes 12 ms in place of 16 (measured). */
const pieceBytes = 1_048_576;

interface Piece { readonly chunks: Buffer[]; readonly bytes: number }

async function* inPieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < pieceBytes) continue;
    yield { chunks: held, bytes };
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield { chunks: held, bytes };
}

/** The chunks as they are: put together first, 5 MiB take 1 ms more (measured). */
async function writePiece(handle: FileHandle, { chunks, bytes }: Piece, position: number): Promise<void> {
  const { bytesWritten } = await handle.writev(chunks, position);
  if (bytesWritten < bytes) await writeWhole(handle, Buffer.concat(chunks, bytes).subarray(bytesWritten), position + bytesWritten);
}

/** Writes a whole object beside and publishes it by one rename; whatever fails leaves nothing. */
export async function writeObject(
  temporaryDir: string,
  target: string,
  intake: Intake,
  type: { readonly contentType: string; readonly contentEncoding: string | null },
): Promise<StoredObject> {
  const temporary = join(temporaryDir, randomUUID());
  const handle = await open(temporary, 'wx', 0o600);
  try {
    let stored: { sizeBytes: number; sha256: string };
    try {
      let position = headerBytes;
      for await (const piece of inPieces(intake.chunks)) {
        await writePiece(handle, piece, position);
        position += piece.bytes;
      }
      stored = intake.finish();
      await writeWhole(handle, encodeHeader({ ...type, ...stored }), 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish(temporary, target);
    return { ...stored, etag: stored.sha256 };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export interface OpenObject extends ObjectHeader {
  readonly handle: FileHandle;
  readonly modifiedAtMs: number;
}

/** Opens an object for reading; the caller closes the handle. Errors: `not_found`. */
export async function openObject(path: string, key: string): Promise<OpenObject> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new StorageError('not_found', `there is no object ${key}`, error);
    throw error;
  }
  try {
    const bytes = Buffer.alloc(headerBytes);
    await handle.read(bytes, 0, headerBytes, 0);
    const header = decodeHeader(bytes);
    const stats = await handle.stat();
    if (stats.size !== headerBytes + header.sizeBytes) throw new StorageError('unavailable', `object ${key} has another length than its header says`);
    return { ...header, handle, modifiedAtMs: Math.trunc(stats.mtimeMs) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * A body of unknown length or hash, made one that can be sent with both in its headers, and sent again.
 *
 * S3 wants the length first, a checksum in the header is judged by the store itself, and a stream that was half sent
 * cannot be repeated. So content is taken in here first: to memory up to 1 MiB, beyond that to a file.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Intake } from './intake.ts';

const memoryBytes = 1_048_576;

export interface SpooledBody {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** The content from its beginning, for each attempt anew. */
  open(): Buffer | Readable;
  /** Removes the file, if there is one. */
  discard(): Promise<void>;
}

async function toFile(path: string, first: readonly Buffer[], rest: AsyncIterator<Buffer>): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    for (const chunk of first) await handle.writeFile(chunk);
    for (let step = await rest.next(); step.done !== true; step = await rest.next()) await handle.writeFile(step.value);
  } finally {
    await handle.close();
  }
}

/** Reads the intake to its end. Whatever fails leaves no file. */
export async function spool(intake: Intake, folder: string): Promise<SpooledBody> {
  const chunks = intake.chunks[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let heldBytes = 0;
  for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) {
    held.push(step.value);
    heldBytes += step.value.length;
    if (heldBytes > memoryBytes) {
      const path = join(folder, `hivesync-upload-${randomUUID()}`);
      const discard = async (): Promise<void> => await rm(path, { force: true });
      try {
        await toFile(path, held, chunks);
        return { ...intake.finish(), open: () => createReadStream(path), discard };
      } catch (error) {
        await discard();
        throw error;
      }
    }
  }
  const content = Buffer.concat(held, heldBytes);
  return { ...intake.finish(), open: () => content, discard: async () => undefined };
}

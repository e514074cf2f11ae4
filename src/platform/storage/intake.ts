/** Content is judged while it arrives: length, bound and hash, in one pass. */
import { createHash } from 'node:crypto';
import { addAbortSignal, type Readable } from 'node:stream';
import { boundedChunks } from './flow.ts';
import { StorageError, type PutOptions } from './storage.ts';

export interface Intake {
  /** The chunks as they come; throws as soon as they cannot be right any more. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Once the chunks are through: what came. Throws `checksum_mismatch` when it is not what was announced. */
  finish(): { readonly sizeBytes: number; readonly sha256: string };
}

/**
 * @param idleMs how long a stream may keep silent before the transfer is broken off as `unavailable`
 */
export function takeIn(body: Buffer | Readable, options: PutOptions, idleMs: number): Intake {
  const hash = createHash('sha256');
  const bound = Math.min(options.sizeBytes ?? Infinity, options.maxBytes);
  let sizeBytes = 0;
  const source: AsyncIterable<Buffer> | Iterable<Buffer> = Buffer.isBuffer(body)
    ? body.length === 0 ? [] : [body]
    : boundedChunks(body, { idleMs, expectedBytes: null, what: 'the body to store' });
  // Without this a client that went away would hold its half-read body until the idle bound.
  if (options.signal !== undefined && !Buffer.isBuffer(body)) addAbortSignal(options.signal, body);
  if ((options.sizeBytes ?? 0) > options.maxBytes) {
    if (!Buffer.isBuffer(body)) body.destroy();
    throw new StorageError('too_large', `the size announced is over ${options.maxBytes} bytes`);
  }
  const judged = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      if (sizeBytes > bound) throw new StorageError('too_large', `the content is longer than ${bound} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  };
  return {
    chunks: judged(),
    finish() {
      if (options.sizeBytes !== undefined && sizeBytes !== options.sizeBytes) {
        throw new StorageError('checksum_mismatch', `the content has ${sizeBytes} bytes in place of ${options.sizeBytes}`);
      }
      const sha256 = hash.digest('hex');
      if (options.sha256 !== undefined && sha256 !== options.sha256) {
        throw new StorageError('checksum_mismatch', 'the content has another SHA-256 than was announced');
      }
      return { sizeBytes, sha256 };
    },
  };
}

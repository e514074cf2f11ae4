/**
 * How the worker and the build process speak: frames of `u32 header length, u32 body length, JSON header, body`,
 * over the build process' standard input and its descriptor 3. A stream of bytes is all that crosses the wall:
 * the build process has no writable path on the host and no way to name one.
 */
import { readSync, writeSync } from 'node:fs';

export type FrameHeader = { type: string; [name: string]: unknown };
export type Frame = { header: FrameHeader; body: Buffer };

/** Headers are small JSON; a larger one is a fault of the sender. */
const maxHeaderBytes = 1024 * 1024;
/** A build sends a few a second, one for each asset and one for each thing to warn of. Reading costs the same for the smallest. */
const maxFrames = 100_000;

export const encodeFrame = (header: FrameHeader, body: Uint8Array = Buffer.alloc(0)): [Buffer, Uint8Array] => {
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.allocUnsafe(8 + json.length);
  head.writeUInt32BE(json.length, 0);
  head.writeUInt32BE(body.length, 4);
  json.copy(head, 8);
  return [head, body];
};

const parseHeader = (bytes: Buffer): FrameHeader => {
  const header: unknown = JSON.parse(bytes.toString('utf8'));
  if (typeof header !== 'object' || header === null || !('type' in header) || typeof header.type !== 'string') {
    throw new Error('a frame without a type');
  }
  return { ...header, type: header.type };
};

/** Cuts a stream of bytes into frames. Throws once a header, or all frames together, are larger than allowed. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #takenBytes = 0;
  #takenFrames = 0;
  readonly #maxBytes: number;

  /** @param maxBytes of all frames together, headers included: a stream of empty ones must end too */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** From here on as much again: a process that answers many times is held to the bound each time. */
  renew(): void {
    this.#takenBytes = 0;
    this.#takenFrames = 0;
  }

  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const frames: Frame[] = [];
    for (;;) {
      if (this.#length < 8) return frames;
      const prefix = this.#peek(8);
      const headerBytes = prefix.readUInt32BE(0);
      const bodyBytes = prefix.readUInt32BE(4);
      if (headerBytes > maxHeaderBytes || this.#takenFrames === maxFrames) throw new FrameTooLarge();
      const frameBytes = 8 + headerBytes + bodyBytes;
      if (this.#takenBytes + frameBytes > this.#maxBytes) throw new FrameTooLarge();
      if (this.#length < frameBytes) return frames;
      const bytes = this.#take(frameBytes);
      this.#takenBytes += frameBytes;
      this.#takenFrames += 1;
      frames.push({ header: parseHeader(bytes.subarray(8, 8 + headerBytes)), body: bytes.subarray(8 + headerBytes) });
    }
  }

  #peek(size: number): Buffer {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= size) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(size: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks = all.length > size ? [all.subarray(size)] : [];
    this.#length = all.length - size;
    return all.subarray(0, size);
  }
}

export class FrameTooLarge extends Error {
  constructor() {
    super('more output than allowed');
    this.name = 'FrameTooLarge';
  }
}

const readExactly = (descriptor: number, size: number): Buffer | null => {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const count = readSync(descriptor, bytes, at, size - at, null);
    if (count === 0) return null;
    at += count;
  }
  return bytes;
};

/** Waits for the next frame without a turn of the event loop: an idle build process costs nothing. Null at the end. */
export const readFrameSync = (descriptor: number): Frame | null => {
  const prefix = readExactly(descriptor, 8);
  if (prefix === null) return null;
  const header = readExactly(descriptor, prefix.readUInt32BE(0));
  const body = readExactly(descriptor, prefix.readUInt32BE(4));
  return header === null || body === null ? null : { header: parseHeader(header), body };
};

/** Writes one frame whole; waits where the reader is slower. */
export const writeFrameSync = (descriptor: number, header: FrameHeader, body?: Uint8Array): void => {
  for (const part of encodeFrame(header, body)) {
    for (let at = 0; at < part.length; ) at += writeSync(descriptor, part, at, part.length - at);
  }
};

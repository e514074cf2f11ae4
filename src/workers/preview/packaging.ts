/** What a build made, as the objects that are stored: each file as it is, and the bundle compressed as well. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';
import type { ContentCoding, JobArtifactKind } from '#generated/sdk/types.gen.ts';
import { sha256Hex } from '#platform/crypto.ts';
import type { OutputFile } from './builder.ts';

export interface PackagedObject {
  readonly kind: JobArtifactKind;
  /** Below the preview's root; the same for every encoding. */
  readonly path: string;
  readonly encoding: ContentCoding;
  readonly contentType: string;
  /** Hex, of the bytes as stored. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Where those bytes lie on this machine. */
  readonly file: string;
  /** They themselves, where they are at hand; the file may not be written yet. */
  readonly bytes?: Uint8Array;
}

/**
 * What a kind is stored as, beside as it is. Measured, processor time, on a bundle of 1.2 MB, which every phone downloads: gzip 6
 * takes 16 ms and comes to 293 kB, brotli 5 takes 23 ms and comes to 258 kB. Its map of 5.2 MB would take 19 to 84 ms more of
 * each build, for 1.4 to 1.1 MB that hardly anybody fetches: it is stored as it is.
 */
const packings: Readonly<Partial<Record<JobArtifactKind, readonly Packing[]>>> = {
  bundle: [{ encoding: 'br', effort: 5 }, { encoding: 'gzip', effort: 6 }],
};

interface Packing { readonly encoding: 'br' | 'gzip'; readonly effort: number }

/** Beyond it a file is compressed from disk, in pieces. */
const inMemoryBytes = 16 * 1024 * 1024;
const chunkBytes = 256 * 1024;

const brotliAtOnce = promisify(brotliCompress);
const gzipAtOnce = promisify(gzip);

/** As how many objects a file is stored. */
export const encodingsOf = ({ kind }: PackagedObject): number => 1 + (packings[kind]?.length ?? 0);

const contentTypes: Readonly<Record<string, string>> = {
  bundle: 'application/javascript',
  source_map: 'application/json',
  metadata: 'application/json',
  log: 'text/plain; charset=utf-8',
};

/** By extension, for assets: what a phone's image loader or a browser wants to hear. */
const assetTypes: Readonly<Record<string, string>> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', svg: 'image/svg+xml',
  ttf: 'font/ttf', otf: 'font/otf', mp3: 'audio/mpeg', mp4: 'video/mp4', json: 'application/json',
};

const contentTypeOf = ({ kind, path }: OutputFile): string =>
  contentTypes[kind] ?? assetTypes[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';

/** A file of a build as it is. */
export const plainObject = (file: OutputFile, outDir: string): PackagedObject => ({
  kind: file.kind,
  path: file.path,
  encoding: 'identity',
  contentType: contentTypeOf(file),
  sha256: file.sha256,
  sizeBytes: file.sizeBytes,
  file: join(outDir, file.path),
});

/** The files of a build as they are. */
export const plainObjects = (files: readonly OutputFile[], outDir: string): PackagedObject[] => files.map((file) => plainObject(file, outDir));

/** Compresses the bundle of one build from the moment it is there, while its map is still made. */
export class Packer {
  readonly #packDir: string;
  readonly #signal: AbortSignal;
  readonly #closed = new AbortController();
  readonly #packed: Promise<PackagedObject>[] = [];
  readonly #begun = new Set<string>();

  /** @param packDir an empty folder, there */
  constructor(packDir: string, signal: AbortSignal) {
    this.#packDir = packDir;
    this.#signal = AbortSignal.any([signal, this.#closed.signal]);
  }

  /** Begins with an object whose bytes are at hand. A large one waits until it is on disk. */
  begin(object: PackagedObject, bytes: Uint8Array): void {
    if (bytes.byteLength <= inMemoryBytes) this.#begin(object, (packing) => compressBytes(object, packing, this.#packDir, bytes));
  }

  /** These, compressed; all of them are on disk. */
  async objects(plain: readonly PackagedObject[]): Promise<PackagedObject[]> {
    for (const object of plain) this.#begin(object, (packing) => compressFile(object, packing, this.#packDir, this.#signal));
    return await Promise.all(this.#packed);
  }

  #begin(object: PackagedObject, compress: (packing: Packing) => Promise<PackagedObject>): void {
    if (this.#begun.has(object.path)) return;
    this.#begun.add(object.path);
    for (const packing of packings[object.kind] ?? []) {
      const packed = compress(packing);
      // Told by `objects`; unhandled otherwise while the build still runs.
      packed.catch(() => undefined);
      this.#packed.push(packed);
    }
  }

  /** Stops; resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled(this.#packed);
  }
}

const placeOf = (object: PackagedObject, encoding: string, packDir: string): string => join(packDir, `${object.path}.${encoding}`);

const brotliParams = (effort: number, sizeBytes: number): Record<number, number> => ({
  [constants.BROTLI_PARAM_QUALITY]: effort, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT, [constants.BROTLI_PARAM_SIZE_HINT]: sizeBytes,
});

/** In one go on the thread pool: in pieces, each would wait for the main thread, which is busy then. */
async function compressBytes(object: PackagedObject, { encoding, effort }: Packing, packDir: string, bytes: Uint8Array): Promise<PackagedObject> {
  const packed = encoding === 'gzip' ? await gzipAtOnce(bytes, { level: effort }) : await brotliAtOnce(bytes, { params: brotliParams(effort, bytes.byteLength) });
  const file = placeOf(object, encoding, packDir);
  await writeFile(file, packed, { flag: 'wx', mode: 0o600 });
  return { ...object, encoding, sizeBytes: packed.length, sha256: sha256Hex(packed), file };
}

/** zlib works on the thread pool, so the streams leave the main thread to hashing alone (about 1.5 GB/s). */
async function compressFile(object: PackagedObject, { encoding, effort }: Packing, packDir: string, signal: AbortSignal): Promise<PackagedObject> {
  const file = placeOf(object, encoding, packDir);
  const compressor = encoding === 'gzip'
    ? createGzip({ level: effort, chunkSize: chunkBytes })
    : createBrotliCompress({ chunkSize: chunkBytes, params: brotliParams(effort, object.sizeBytes) });
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(createReadStream(object.file, { highWaterMark: chunkBytes }), compressor, measure, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal });
  return { ...object, encoding, sizeBytes, sha256: hash.digest('hex'), file };
}

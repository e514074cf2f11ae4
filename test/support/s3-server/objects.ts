/** What the server keeps: one data file an object and a JSON file beside it, so that a restart loses nothing. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync, type ReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { S3Fault } from './signature.ts';

export interface Meta {
  readonly key: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly etag: string;
  /** Base64, when the uploader gave it. */
  readonly checksumSha256: string | null;
  readonly contentType: string;
  readonly contentEncoding: string | null;
  readonly modifiedAtMs: number;
}

export interface Received {
  readonly file: string;
  readonly sizeBytes: number;
  readonly md5: string;
}

export class Objects {
  readonly #dir: string;
  readonly #index = new Map<string, Meta>();

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    for (const name of readdirSync(dir).filter((entry) => entry.endsWith('.json'))) {
      const meta: Meta = JSON.parse(readFileSync(join(dir, name), 'utf8'));
      this.#index.set(meta.key, meta);
    }
  }

  find(key: string): Meta | undefined {
    return this.#index.get(key);
  }

  /** Sorted by the keys' UTF-8 bytes. */
  list(prefix: string, after: string): Meta[] {
    return [...this.#index.values()]
      .filter((meta) => meta.key.startsWith(prefix) && Buffer.compare(Buffer.from(meta.key), Buffer.from(after)) > 0)
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  read(meta: Meta, start: number, end: number): ReadStream {
    return createReadStream(join(this.#dir, meta.file), { start, end });
  }

  save(meta: Omit<Meta, 'modifiedAtMs'>): Meta {
    const saved = { ...meta, modifiedAtMs: Math.floor(Date.now() / 1000) * 1000 };
    const path = this.#metaPath(meta.key);
    writeFileSync(`${path}.tmp`, JSON.stringify(saved));
    renameSync(`${path}.tmp`, path);
    this.#index.set(meta.key, saved);
    return saved;
  }

  delete(key: string): void {
    if (!this.#index.delete(key)) return;
    rmSync(this.#metaPath(key), { force: true });
  }

  /** Takes a body to a file and holds it against every hash the request gives. */
  async receive(request: IncomingMessage, payloadHash: string): Promise<Received> {
    const { headers } = request;
    if (headers['content-length'] === undefined) throw new S3Fault(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
    const file = `${randomUUID()}.data`;
    const path = join(this.#dir, file);
    const [md5, sha256] = [createHash('md5'), createHash('sha256')];
    let crc = 0;
    let sizeBytes = 0;
    try {
      await pipeline(request, async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          md5.update(chunk);
          sha256.update(chunk);
          crc = crc32(chunk, crc);
          sizeBytes += chunk.length;
          yield chunk;
        }
      }, createWriteStream(path));
      if (sizeBytes !== Number(headers['content-length'])) throw new S3Fault(400, 'IncompleteBody', 'The body is not as long as announced.');
      const sha = sha256.digest();
      const digest = md5.digest();
      const crcBytes = Buffer.alloc(4);
      crcBytes.writeUInt32BE(crc);
      if (payloadHash !== 'UNSIGNED-PAYLOAD' && payloadHash !== sha.toString('hex')) {
        throw payloadHash.startsWith('STREAMING-')
          ? new S3Fault(501, 'NotImplemented', 'Chunked payloads are not understood here.')
          : new S3Fault(400, 'XAmzContentSHA256Mismatch', 'The provided x-amz-content-sha256 header does not match what was computed.');
      }
      const given = [
        [headers['x-amz-checksum-sha256'], sha.toString('base64')],
        [headers['x-amz-checksum-crc32'], crcBytes.toString('base64')],
        [headers['content-md5'], digest.toString('base64')],
      ];
      for (const [announced, actual] of given) {
        if (announced !== undefined && announced !== actual) throw new S3Fault(400, 'BadDigest', 'The checksum you specified did not match the calculated checksum.');
      }
      return { file, sizeBytes, md5: digest.toString('hex') };
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }

  contentOf(received: Received): Buffer {
    const path = join(this.#dir, received.file);
    const content = readFileSync(path);
    rmSync(path);
    return content;
  }

  #metaPath(key: string): string {
    return join(this.#dir, `${createHash('sha256').update(key).digest('hex')}.json`);
  }
}

/** The contents of previews: what a project lacks, where to upload it, and how uploads become the project's blobs. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Knex } from 'knex';
import { extract, type Header } from 'tar-stream';
import type { MissingBlob } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import { mapBounded, mapInTurns } from '#platform/concurrency.ts';
import { ServiceError } from '#platform/errors.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { blobKey, stagedBlobKey, stagedPackKey, stagingPrefix } from './keys.ts';
import { insertBlobsSql, knownBlobsSql, missingBlobsSql, takeBackBlobsSql } from './queries.ts';
import { hashOf } from './stored-hash.ts';

export interface Blob { readonly sha256: string; readonly size: number }

/** Uploads may take as long as a waiting job may wait. */
const uploadSeconds = 3600;
/** Requests to storage at once for one job. */
const atOnce = 16;
/** Entries of a tar up to this size are held in memory, so that `atOnce` of them can be on their way to the store. */
const sideBySideBytes = 1024 * 1024;
/** Missing contents dealt with in one go. */
const batchSize = 40_000;

export class PreviewSources {
  readonly #db: Database;
  readonly #storage: ObjectStorage;

  constructor(db: Database, storage: ObjectStorage) {
    this.#db = db;
    this.#storage = storage;
  }

  /**
   * Of these contents, those the project lacks, each once, by hash. VALIDATION_ERROR where one it has is of another size
   * than is said: sizes are what the tier's limit is counted by. One statement.
   */
  async lacking(projectId: string, files: readonly Blob[]): Promise<Blob[]> {
    const wanted = new Map(files.map((file) => [file.sha256, file.size]));
    const known = await this.#db.named<Blob>('previews.known_blobs', knownBlobsSql, [projectId, [...wanted.keys()]]);
    const wrong = new Set(known.filter((blob) => wanted.get(blob.sha256) !== blob.size).map((blob) => blob.sha256));
    if (wrong.size > 0) throw wrongSizes(files, wrong);
    for (const blob of known) wanted.delete(blob.sha256);
    return [...wanted].map(([sha256, size]) => ({ sha256, size })).sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
  }

  /** What a job still lacks, by hash after `after`, at most `limit`. */
  async missing(jobId: string, projectId: string, page: { limit: number; offset: number; after: string }): Promise<Blob[]> {
    return this.#db.named<Blob>('previews.missing_blobs', missingBlobsSql, [jobId, projectId, page.after, page.limit, page.offset]);
  }

  /** Where to PUT each: length and checksum are signed, the key is the job's staging place. */
  async presign(projectId: string, jobId: string, blobs: readonly Blob[]): Promise<MissingBlob[]> {
    return mapInTurns(blobs, atOnce, async ({ sha256, size }) => {
      const put = await this.#storage.presignPut(stagedBlobKey(projectId, jobId, sha256), {
        expiresSeconds: uploadSeconds, sizeBytes: size, sha256, contentType: 'application/octet-stream',
      });
      return { sha256, upload_url: put.url, headers: { ...put.headers } };
    });
  }

  /** Where to PUT one tar of all of them. Its length follows from theirs: 512 bytes a header, contents padded, two zero blocks. */
  async presignPack(projectId: string, jobId: string, blobs: readonly Blob[]): Promise<{ upload_url: string; headers: Record<string, string> }> {
    const sizeBytes = blobs.reduce((sum, { size }) => sum + 512 + Math.ceil(size / 512) * 512, 1024);
    const put = await this.#storage.presignPut(stagedPackKey(projectId, jobId), {
      expiresSeconds: uploadSeconds, sizeBytes, contentType: 'application/x-tar',
    });
    return { upload_url: put.url, headers: { ...put.headers } };
  }

  /**
   * Verifies what has arrived for a job and makes it the project's. Answers what is still missing and what arrived with
   * another content than its hash says. Safe to repeat, and to run twice at once: keys are hashes.
   */
  async receive(projectId: string, jobId: string): Promise<{ missing: Blob[]; rejected: string[] }> {
    const missing = await this.missing(jobId, projectId, { limit: batchSize, offset: 0, after: '' });
    if (missing.length === 0) return { missing: [], rejected: [] };
    await this.#takeBack(projectId, missing);
    const arrived = new Map<string, Blob>();
    const rejected: string[] = [];
    await this.#unpack(projectId, jobId, new Map(missing.map((blob) => [blob.sha256, blob])), arrived, rejected);
    const singles = missing.filter((blob) => !arrived.has(blob.sha256));
    await mapBounded(singles, atOnce, async (blob) => {
      const state = await this.#promote(projectId, jobId, blob);
      if (state === 'verified') arrived.set(blob.sha256, blob);
      else if (state === 'rejected') rejected.push(blob.sha256);
    });
    await this.keep(null, projectId, [...arrived.values()]);
    return { missing: missing.filter((blob) => !arrived.has(blob.sha256)), rejected: [...new Set(rejected)].filter((sha256) => !arrived.has(sha256)) };
  }

  /** Stores contents that came with the request itself. */
  async store(projectId: string, contents: readonly { sha256: string; content: Buffer }[]): Promise<void> {
    await this.#takeBack(projectId, contents);
    await mapBounded(contents, atOnce, async ({ sha256, content }) => {
      await this.#storage.put(blobKey(projectId, sha256), content, { contentType: 'application/octet-stream', maxBytes: content.length, sha256 });
    });
    await this.keep(null, projectId, contents.map(({ sha256, content }) => ({ sha256, size: content.length })));
  }

  /** Notes verified contents as the project's. */
  async keep(trx: Knex.Transaction | null, projectId: string, blobs: readonly Blob[]): Promise<void> {
    if (blobs.length === 0) return;
    const values = [projectId, blobs.map((blob) => blob.sha256), blobs.map((blob) => blob.size)] as const;
    if (trx === null) await this.#db.named('previews.insert_blobs', insertBlobsSql, values);
    else await this.#db.namedIn(trx, 'previews.insert_blobs', insertBlobsSql, values);
  }

  /** Before anything is written under their keys: what the sweep is about to delete there is not what was written. */
  async #takeBack(projectId: string, blobs: readonly { readonly sha256: string }[]): Promise<void> {
    if (blobs.length > 0) await this.#db.named('previews.take_back_blobs', takeBackBlobsSql, [projectId, blobs.map(({ sha256 }) => sha256)]);
  }

  /** Throws away what a job's uploads left behind. */
  async sweepStaging(projectId: string, jobId: string): Promise<void> {
    await this.#storage.deletePrefix(stagingPrefix(projectId, jobId));
  }

  /** A signed URL that reads a blob of the project. */
  async presignGet(projectId: string, sha256: string, expiresSeconds: number): Promise<string> {
    return this.#storage.presignGet(blobKey(projectId, sha256), { expiresSeconds });
  }

  async #promote(projectId: string, jobId: string, blob: Blob): Promise<'verified' | 'rejected' | 'absent'> {
    const staged = stagedBlobKey(projectId, jobId, blob.sha256);
    try {
      const head = await this.#storage.head(staged);
      const sha256 = head.sha256 ?? await hashOf(this.#storage, staged);
      if (head.sizeBytes !== blob.size || sha256 !== blob.sha256) return 'rejected';
      await this.#storage.move(staged, blobKey(projectId, blob.sha256));
      return 'verified';
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind !== 'not_found') throw error;
      return (await this.#isThere(projectId, blob)) ? 'verified' : 'absent';
    }
  }

  /** Whether it has been moved already: by another start at the same moment, or by one that died before it could say so. */
  async #isThere(projectId: string, blob: Blob): Promise<boolean> {
    try {
      return (await this.#storage.head(blobKey(projectId, blob.sha256))).sizeBytes === blob.size;
    } catch (error) {
      if (error instanceof StorageError && error.kind === 'not_found') return false;
      throw error;
    }
  }

  /** Takes the entries of the job's tar that are wanted; the store verifies length and hash of each as it arrives. */
  async #unpack(projectId: string, jobId: string, wanted: ReadonlyMap<string, Blob>, arrived: Map<string, Blob>, rejected: string[]): Promise<void> {
    let pack: Readable;
    try {
      pack = (await this.#storage.get(stagedPackKey(projectId, jobId))).stream;
    } catch (error) {
      if (error instanceof StorageError && error.kind === 'not_found') return;
      throw error;
    }
    const entries = pack.pipe(extract());
    pack.on('error', (error) => entries.destroy(error));
    const storing = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const store = async (blob: Blob, content: Buffer | Readable): Promise<void> => {
      if (await this.#storeEntry(projectId, blob, content)) arrived.set(blob.sha256, blob);
      else rejected.push(blob.sha256);
    };
    try {
      for await (const entry of entries) {
        const blob = wantedEntry(entry.header, wanted);
        if (blob === null || arrived.has(blob.sha256)) entry.resume();
        else if (blob.size > sideBySideBytes) await store(blob, Readable.from(entry));
        else {
          // One after the other, ten thousand small files would wait for ten thousand answers of the store.
          const stored = store(blob, await buffer(entry)).catch((error: unknown) => { failures.push(error); }).finally(() => storing.delete(stored));
          storing.add(stored);
          if (storing.size >= atOnce) await Promise.race(storing);
        }
        if (failures.length > 0) break;
      }
      await Promise.all(storing);
      if (failures.length > 0) throw failures[0];
    } catch (error) {
      await Promise.all(storing);
      if (error instanceof StorageError) throw error;
      // A tar that cannot be read is no fault of ours: what it should have brought counts as missing.
      rejected.push(...[...wanted.keys()].filter((sha256) => !arrived.has(sha256)).slice(0, 100));
    } finally {
      pack.destroy();
    }
  }

  async #storeEntry(projectId: string, blob: Blob, entry: Buffer | Readable): Promise<boolean> {
    try {
      await this.#storage.put(blobKey(projectId, blob.sha256), entry, {
        contentType: 'application/octet-stream', sizeBytes: blob.size, sha256: blob.sha256, maxBytes: blob.size,
      });
      return true;
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind === 'unavailable') throw error;
      return false;
    }
  }
}

function wrongSizes(files: readonly Blob[], wrong: ReadonlySet<string>): ServiceError {
  const details = files.flatMap((file, index) =>
    (wrong.has(file.sha256) ? [{ pointer: `#/body/files/${index}/size`, message: 'is not the size of the content with this hash', rule: 'size' }] : []));
  return new ServiceError('VALIDATION_ERROR', 'The sources cannot be built like this.', { details: details.slice(0, 100) });
}

/** Regular entries named by a hash that is missing, and of its size; everything else in a tar is passed over. */
function wantedEntry(header: Header, wanted: ReadonlyMap<string, Blob>): Blob | null {
  const blob = wanted.get(header.name);
  return blob !== undefined && header.type === 'file' && header.size === blob.size ? blob : null;
}

/** Uploads what a project lacks, straight to object storage. */
import { HiveSyncError } from '../errors.ts';
import { tar } from '../tar.ts';
import { backOffMs, pause } from '../transport.ts';
import { eachAtOnce, type HashedFile } from './sources.ts';

export interface UploadTarget {
  readonly upload_url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface UploadOptions {
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal | undefined;
  readonly maxRetries: number;
  readonly pause?: typeof pause;
  /** Bytes that have arrived, of `total`. */
  readonly onProgress: (done: number, total: number) => void;
}

/** Browsers open six connections to a host; more only wait. */
const uploadsAtOnce = 6;
/** 64 kB/s is slow mobile upload; below it a minute. Whole milliseconds: a timer takes no others. */
const deadlineMs = (sizeBytes: number): number => Math.max(60_000, Math.ceil(sizeBytes / 64));

/** Whether the store may take the same upload later. */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * One PUT of exactly this content; repeated when it fails in passing, which is harmless: the URL takes nothing else.
 * @throws HiveSyncError UPLOAD_REFUSED (an expired URL, other content), CONNECTION_FAILED, ABORTED
 */
export async function putBlob(target: UploadTarget, content: Blob, options: UploadOptions): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const late = AbortSignal.timeout(deadlineMs(content.size));
    const signal = options.signal === undefined ? late : AbortSignal.any([late, options.signal]);
    let status = 0;
    let cause: unknown;
    try {
      const response = await options.fetch(target.upload_url, { method: 'PUT', headers: target.headers, body: content, signal });
      await response.arrayBuffer();
      if (response.ok) return;
      status = response.status;
    } catch (error) {
      cause = error;
    }
    if (options.signal?.aborted === true) throw new HiveSyncError('ABORTED', 'The upload was broken off.', { cause });
    if (status !== 0 && !isPassing(status)) throw new HiveSyncError('UPLOAD_REFUSED', `The storage refused an upload (status ${status}).`, { status });
    if (attempt > options.maxRetries) throw new HiveSyncError('CONNECTION_FAILED', 'The storage could not be reached for an upload.', { status, cause });
    await (options.pause ?? pause)(backOffMs(attempt), options.signal ?? late);
  }
}

/** Every blob by a PUT of its own. */
export async function uploadSingly(blobs: readonly (UploadTarget & { readonly sha256: string })[], files: ReadonlyMap<string, HashedFile>, options: UploadOptions): Promise<void> {
  const total = blobs.reduce((sum, { sha256 }) => sum + (files.get(sha256)?.size ?? 0), 0);
  let done = 0;
  options.onProgress(0, total);
  await eachAtOnce(blobs, uploadsAtOnce, async (blob) => {
    const file = knownFile(files, blob.sha256);
    await putBlob(blob, await file.content(), options);
    done += file.size;
    options.onProgress(done, total);
  });
}

/** All of them as one tar in one PUT. */
export async function uploadPacked(target: UploadTarget, hashes: readonly string[], files: ReadonlyMap<string, HashedFile>, options: UploadOptions): Promise<void> {
  const entries = await Promise.all(hashes.map(async (sha256) => ({ name: sha256, content: await knownFile(files, sha256).content() })));
  const packed = tar(entries);
  options.onProgress(0, packed.size);
  await putBlob(target, packed, options);
  options.onProgress(packed.size, packed.size);
}

function knownFile(files: ReadonlyMap<string, HashedFile>, sha256: string): HashedFile {
  const file = files.get(sha256);
  if (file === undefined) throw new HiveSyncError('BAD_ANSWER', 'The API asks for a content that was never offered.');
  return file;
}

/** What an S3 store's failures mean, and which of them a repeat can cure. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { StorageError } from './storage.ts';

const missing: ReadonlySet<string> = new Set(['NoSuchKey', 'NotFound', '404']);
const mismatch: ReadonlySet<string> = new Set(['BadDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch', 'InvalidDigest', 'IncompleteBody']);

/** The one error of this folder for what the SDK threw. */
export function translateS3(what: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (error instanceof S3ServiceException) {
    const status = error.$metadata.httpStatusCode ?? 0;
    const said = `${what}: the store answered ${status} ${error.name}`;
    if (missing.has(error.name) || (status === 404 && error.name !== 'NoSuchBucket')) return new StorageError('not_found', said, error);
    if (mismatch.has(error.name) || status === 412) return new StorageError('checksum_mismatch', said, error);
    if (error.name === 'EntityTooLarge') return new StorageError('too_large', said, error);
    if (status === 416 || error.name === 'InvalidRange') return new StorageError('bad_range', said, error);
    return new StorageError('unavailable', said, error);
  }
  const name = error instanceof Error ? error.name : 'an unknown error';
  return new StorageError('unavailable', `${what}: the store could not be reached (${name})`, error);
}

/**
 * Whether a repeat may help: the connection failed or broke off, the store was busy or at fault. A refusal (403, a
 * wrong signature, no such bucket) stays one.
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof StorageError) return false;
  if (error instanceof S3ServiceException) {
    const status = error.$metadata.httpStatusCode ?? 0;
    return status >= 500 || status === 429 || status === 408 || error.name === 'RequestTimeout';
  }
  return true;
}

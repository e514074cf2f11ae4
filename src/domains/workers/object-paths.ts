import { ServiceError } from '#platform/errors.ts';
import { StorageError } from '#platform/storage/storage.ts';

/** Whether a path stays below the prefix it is put under: relative, plain segments, no `.` or `..`. */
export function isSafeRelativePath(path: string): boolean {
  return path.length <= 1024 && path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

/** What a worker is told of an object that cannot be stored where it says. */
export const homeless = (pointer: string, message: string, rule: string): ServiceError =>
  new ServiceError('VALIDATION_ERROR', 'This object has no place under the job.', { details: [{ pointer, message, rule }] });

/** What storage will not take as a key or media type is the worker's to mend: VALIDATION_ERROR, not a failure of storage. */
export async function placed<T>(pointer: string, presigned: Promise<T>): Promise<T> {
  try {
    return await presigned;
  } catch (error) {
    if (!(error instanceof StorageError) || error.kind !== 'bad_key') throw error;
    throw homeless(pointer, 'must have a path of segments of at most 250 bytes without control characters, and a media type', 'object');
  }
}

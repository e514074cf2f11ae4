import { ServiceError } from '#platform/errors.ts';
import { StorageError } from '#platform/storage/storage.ts';

/** Runs what needs object storage; its failures become STORAGE_ERROR with a text a person can act on. */
export async function storageFaults<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new ServiceError('STORAGE_ERROR', 'Object storage did not answer. Try again.', { internal: error.message, cause: error });
  }
}

import { expect } from 'chai';
import { StorageError, type StorageErrorKind } from '#platform/storage/storage.ts';

/** Holds a failing call to the kind it must fail with; answers the error. */
export async function expectKind(kind: StorageErrorKind, work: Promise<unknown>): Promise<StorageError> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    expect(error.kind, error.message).to.equal(kind);
    return error;
  }
  throw new Error(`expected a failure of kind ${kind}`);
}

/** Picks the backend: an S3-compatible store where one is configured, else a folder. */
import { openFileStorage, type FileStorageSettings } from './fileStorage.ts';
import { openS3Storage, type S3StorageSettings } from './s3Storage.ts';
import type { ObjectStorage } from './storage.ts';
import { storageRoutes, type StorageListener, type StorageRoutesSettings } from './storageRoutes.ts';

export interface StorageSettings {
  /** null: no S3-compatible store is configured, and the folder is used. */
  readonly s3: S3StorageSettings | null;
  readonly file: FileStorageSettings;
  readonly routes: Omit<StorageRoutesSettings, 'storage'>;
}

export interface OpenedStorage {
  readonly backend: 's3' | 'file';
  readonly storage: ObjectStorage;
  /** To be mounted at `/storage`; null where clients talk to the store itself. */
  readonly routes: StorageListener | null;
}

/** @throws StorageError `unavailable` when the folder cannot be made or written */
export async function openStorage(settings: StorageSettings): Promise<OpenedStorage> {
  if (settings.s3 !== null) return { backend: 's3', storage: openS3Storage(settings.s3), routes: null };
  const storage = await openFileStorage(settings.file);
  return { backend: 'file', storage, routes: storageRoutes({ ...settings.routes, storage }) };
}

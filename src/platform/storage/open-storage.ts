/** Picks the backend the environment names: an S3-compatible store where R2_* are set, else a folder. */
import type { Environment } from '#config/environment.ts';
import { deriveKey } from '#platform/crypto.ts';
import { openFileStorage } from './file-storage.ts';
import { openS3Storage } from './s3-storage.ts';
import type { ObjectStorage } from './storage.ts';
import { storageRoutes, type StorageListener } from './storage-routes.ts';

/** A request that waits for storage is worth no longer wait; one silent stream neither. */
const timeoutMs = 10_000;
/** 500 MB, the largest upload of any tier, at 5 Mbit/s. */
const transferTimeoutMs = 900_000;

export interface OpenedStorage {
  readonly backend: 's3' | 'file';
  readonly storage: ObjectStorage;
  /** To be mounted at `/storage`; null where clients talk to the store itself. */
  readonly routes: StorageListener | null;
}

export type StorageEnvironment = Pick<
  Environment,
  'r2Endpoint' | 'r2Bucket' | 'r2AccessKey' | 'r2SecretKey' | 'r2Region' | 'storageDir' | 'storageBaseUrl' | 'baseUrl' | 'jwtSecret' | 'corsOrigins'
>;

/**
 * @param onError is told what fails inside the routes, for the log
 * @throws StorageError `unavailable` when the folder cannot be made or written
 */
export async function openStorage(env: StorageEnvironment, onError: (error: unknown) => void): Promise<OpenedStorage> {
  const { r2Endpoint, r2Bucket, r2AccessKey, r2SecretKey } = env;
  if (r2Endpoint !== null && r2Bucket !== null && r2AccessKey !== null && r2SecretKey !== null) {
    const storage = openS3Storage({
      endpoint: r2Endpoint,
      bucket: r2Bucket,
      accessKey: r2AccessKey.reveal(),
      secretKey: r2SecretKey.reveal(),
      region: env.r2Region,
      timeoutMs,
      transferTimeoutMs,
    });
    return { backend: 's3', storage, routes: null };
  }
  const storage = await openFileStorage({
    storageDir: env.storageDir,
    baseUrl: `${(env.storageBaseUrl ?? env.baseUrl).replace(/\/+$/, '')}/storage`,
    urlKey: deriveKey(env.jwtSecret, 'storage'),
    timeoutMs,
    transferTimeoutMs,
  });
  const routes = storageRoutes({ storage, corsOrigins: env.corsOrigins, ownOrigin: env.storageBaseUrl !== null, onError });
  return { backend: 'file', storage, routes };
}

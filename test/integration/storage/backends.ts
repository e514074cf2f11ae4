/** The two backends, each opened with real parts: files with a listening server, S3 with a store in its own process. */
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '#config/environment.ts';
import { deriveKey } from '#platform/crypto.ts';
import { openFileStorage, type FileStorage } from '#platform/storage/file-storage.ts';
import { openS3Storage } from '#platform/storage/s3-storage.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { storageRoutes, type StorageListener } from '#platform/storage/storage-routes.ts';
import { startS3Server, type S3Server } from '../../support/s3-server/start.ts';

export interface Opened<Storage extends ObjectStorage = ObjectStorage> {
  readonly storage: Storage;
  /** The same store under another secret: what it signs must be refused. */
  readonly stranger: Storage;
  /** Moves the clock of whoever judges a signature. */
  setClock(offsetMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedFiles extends Opened<FileStorage> {
  readonly dir: string;
  /** Answers of the routes that were faults of the store. */
  readonly errors: unknown[];
}

export const corsOrigin = 'https://app.example.com';

export async function openFiles(options: { readonly ownOrigin?: boolean; readonly timeoutMs?: number } = {}): Promise<OpenedFiles> {
  const dir = await mkdtemp(join(tmpdir(), 'hivesync-storage-'));
  const errors: unknown[] = [];
  let offsetMs = 0;
  let listener: StorageListener | null = null;
  const server = createServer((request, response) => {
    // As `app.use('/storage', …)` does.
    if (!(request.url ?? '').startsWith('/storage/')) response.writeHead(404).end();
    else {
      request.url = (request.url ?? '').slice('/storage'.length);
      listener?.(request, response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const open = async (secret: string): Promise<FileStorage> => await openFileStorage({
    storageDir: dir,
    baseUrl: `http://127.0.0.1:${port}/storage`,
    urlKey: deriveKey(new Secret(secret), 'storage'),
    timeoutMs: options.timeoutMs ?? 5_000,
    transferTimeoutMs: 60_000,
    clock: { now: () => Date.now() + offsetMs },
  });
  const storage = await open('a secret of at least thirty-two characters');
  listener = storageRoutes({ storage, corsOrigins: [corsOrigin], ownOrigin: options.ownOrigin ?? false, onError: (error) => errors.push(error) });
  return {
    storage, dir, errors,
    stranger: await open('another secret of thirty-two characters'),
    setClock: async (to) => {
      offsetMs = to;
    },
    close: async () => {
      storage.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface OpenedS3 extends Opened { readonly server: S3Server }

export async function openS3(options: { readonly timeoutMs?: number; readonly spoolDir?: string } = {}): Promise<OpenedS3> {
  const server = await startS3Server();
  const open = (secretKey: string): ObjectStorage => openS3Storage({
    endpoint: server.endpoint, bucket: server.bucket, region: server.region, accessKey: server.accessKey, secretKey,
    timeoutMs: options.timeoutMs ?? 5_000,
    transferTimeoutMs: 60_000,
    firstPauseMs: 5,
    ...(options.spoolDir === undefined ? {} : { spoolDir: options.spoolDir }),
  });
  const [storage, stranger] = [open(server.secretKey), open('another secret')];
  return {
    storage, stranger, server,
    setClock: async (offsetMs) => await server.setClock(offsetMs),
    close: async () => {
      storage.close();
      stranger.close();
      await server.stop();
    },
  };
}

export const backends: readonly { readonly name: string; open(): Promise<Opened> }[] = [
  { name: 'file storage', open: openFiles },
  { name: 'S3 storage', open: openS3 },
];

/** Waits for a condition; fails after 5 s. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 5_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('what was waited for did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

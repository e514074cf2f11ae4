/** Object storage in a folder: the default on one machine, and behind it the routes that serve signed URLs. */
import { randomUUID, type KeyObject } from 'node:crypto';
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock, type Clock } from '#platform/clock.ts';
import { DeadlineError, withDeadline } from '#platform/deadline.ts';
import { contentStream, duplicate, exists, isStoredAs, removeAbandoned } from './disk-files.ts';
import { roundTrip } from './health-check.ts';
import { takeIn } from './intake.ts';
import { checkContent, checkFolder, checkKey, checkLimit, checkPrefix } from './object-key.ts';
import { openObject, publish, systemCode, writeObject } from './object-file.ts';
import { folderSuffix, objectSuffix, walkObjects } from './object-walk.ts';
import { resolveRange } from './range.ts';
import { UrlSigner } from './signed-url.ts';
import { StorageError, type CopyAs, type ListedObject, type ObjectStorage, type StoredObject } from './storage.ts';

export interface FileStorageSettings {
  /** The folder all lies in; made when it is missing. Its parent must stand on one file system with it. */
  readonly storageDir: string;
  /** Where the routes are reached from outside, e.g. `http://localhost:3000/storage`. */
  readonly baseUrl: string;
  /** Signs the URLs: a key for this purpose alone (`deriveKey`). */
  readonly urlKey: KeyObject;
  /** Deadline of one call, and the longest silence of a stream. */
  readonly timeoutMs: number;
  /** Deadline of storing one stream, however steadily it flows. */
  readonly transferTimeoutMs: number;
  readonly clock?: Clock;
}

export interface FileStorage extends ObjectStorage {
  readonly signer: UrlSigner;
}

/** Turns what the file system says into the one error of this folder. */
function translate(what: string, error: unknown): never {
  if (error instanceof StorageError) throw error;
  if (systemCode(error) === 'ENOENT') throw new StorageError('not_found', `${what}: there is no such object`, error);
  const reason = error instanceof DeadlineError ? 'nothing in time' : (systemCode(error) ?? 'an error');
  throw new StorageError('unavailable', `${what}: the file system answered ${reason}`, error);
}

/**
 * Opens the folder, making it where it is missing.
 * @throws StorageError `unavailable` when it cannot be made or written
 */
export async function openFileStorage(settings: FileStorageSettings): Promise<FileStorage> {
  const { timeoutMs } = settings;
  const objects = join(settings.storageDir, 'objects');
  const temporaryDir = join(settings.storageDir, 'tmp');
  const signer = new UrlSigner(settings.baseUrl, settings.urlKey, settings.clock ?? systemClock);
  // A key of this process alone: replicas check the same folder at the same time.
  const checkedKey = `health/${randomUUID()}`;
  let running: Promise<void> | null = null;
  try {
    await mkdir(objects, { recursive: true, mode: 0o700 });
    await mkdir(temporaryDir, { recursive: true, mode: 0o700 });
    await removeAbandoned(temporaryDir, Date.now());
  } catch (error) {
    throw new StorageError('unavailable', `the storage folder cannot be used: ${systemCode(error) ?? 'unknown error'}`, error);
  }

  const pathOf = (key: string): string => {
    const segments = checkKey(key).split('/');
    const last = segments.pop() ?? '';
    return join(objects, ...segments.map((segment) => segment + folderSuffix), last + objectSuffix);
  };
  const call = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await withDeadline(work, timeoutMs, what);
    } catch (error) {
      return translate(what, error);
    }
  };
  /** Empty folders go with their last object: a prefix that was deleted leaves nothing behind. */
  const removeEmptyFolders = async (path: string): Promise<void> => {
    for (let folder = dirname(path); folder.length > objects.length; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch (error) {
        const code = systemCode(error);
        if (code === 'ENOTEMPTY' || code === 'EEXIST') return;
        if (code !== 'ENOENT') throw error;
      }
    }
  };
  const remove = async (path: string): Promise<void> => {
    await rm(path, { force: true });
    await removeEmptyFolders(path);
  };
  const collect = async (prefix: string, after: string, limit: number): Promise<ListedObject[]> => {
    const found: ListedObject[] = [];
    for await (const object of walkObjects(objects, prefix, after)) {
      if (found.push(object) >= limit) break;
    }
    return found;
  };

  /** The same bytes under another type are another file: the type stands in it. */
  const storeAs = async (path: string, target: string, as: CopyAs): Promise<void> => {
    const { handle, sizeBytes, sha256 } = await openObject(path, path);
    const stream = await contentStream(handle, { start: 0, end: sizeBytes - 1, sizeBytes }, timeoutMs, undefined);
    const intake = takeIn(stream, { contentType: as.contentType, sizeBytes, sha256, maxBytes: sizeBytes }, timeoutMs);
    await writeObject(temporaryDir, target, intake, { contentType: as.contentType, contentEncoding: as.contentEncoding ?? null });
  };

  const storage: FileStorage = {
    signer,

    async put(key, body, options) {
      const path = pathOf(key);
      checkContent(options);
      try {
        const write = async (): Promise<StoredObject> => await writeObject(temporaryDir, path, takeIn(body, options, timeoutMs), {
          contentType: options.contentType,
          contentEncoding: options.contentEncoding ?? null,
        });
        return await withDeadline(write, Buffer.isBuffer(body) ? timeoutMs : settings.transferTimeoutMs, `storing ${key}`);
      } catch (error) {
        if (!Buffer.isBuffer(body)) body.destroy();
        return translate(`storing ${key}`, error);
      }
    },

    async get(key, options = {}) {
      const path = pathOf(key);
      return await call(`reading ${key}`, async () => {
        const object = await openObject(path, key);
        try {
          const range = resolveRange(options.range, object.sizeBytes);
          return {
            stream: await contentStream(object.handle, range, timeoutMs, options.signal),
            sizeBytes: range.sizeBytes,
            totalBytes: object.sizeBytes,
            contentType: object.contentType,
            contentEncoding: object.contentEncoding,
            etag: object.sha256,
            modifiedAtMs: object.modifiedAtMs,
          };
        } catch (error) {
          await object.handle.close();
          throw error;
        }
      });
    },

    async head(key) {
      const path = pathOf(key);
      return await call(`looking at ${key}`, async () => {
        const { handle, sizeBytes, contentType, contentEncoding, sha256, modifiedAtMs } = await openObject(path, key);
        await handle.close();
        return { sizeBytes, contentType, contentEncoding, sha256, etag: sha256, modifiedAtMs };
      });
    },

    async copy(from, to, as) {
      const [source, target] = [pathOf(from), pathOf(to)];
      if (as !== undefined) checkContent(as);
      const temporary = join(temporaryDir, randomUUID());
      await call(`copying ${from}`, async () => {
        try {
          await duplicate(source, temporary);
          if (as === undefined || await isStoredAs(temporary, from, as)) await publish(temporary, target);
          else await storeAs(temporary, target, as);
        } finally {
          // Renaming onto another link of the same file leaves the source of the rename where it was.
          await rm(temporary, { force: true });
        }
      });
    },

    async move(from, to) {
      const [source, target] = [pathOf(from), pathOf(to)];
      await call(`moving ${from}`, async () => {
        if (source === target) return void (await stat(source));
        if (!(await exists(source))) {
          if (await exists(target)) return;
          throw new StorageError('not_found', `there is no object ${from}`);
        }
        await publish(source, target);
        // Both names may be links of one file, and then the rename has left the old one.
        await rm(source, { force: true });
        await removeEmptyFolders(source);
      });
    },

    async delete(key) {
      const path = pathOf(key);
      await call(`deleting ${key}`, async () => await remove(path));
    },

    async deletePrefix(prefix, options = {}) {
      checkFolder(prefix);
      const maxObjects = options.maxObjects ?? 10_000;
      let deleted = 0;
      while (deleted < maxObjects) {
        const limit = Math.min(1000, maxObjects - deleted);
        const found = await call(`deleting below ${prefix}`, async () => {
          const page = await collect(prefix, '', limit);
          for (const object of page) await remove(pathOf(object.key));
          return page.length;
        });
        deleted += found;
        if (found < limit) return { deleted, done: true };
      }
      const rest = await call(`listing ${prefix}`, async () => await collect(prefix, '', 1));
      return { deleted, done: rest.length === 0 };
    },

    async list(prefix, options = {}) {
      checkPrefix(prefix);
      const limit = checkLimit(options.limit ?? 1000);
      const found = await call(`listing ${prefix}`, async () => await collect(prefix, options.after ?? '', limit + 1));
      const page = found.slice(0, limit);
      return { objects: page, next: found.length > limit ? (page.at(-1)?.key ?? null) : null };
    },

    async presignGet(key, options) {
      return signer.presignGet(key, options);
    },

    async presignPut(key, options) {
      return signer.presignPut(key, options);
    },

    async check() {
      running ??= roundTrip(storage, checkedKey).finally(() => {
        running = null;
      });
      await running;
    },

    close() {
      // Nothing is held open between calls.
    },
  };
  return storage;
}

/** The round trip a health check makes: a store that takes writes it cannot give back is down. */
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { StorageError, type ObjectStorage } from './storage.ts';

/** Writes, reads back, compares and deletes 32 bytes. Every step has the deadline of its call. */
export async function roundTrip(storage: ObjectStorage, key: string): Promise<void> {
  const written = randomBytes(32);
  try {
    await storage.put(key, written, { contentType: 'application/octet-stream', maxBytes: written.length });
    const { stream } = await storage.get(key);
    const read = await buffer(stream);
    await storage.delete(key);
    if (!read.equals(written)) throw new StorageError('unavailable', 'the store gave back other bytes than were written');
  } catch (error) {
    if (error instanceof StorageError && error.kind === 'unavailable') throw error;
    throw new StorageError('unavailable', 'the round trip through the store failed', error);
  }
}

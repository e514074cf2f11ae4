import { createHash } from 'node:crypto';
import type { ObjectStorage } from '#platform/storage/storage.ts';

/** The SHA-256 of an object that the store keeps none of, in lower-case hex: reads it whole. */
export async function hashOf(storage: ObjectStorage, key: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of (await storage.get(key)).stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** What was uploaded for an attachment, held to what was announced, and moved to its place. */
import { createHash } from 'node:crypto';
import type { PresignedPut } from '#platform/storage/storage.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { arrivalOf } from './keys.ts';

export interface Announced { readonly content_type: string; readonly size: number; readonly sha256: string }

/** `moved`: it is at its place, whoever moved it. */
export type Arrival = 'moved' | 'absent' | 'different';

const uploadSeconds = 3_600;
/** Within the claim that a request has on the upload. */
const hashWithinMs = 25_000;

export class Arrivals {
  readonly #storage: ObjectStorage;

  constructor(storage: ObjectStorage) {
    this.#storage = storage;
  }

  /** Where to PUT what will be `key`: length, hash and type are signed. */
  presign(key: string, { content_type: contentType, size, sha256 }: Announced): Promise<PresignedPut> {
    return this.#storage.presignPut(arrivalOf(key), { expiresSeconds: uploadSeconds, sizeBytes: size, sha256, contentType });
  }

  /**
   * Verifies what arrived for `key` and moves it there. Run again after it was moved, also by one that died before it
   * could say so, it says so.
   */
  async receive(key: string, announced: Announced): Promise<Arrival> {
    try {
      if (!(await this.#isAsAnnounced(arrivalOf(key), announced))) return 'different';
      await this.#storage.move(arrivalOf(key), key);
      return 'moved';
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    try {
      return (await this.#isAsAnnounced(key, announced)) ? 'moved' : 'absent';
    } catch (error) {
      if (!isMissing(error)) throw error;
      return 'absent';
    }
  }

  async #isAsAnnounced(key: string, announced: Announced): Promise<boolean> {
    const head = await this.#storage.head(key);
    if (head.sizeBytes !== announced.size || head.contentType !== announced.content_type || head.contentEncoding !== null) return false;
    return (head.sha256 ?? await this.#hashOf(key)) === announced.sha256;
  }

  /** For a store that has not kept the hash it checked. */
  async #hashOf(key: string): Promise<string> {
    const hash = createHash('sha256');
    const { stream } = await this.#storage.get(key, { signal: AbortSignal.timeout(hashWithinMs) });
    for await (const chunk of stream) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }
}

const isMissing = (error: unknown): boolean => error instanceof StorageError && error.kind === 'not_found';

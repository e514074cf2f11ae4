import { createHash } from 'node:crypto';
import type { Redis } from '#platform/redis.ts';
import type { Found } from './ranking.ts';

/** Long enough for whoever types on or pages back; what is new is found no later. */
const keptSeconds = 5;

/**
 * What was found, kept for a moment. Only ids and scores: what is shown of them is read anew, as whoever asks may see it
 * then. While Redis is away nothing is kept, and nothing fails.
 */
export class SearchCache {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @param asked all that the answer depends on: who asks, what this person sees now, and for what */
  async take(asked: readonly unknown[], find: () => Promise<Found>): Promise<Found> {
    const key = `cache:search:${createHash('sha256').update(JSON.stringify(asked)).digest('base64url')}`;
    const kept = await this.#redis.get(key).catch(() => null);
    if (kept !== null) return JSON.parse(kept) as Found;
    const found = await find();
    // Nobody waits for it.
    void this.#redis.set(key, JSON.stringify(found), 'EX', keptSeconds).catch(() => undefined);
    return found;
  }
}

import { LRUCache } from 'lru-cache';
import { withDeadline } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';

/** Remembers what may be presented once. */
export interface ReplayStore {
  /** True the first time a signature is shown within its window, false ever after. */
  isFirst(signature: string): Promise<boolean>;
}

const redisTimeoutMs = 500;
/** Twice the window (a timestamp may lie five minutes ahead), in seconds. */
const keptSeconds = 600;
const keptHere = 100_000;

/**
 * One store for all replicas, in Redis. While Redis is away each process remembers for itself: a replay would then
 * have to reach another replica, and what a worker asks for is harmless twice anyway (leases see to that); refusing
 * every worker instead would stop all work.
 */
export function createReplayStore(redis: Redis, log: Logger): ReplayStore {
  const seenHere = new LRUCache<string, true>({ max: keptHere, ttl: keptSeconds * 1000 });
  let isAway = false;
  const say = (away: boolean, error?: unknown): void => {
    if (away === isAway) return;
    isAway = away;
    if (away) log.warn('replays.local', 'Redis is away: signatures are remembered by this process alone', { error });
    else log.info('replays.shared', 'Signatures are remembered in Redis again');
  };
  return {
    async isFirst(signature) {
      if (seenHere.has(signature)) return false;
      seenHere.set(signature, true);
      if (redis.status !== 'ready') {
        say(true);
        return true;
      }
      try {
        const set = await withDeadline(
          () => redis.set(`lock:signature:${signature}`, '1', 'EX', keptSeconds, 'NX'), redisTimeoutMs, 'The replay store',
        );
        say(false);
        return set === 'OK';
      } catch (error) {
        say(true, error);
        return true;
      }
    },
  };
}

/** The event streams that somebody holds open, as they lie in Redis: a sorted set of leases by the time they run out. */
import type { Redis } from './redis.ts';

export const streamsKey = (subject: string): string => `rate_limit:${subject}:streams`;

/** How many streams an account holds open, over all replicas. */
export interface StreamUse {
  /** One round trip. Null where Redis cannot be asked: each process counts by itself then. */
  open(userId: string): Promise<number | null>;
}

/** By Redis' own clock, as the leases are. */
const countScript = `
local time = redis.call('TIME')
return redis.call('ZCOUNT', KEYS[1], '(' .. (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)), '+inf')`;

export function streamUse(redis: Redis): StreamUse {
  return {
    async open(userId) {
      try {
        return Number(await redis.eval(countScript, 1, streamsKey(userId)));
      } catch {
        return null;
      }
    },
  };
}

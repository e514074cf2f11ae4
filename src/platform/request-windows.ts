/**
 * The windows that requests are counted in, as they lie in Redis. The gate counts; whoever tells an account what it has
 * used reads here.
 */
import type { Redis } from './redis.ts';

/** The window of all requests of an account, by whatever credential and of whatever class. */
export const accountWindow = { name: 'api', windowSeconds: 60 } as const;

/** Where a window lies. Its value is `<index> <current> <previous>`: which window it is, what it counted, what the one before did. */
export const windowKey = (subject: string, name: string): string => `rate_limit:${subject}:${name}`;

export interface WindowUse {
  /** Requests that still weigh on the window, rounded up. */
  readonly used: number;
  /** When nothing weighs on it any more, in milliseconds since 1970; now where nothing does. */
  readonly emptyAtMs: number;
}

/** How much of its `api_requests_per_minute` an account has used. */
export interface RequestUse {
  /** One round trip. Null where Redis cannot be asked: each process counts by itself then. */
  used(userId: string): Promise<WindowUse | null>;
}

/** Reads what the gate has counted, by Redis' own clock. */
export function requestUse(redis: Redis): RequestUse {
  return {
    async used(userId) {
      try {
        // Of one turn of the event loop: they leave together.
        const [kept, time] = await Promise.all([redis.get(windowKey(userId, accountWindow.name)), redis.time()]);
        return useOf(kept, Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000), accountWindow.windowSeconds * 1000);
      } catch {
        return null;
      }
    },
  };
}

/** The two counters of a window, weighed as the gate weighs them. */
export function useOf(kept: string | null, nowMs: number, windowMs: number): WindowUse {
  const [index = 0, counted = 0, before = 0] = (kept ?? '').split(' ').map(Number);
  const present = Math.floor(nowMs / windowMs);
  const current = index === present ? counted : 0;
  const previous = index === present ? before : index === present - 1 ? counted : 0;
  const leftMs = windowMs - (nowMs - present * windowMs);
  const used = Math.max(0, Math.ceil(current + (previous * leftMs) / windowMs - 0.000001));
  if (current > 0) return { used, emptyAtMs: nowMs + leftMs + windowMs };
  return { used, emptyAtMs: previous > 0 ? nowMs + leftMs : nowMs };
}

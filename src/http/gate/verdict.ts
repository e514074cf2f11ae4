import { ServiceError } from '#platform/errors.ts';
import type { RateLimit } from './limits.ts';

/** How one window stands after a request. */
export interface WindowState {
  readonly remaining: number;
  /** Until the window ends, or until there is room again. */
  readonly resetMs: number;
}

/** What all windows of a request say together. */
export interface RateVerdict {
  /** Which window had no room, the one with the longest wait if several; null where the request was let through. */
  readonly refusedBy: number | null;
  /** In the order of the limits. */
  readonly windows: readonly WindowState[];
}

/** RateLimit-Policy and RateLimit of a verdict: names and values, one after the other. */
type RateHeaders = readonly [string, string, string, string];

/**
 * The headers as of draft-ietf-httpapi-ratelimit-headers-11, the tightest window first: some clients read no further than
 * the first.
 */
export function rateHeaders(limits: readonly RateLimit[], { windows }: RateVerdict): RateHeaders {
  const order = limits.map((_, at) => at);
  if (order.length > 1) {
    const left = (at: number): number => windows[at]?.remaining ?? 0;
    const wait = (at: number): number => windows[at]?.resetMs ?? 0;
    order.sort((a, b) => left(a) - left(b) || wait(b) - wait(a));
  }
  let policy = '';
  let state = '';
  for (const at of order) {
    const [limit, window] = [limits[at], windows[at]];
    if (limit === undefined || window === undefined) continue;
    const comma = policy === '' ? '' : ', ';
    policy += `${comma}"${limit.name}";q=${limit.quota};w=${limit.windowSeconds}`;
    state += `${comma}"${limit.name}";r=${window.remaining};t=${seconds(window.resetMs)}`;
  }
  return ['RateLimit-Policy', policy, 'RateLimit', state];
}

/** The refusal of the window that had no room, or null. */
export function rateRefusal(limits: readonly RateLimit[], { refusedBy, windows }: RateVerdict): ServiceError | null {
  if (refusedBy === null) return null;
  const [limit, window] = [limits[refusedBy], windows[refusedBy]];
  if (limit === undefined || window === undefined) throw new Error('A window refused that was not asked.');
  const wait = seconds(window.resetMs);
  return new ServiceError('RATE_LIMITED', `Too many requests. Try again in ${wait} s.`, {
    details: { limit: limit.name, quota: limit.quota, window_seconds: limit.windowSeconds }, retryAfterSeconds: wait,
  });
}

const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** Where the time comes from, so that tests can hand in one that stands still. */
export interface Clock {
  /** Milliseconds since 1970 (UTC). */
  now(): number;
}

export const systemClock: Clock = Object.freeze({ now: () => Date.now() });

import { pause } from '#platform/deadline.ts';

export interface RetryBounds {
  /** No new try begins later than this after the first. */
  readonly forMs: number;
  readonly signal?: AbortSignal;
  /** Null for an error that another try will not mend; else the least wait before it. */
  readonly waitMs: (error: unknown) => { readonly atLeastMs: number } | null;
  /** Told of each failure that is followed by another try. */
  readonly onRetry?: (error: unknown, waitMs: number) => void;
}

const firstWaitMs = 100;
const longestWaitMs = 5_000;
/** What a server may ask us to wait (Retry-After); more than this is its mistake or an attack. */
const longestAskedMs = 30_000;

/** Repeats `work` with doubling waits, a quarter more or less by chance so that many workers do not come back at once. */
export async function retrying<T>(work: () => Promise<T>, bounds: RetryBounds): Promise<T> {
  const endsAt = performance.now() + bounds.forMs;
  for (let nextMs = firstWaitMs; ; nextMs = Math.min(nextMs * 2, longestWaitMs)) {
    try {
      return await work();
    } catch (error) {
      bounds.signal?.throwIfAborted();
      const asked = bounds.waitMs(error);
      if (asked === null) throw error;
      const waitMs = Math.max(nextMs * (0.75 + Math.random() / 2), Math.min(asked.atLeastMs, longestAskedMs));
      if (performance.now() + waitMs > endsAt) throw error;
      bounds.onRetry?.(error, waitMs);
      await pause(waitMs, bounds.signal);
    }
  }
}

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Counting } from './script.ts';
import type { RateVerdict, WindowState } from './verdict.ts';

/** Limits come from a few tiers and classes; more distinct ones than this are a fault, and the oldest limiter goes. */
const maxLimiters = 200;

/** Counts in this process alone: for when Redis is away. With n replicas a caller may then get n times its quota. */
export class LocalLimiter {
  readonly #limiters = new Map<string, RateLimiterMemory>();

  /** Counts in all windows, or, when one of them has no room, in none. */
  async count(windows: readonly Counting[]): Promise<RateVerdict> {
    const taken = await Promise.all(windows.map((one) => this.#take(one)));
    const waits = taken.map(({ isAllowed, resetMs }) => (isAllowed ? 0 : resetMs));
    const longest = Math.max(0, ...waits);
    if (longest === 0) return { refusedBy: null, windows: taken };
    // What was taken beside the one that refused is given back.
    await Promise.all(windows.filter((_, at) => taken[at]?.isAllowed === true).map((one) => this.#limiterOf(one).reward(one.key)));
    const left = taken.map(({ isAllowed, remaining, resetMs }) => ({ remaining: isAllowed ? remaining + 1 : 0, resetMs }));
    return { refusedBy: waits.indexOf(longest), windows: left };
  }

  async #take(window: Counting): Promise<WindowState & { readonly isAllowed: boolean }> {
    try {
      const { remainingPoints, msBeforeNext } = await this.#limiterOf(window).consume(window.key);
      return { isAllowed: true, remaining: remainingPoints, resetMs: msBeforeNext };
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return { isAllowed: false, remaining: 0, resetMs: Math.max(1, error.msBeforeNext) };
    }
  }

  #limiterOf({ quota, windowMs }: Counting): RateLimiterMemory {
    const name = `${quota}/${windowMs}`;
    const known = this.#limiters.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#limiters.keys();
    if (this.#limiters.size >= maxLimiters && oldest !== undefined) this.#limiters.delete(oldest);
    const limiter = new RateLimiterMemory({ points: quota, duration: windowMs / 1000 });
    this.#limiters.set(name, limiter);
    return limiter;
  }
}

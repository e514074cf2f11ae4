import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimit } from './limits.ts';

export interface RateVerdict {
  readonly isAllowed: boolean;
  readonly remaining: number;
  /** Until the window ends, or until there is room again. */
  readonly resetMs: number;
}

/** Limits come from a few tiers and classes; more distinct ones than this are a fault, and the oldest limiter goes. */
const maxLimiters = 200;

/** Counts in this process alone: for when Redis is away. With n replicas a caller may then get n times its quota. */
export class LocalLimiter {
  readonly #limiters = new Map<string, RateLimiterMemory>();

  async count(subject: string, limit: RateLimit): Promise<RateVerdict> {
    try {
      const result = await this.#limiterFor(limit).consume(subject);
      return { isAllowed: true, remaining: result.remainingPoints, resetMs: result.msBeforeNext };
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return { isAllowed: false, remaining: 0, resetMs: Math.max(1, error.msBeforeNext) };
    }
  }

  #limiterFor({ quota, windowSeconds }: RateLimit): RateLimiterMemory {
    const name = `${quota}/${windowSeconds}`;
    const known = this.#limiters.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#limiters.keys();
    if (this.#limiters.size >= maxLimiters && oldest !== undefined) this.#limiters.delete(oldest);
    const limiter = new RateLimiterMemory({ points: quota, duration: windowSeconds });
    this.#limiters.set(name, limiter);
    return limiter;
  }
}

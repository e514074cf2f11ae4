/** Limits on guessing, counted in Redis for all replicas; while Redis is away each process counts for itself. */
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { ServiceError } from '#platform/errors.ts';

/** @param name of its keys: `rate_limit:<name>:…` */
export function guessLimiter(redis: Redis, name: string, points: number, windowSeconds: number): RateLimiterRedis {
  return new RateLimiterRedis({
    storeClient: redis, keyPrefix: `rate_limit:${name}`, points, duration: windowSeconds, rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory({ points, duration: windowSeconds }),
  });
}

/**
 * Takes a point, or throws RATE_LIMITED with the seconds to wait.
 *
 * @param limit what `details.limit` says
 * @param refusal what happened, a sentence
 */
export async function orLimited(consume: () => Promise<unknown>, limit: string, refusal: string): Promise<void> {
  try {
    await consume();
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    throw new ServiceError('RATE_LIMITED', `${refusal} Try again in ${seconds} s.`, {
      details: { limit, retry_after: seconds }, retryAfterSeconds: seconds,
    });
  }
}

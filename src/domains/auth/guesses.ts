import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { ServiceError } from '#platform/errors.ts';

const hourSeconds = 3_600;

/**
 * How often something that an account alone knows may be guessed wrong within an hour, from wherever and however many
 * sessions. Each guess is counted before it is looked at, so that a hundred at once are a hundred. While Redis is away
 * each process counts for itself.
 */
export class Guesses {
  readonly #limiter: RateLimiterRedis;
  readonly #name: string;

  constructor(redis: Redis, name: 'password' | 'code' | 'second_factor', perHour: number) {
    this.#name = name;
    this.#limiter = new RateLimiterRedis({
      storeClient: redis, keyPrefix: `rate_limit:guess_${name}`, points: perHour, duration: hourSeconds, rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory({ points: perHour, duration: hourSeconds }),
    });
  }

  /**
   * Lets `work` look at one guess, or throws RATE_LIMITED with the seconds to wait. It counts where `work` throws FORBIDDEN
   * or AUTH_INVALID; a right one, and one that came to nothing for another reason, does not. What others guessed wrong
   * for the account still does.
   */
  async look<T>(userId: string, work: () => Promise<T>): Promise<T> {
    await this.#take(userId);
    try {
      const result = await work();
      await this.#limiter.reward(userId);
      return result;
    } catch (error) {
      if (!isWrong(error)) await this.#limiter.reward(userId);
      throw error;
    }
  }

  async #take(userId: string): Promise<void> {
    try {
      await this.#limiter.consume(userId);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
      throw new ServiceError('RATE_LIMITED', `That was wrong too often. Try again in ${seconds} s.`, {
        details: { limit: `guess_${this.#name}`, retry_after: seconds }, retryAfterSeconds: seconds,
      });
    }
  }
}

const isWrong = (error: unknown): boolean => error instanceof ServiceError && (error.code === 'FORBIDDEN' || error.code === 'AUTH_INVALID');

import type { Redis } from 'ioredis';
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import { ServiceError } from '#platform/errors.ts';
import { guessLimiter, orLimited } from './limiters.ts';

const hourSeconds = 3_600;

/**
 * How often something that an account alone knows may be guessed wrong within an hour, from wherever and however many
 * sessions. Each guess is counted before it is looked at, so that a hundred at once are a hundred.
 */
export class Guesses {
  readonly #limiter: RateLimiterRedis;
  readonly #name: string;

  constructor(redis: Redis, what: 'password' | 'code' | 'second_factor', wrongPerHour: number) {
    this.#name = `guess_${what}`;
    this.#limiter = guessLimiter(redis, this.#name, wrongPerHour, hourSeconds);
  }

  /**
   * Lets `work` look at one guess, or throws RATE_LIMITED with the seconds to wait. It counts where `work` throws FORBIDDEN
   * or AUTH_INVALID; a right one, and one that came to nothing for another reason, does not. What others guessed wrong
   * for the account still does.
   */
  async look<T>(userId: string, work: () => Promise<T>): Promise<T> {
    await orLimited(() => this.#limiter.consume(userId), this.#name, 'That was wrong too often.');
    let wasWrong = false;
    try {
      return await work();
    } catch (error) {
      wasWrong = isWrong(error);
      throw error;
    } finally {
      if (!wasWrong) await this.#limiter.reward(userId);
    }
  }
}

const isWrong = (error: unknown): boolean => error instanceof ServiceError && (error.code === 'FORBIDDEN' || error.code === 'AUTH_INVALID');

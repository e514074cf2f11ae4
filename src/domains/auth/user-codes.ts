/** The short codes that people type to link a device: eight consonants, kept as a keyed hash, and hard to guess at. */
import { randomInt, type KeyObject } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import { hmacSha256 } from '#platform/crypto.ts';
import { guessLimiter, orLimited } from './limiters.ts';

/** No vowels, so that no words come of it, and no Y, which is one in many languages: 20 letters, 2.56 · 10¹⁰ codes. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ';
const length = 8;

export const newUserCode = (): string => Array.from({ length }, () => letters.charAt(randomInt(letters.length))).join('');

/** As it was made, however somebody typed it. */
export const plainUserCode = (typed: string): string => typed.replace('-', '').toUpperCase();

/** As it is shown. */
export const shownUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;

export const hashOfUserCode = (key: KeyObject, code: string): Buffer => hmacSha256(key, `user code\n${code}`);

/** Wrong codes that one person may type, and all together, within a quarter of an hour: with a hundred links open always, one is hit in 24 years. */
const ofCaller = 10;
const ofAll = 300;
const windowSeconds = 900;

const everybody = 'everybody';
const limit = 'user_code';
const refusal = 'Too many codes that are none.';

/** A guess that was let through. */
export interface CodeGuess {
  /** There was such a link: it counts nowhere. */
  hit(): Promise<void>;
}

/**
 * Counts each code before it is looked up, so that a hundred at once are a hundred; those that hit are taken off again.
 * While Redis is away each process counts for itself.
 */
export class UserCodeGuesses {
  readonly #ofCaller: RateLimiterRedis;
  readonly #ofAll: RateLimiterRedis;

  constructor(redis: Redis) {
    this.#ofCaller = guessLimiter(redis, 'user_code_caller', ofCaller, windowSeconds);
    this.#ofAll = guessLimiter(redis, 'user_code_all', ofAll, windowSeconds);
  }

  /** Takes one guess, or throws RATE_LIMITED with the seconds to wait. */
  async begin(userId: string): Promise<CodeGuess> {
    await orLimited(() => this.#ofCaller.consume(userId), limit, refusal);
    try {
      await orLimited(() => this.#ofAll.consume(everybody), limit, refusal);
    } catch (error) {
      // Kept out for what others did.
      await this.#ofCaller.reward(userId);
      throw error;
    }
    return { hit: async () => { await Promise.all([this.#ofCaller.reward(userId), this.#ofAll.reward(everybody)]); } };
  }
}

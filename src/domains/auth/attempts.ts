/**
 * How often somebody may try a password: five times a minute for one account from one address, thirty an hour from one
 * address, and for one account from wherever a growing wait after ten failures. Only failures count in the end; each try
 * is counted before its password is looked at, so that a hundred at once are a hundred. While Redis is away each process
 * counts for itself.
 */
import type { Redis } from 'ioredis';
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import { addressGroup } from '#platform/addresses.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { guessLimiter, orLimited } from './limiters.ts';

const minuteSeconds = 60;
const hourSeconds = 3_600;
const daySeconds = 86_400;
/** Failures of an account within a day before it has to wait; the wait after the first beyond them, doubled with each more, and the longest. */
const freeFailures = 10;
const firstWaitSeconds = 2;
const longestWaitSeconds = 900;

/** A try that was let through. */
export interface Attempt {
  /** Wrong tries for the account since its last right password, within a day. */
  readonly failuresBefore: number;
  /** The password was right: the try counts nowhere, and what the account owed is forgotten. */
  succeeded(): Promise<void>;
}

export class SignInAttempts {
  readonly #ofBoth: RateLimiterRedis;
  readonly #ofAddress: RateLimiterRedis;
  readonly #ofAccount: RateLimiterRedis;
  readonly #waits: RateLimiterRedis;
  /** How many waits an account has had. Counted by themselves: of many tries at once all count as failures for a moment. */
  readonly #waited: RateLimiterRedis;

  constructor(redis: Redis) {
    this.#ofBoth = guessLimiter(redis, 'sign_in_both', 5, minuteSeconds);
    this.#ofAddress = guessLimiter(redis, 'sign_in_address', 30, hourSeconds);
    this.#ofAccount = guessLimiter(redis, 'sign_in_account', freeFailures, daySeconds);
    this.#waits = guessLimiter(redis, 'sign_in_wait', 1, longestWaitSeconds);
    this.#waited = guessLimiter(redis, 'sign_in_waited', freeFailures, daySeconds);
  }

  /**
   * Takes one try, or throws RATE_LIMITED with the seconds to wait.
   *
   * @param account the account's id; for an unknown one what it was asked by, so that it is limited just so
   */
  async begin(account: string, ip: string): Promise<Attempt> {
    const who = sha256Hex(account.toLowerCase()).slice(0, 32);
    const address = addressGroup(ip);
    const both = `${who}:${address}`;
    await orWait(() => this.#ofBoth.consume(both));
    await orWait(() => this.#ofAddress.consume(address));
    const { consumedPoints: failures } = await this.#ofAccount.penalty(who);
    if (failures > freeFailures) {
      try {
        // One try, and none beside it until its wait is over.
        await orWait(() => this.#waits.consume(who, 1, { customDuration: firstWaitSeconds }));
      } catch (error) {
        await this.#ofAccount.reward(who);
        throw error;
      }
      const { consumedPoints: waits } = await this.#waited.penalty(who);
      if (waits > 1) await this.#waits.set(who, 1, Math.min(firstWaitSeconds ** Math.min(waits, 20), longestWaitSeconds));
    }
    return {
      failuresBefore: failures - 1,
      succeeded: async () => {
        await Promise.all([this.#ofBoth.reward(both), this.#ofAddress.reward(address), this.#ofAccount.delete(who), this.#waits.delete(who), this.#waited.delete(who)]);
      },
    };
  }
}

const orWait = (consume: () => Promise<unknown>): Promise<void> => orLimited(consume, 'sign_in', 'Too many tries to sign in.');

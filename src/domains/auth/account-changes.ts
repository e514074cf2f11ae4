import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';
import { announceAccountChange } from '#platform/revocations.ts';

/** Says after a commit that an account is another: every replica reads it anew at once, and where Redis is away within three seconds. */
export class AccountChanges {
  readonly #redis: Redis;
  readonly #log: Logger;

  constructor(redis: Redis, log: Logger) {
    this.#redis = redis;
    this.#log = log;
  }

  async told(userId: string): Promise<void> {
    try {
      await announceAccountChange(this.#redis, userId);
    } catch (error) {
      this.#log.warn('auth.change_late', 'Other replicas see a changed account when what they keep of it has aged', { error });
    }
  }
}

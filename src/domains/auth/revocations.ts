import type { DomainEvent } from '#jobs/outbox.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';
import { markRevoked } from '#platform/revocations.ts';

/** An access token lives this long; a mark need not outlive it. A minute more for clocks. */
const markSeconds = 15 * 60 + 60;

/** Tells every replica that a session has ended: at once, and again by the outbox where Redis did not hear it. */
export class Revocations {
  readonly #redis: Redis;
  readonly #log: Logger;

  constructor(redis: Redis, log: Logger) {
    this.#redis = redis;
    this.#log = log;
  }

  /** After the commit. A Redis that is away hears it by the outbox; until it is back PostgreSQL is asked. */
  async revoke(sessionId: string): Promise<void> {
    try {
      await markRevoked(this.#redis, [sessionId], markSeconds);
    } catch (error) {
      this.#log.warn('auth.revocation_late', 'Redis will hear of an ended session by the outbox', { error });
    }
  }

  /** The consumer of `session.revoked`. */
  async again(event: DomainEvent): Promise<void> {
    await markRevoked(this.#redis, [event.entityId], markSeconds);
  }
}

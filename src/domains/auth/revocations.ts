import type { DomainEvent } from '#jobs/outbox.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';
import { markRevoked } from '#platform/revocations.ts';

/** An access token lives this long; a mark need not outlive it. A minute more for clocks. */
const markSeconds = 15 * 60 + 60;
/** Sessions remembered while Redis is away; the outbox knows them all. */
const owedBound = 10_000;

/** Tells every replica that a session or API key has ended: at once, and again by the outbox where Redis did not hear it. */
export class Revocations {
  readonly #redis: Redis;
  readonly #log: Logger;
  /** What Redis did not hear. It is told the moment it is back, before any request asks it. */
  readonly #owed = new Set<string>();

  constructor(redis: Redis, log: Logger) {
    this.#redis = redis;
    this.#log = log;
    redis.on('ready', () => void this.#payOwed());
  }

  /**
   * After the commit that ended sessions or API keys. A Redis that is away hears it when it is back; until then
   * PostgreSQL is asked.
   */
  async revoke(...ids: readonly string[]): Promise<void> {
    try {
      await markRevoked(this.#redis, ids, markSeconds);
    } catch (error) {
      for (const id of ids) if (this.#owed.size < owedBound) this.#owed.add(id);
      this.#log.warn('auth.revocation_late', 'Redis will hear of an ended session when it is back', { error });
    }
  }

  /** The consumer of `session.revoked` and `api_key.revoked`. */
  async again(event: DomainEvent): Promise<void> {
    await markRevoked(this.#redis, [event.entityId], markSeconds);
  }

  async #payOwed(): Promise<void> {
    const owed = [...this.#owed];
    try {
      await markRevoked(this.#redis, owed, markSeconds);
      for (const id of owed) this.#owed.delete(id);
    } catch (error) {
      this.#log.warn('auth.revocation_late', 'Redis went away again before it heard of ended sessions', { error });
    }
  }
}

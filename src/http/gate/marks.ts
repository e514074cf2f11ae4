import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';
import { writeMarks } from '#platform/revocations.ts';
import type { CredentialStore } from '../authenticate/credentials.ts';

/** Says that the `revoked:` marks in this Redis are whole. A wipe takes it along with the marks. */
export const sentinelKey = 'cache:revocations:whole';

/** The marks are rebuilt this often even if nothing was lost: a mark that could not be written takes hold by then. */
const wholeForMs = 60_000;
/** Rebuilt in the background from here on, so that no request ever finds the sentinel expired in the ordinary run. */
const renewBelowMs = 30_000;
/** A rebuild that failed is not tried again for this long. */
const retryMs = 1_000;

/** Keeps the revocation marks in Redis whole, out of PostgreSQL. */
export class RevocationMarks {
  readonly #redis: Redis;
  readonly #store: CredentialStore;
  readonly #log: Logger;
  #rebuilding = false;
  #notBeforeMs = 0;
  #isMissing = false;

  constructor(redis: Redis, store: CredentialStore, log: Logger) {
    this.#redis = redis;
    this.#store = store;
    this.#log = log;
  }

  /** What the gate saw of the sentinel. True when the marks can be relied on; starts a rebuild when it is time. */
  note(sentinelMs: number): boolean {
    const stands = sentinelMs > 0;
    if (!stands && !this.#isMissing) this.#log.warn('revocations.missing', 'Redis lost the revocation marks: they are read from PostgreSQL until rebuilt');
    this.#isMissing = !stands;
    if (sentinelMs < renewBelowMs && !this.#rebuilding && Date.now() >= this.#notBeforeMs) {
      this.#rebuilding = true;
      void this.#rebuild();
    }
    return stands;
  }

  /**
   * Marks first, sentinel last. A revocation that commits while this runs writes its own mark after its commit, so it
   * is either in what was read here or marked by itself. Any number of replicas may do this at once.
   */
  async #rebuild(): Promise<void> {
    try {
      const revocations = await this.#store.recentRevocations();
      const byTtl = Map.groupBy(revocations, ({ ttlSeconds }) => Math.ceil(ttlSeconds));
      for (const [ttlSeconds, some] of byTtl) await writeMarks(this.#redis, some.map(({ id }) => id), ttlSeconds);
      await this.#redis.set(sentinelKey, '1', 'PX', wholeForMs);
    } catch (error) {
      this.#notBeforeMs = Date.now() + retryMs;
      this.#log.warn('revocations.not_rebuilt', 'The revocation marks could not be rebuilt', { error });
    } finally {
      this.#rebuilding = false;
    }
  }
}

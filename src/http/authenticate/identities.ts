import { LRUCache } from 'lru-cache';
import type { Clock } from '#platform/clock.ts';
import type { Account, ApiKeyIdentity, CredentialStore } from './credentials.ts';

/** An account changed elsewhere holds here for at most this long, even if nobody told us. */
const timeToLiveMs = 3_000;
const kept = 20_000;

interface Entry<T> {
  readonly value: Promise<T | null>;
  readonly readAtMs: number;
}

/**
 * Accounts and API keys through a cache of a few seconds: a busy caller costs one query per three seconds instead of
 * one per request. A suspension or tier change is told to every replica by pub/sub (`forget`), the time to live is for
 * when that message was lost. Callers that ask at once share one query; a failed one is not kept.
 */
export class Identities {
  readonly #store: CredentialStore;
  readonly #clock: Clock;
  readonly #accounts = new LRUCache<string, Entry<Account>>({ max: kept });
  readonly #apiKeys = new LRUCache<string, Entry<ApiKeyIdentity>>({ max: kept });

  constructor(store: CredentialStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async account(userId: string): Promise<Account | null> {
    return await this.#through(this.#accounts, userId, () => this.#store.account(userId));
  }

  /** Read now: for what an administrator may do. The cache learns it too. */
  async accountNow(userId: string): Promise<Account | null> {
    this.#accounts.delete(userId);
    return await this.account(userId);
  }

  async apiKey(hash: Buffer): Promise<ApiKeyIdentity | null> {
    return await this.#through(this.#apiKeys, hash.toString('base64'), () => this.#store.apiKey(hash));
  }

  /** An account changed, or one of its keys: what is kept of it is read anew. */
  async forget(userId: string): Promise<void> {
    this.#accounts.delete(userId);
    for (const [hash, entry] of this.#apiKeys.entries()) {
      if ((await entry.value.catch(() => null))?.userId === userId) this.#apiKeys.delete(hash);
    }
  }

  /** Everything is read anew: after the subscription that tells of changes was interrupted. */
  forgetAll(): void {
    this.#accounts.clear();
    this.#apiKeys.clear();
  }

  #through<T>(cache: LRUCache<string, Entry<T>>, key: string, read: () => Promise<T | null>): Promise<T | null> {
    const known = cache.get(key);
    const now = this.#clock.now();
    if (known !== undefined && now - known.readAtMs < timeToLiveMs) return known.value;
    const entry: Entry<T> = { value: read(), readAtMs: now };
    cache.set(key, entry);
    entry.value.then(
      // What does not exist may come to exist (a key just made on another replica): not kept.
      (value) => { if (value === null && cache.peek(key) === entry) cache.delete(key); },
      () => { if (cache.peek(key) === entry) cache.delete(key); },
    );
    return entry.value;
  }
}

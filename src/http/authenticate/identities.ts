import { LRUCache } from 'lru-cache';
import type { Clock } from '#platform/clock.ts';
import type { Account, ApiKeyIdentity, CredentialStore } from './credentials.ts';

/** An account changed elsewhere holds here for at most this long, even if nobody told us. */
const timeToLiveMs = 3_000;
const kept = 20_000;

interface Entry {
  readonly value: Promise<Account | null>;
  readonly readAtMs: number;
}

/**
 * Accounts through a cache of a few seconds: a busy caller costs one query per three seconds instead of one per request.
 * A suspension or tier change is told to every replica by pub/sub (`forget`), the time to live is for when that message
 * was lost. Callers that ask at once share one query; a failed one is not kept.
 *
 * API keys are read anew at every request: a change of what a key may do holds from the next one on, whatever became of
 * a message.
 */
export class Identities {
  readonly #store: CredentialStore;
  readonly #clock: Clock;
  readonly #accounts = new LRUCache<string, Entry>({ max: kept });
  /** Whose a session is never changes. */
  readonly #holders = new LRUCache<string, string>({ max: kept });

  constructor(store: CredentialStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  account(userId: string): Promise<Account | null> {
    const known = this.#accounts.get(userId);
    const now = this.#clock.now();
    if (known !== undefined && now - known.readAtMs < timeToLiveMs) return known.value;
    const entry: Entry = { value: this.#store.account(userId), readAtMs: now };
    this.#accounts.set(userId, entry);
    const letGo = (): void => { if (this.#accounts.peek(userId) === entry) this.#accounts.delete(userId); };
    // What does not exist may come to exist (an account just made on another replica): not kept.
    entry.value.then((value) => { if (value === null) letGo(); }, letGo);
    return entry.value;
  }

  /** Read now: for what an administrator may do. The cache learns it too. */
  accountNow(userId: string): Promise<Account | null> {
    this.#accounts.delete(userId);
    return this.account(userId);
  }

  /**
   * Whether a session is there, has not ended and is this account's. Asked once of each session: that it has ended since
   * is the gate's to know. True at once where it is known, so that nobody waits for it.
   */
  isSessionOf(sessionId: string, userId: string): true | Promise<boolean> {
    return this.#holders.get(sessionId) === userId ? true : this.#readSession(sessionId, userId);
  }

  apiKey(hash: Buffer): Promise<ApiKeyIdentity | null> {
    return this.#store.apiKey(hash);
  }

  /** An account changed: what is kept of it is read anew. */
  forget(userId: string): void {
    this.#accounts.delete(userId);
  }

  async #readSession(sessionId: string, userId: string): Promise<boolean> {
    const session = await this.#store.session(sessionId);
    if (session === null || session.isRevoked || session.userId !== userId) return false;
    this.#holders.set(sessionId, userId);
    return true;
  }

  /** Everything is read anew: after the subscription that tells of changes was interrupted. */
  forgetAll(): void {
    this.#accounts.clear();
  }
}

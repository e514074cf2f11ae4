import type { Credential } from '../exchange.ts';

/** The event streams of this process, by what they rest on: the session or API key, and its account. */
export class LiveStreams {
  readonly #looks = new Map<string, Set<() => void>>();

  /** `look` is called when something the credential rests on may have ended. Answers how to take the stream out again. */
  add({ revocationId, account }: Credential, look: () => void): () => void {
    const ids = [account?.id ?? null, revocationId].filter((id) => id !== null);
    for (const id of ids) {
      const looks = this.#looks.get(id);
      if (looks === undefined) this.#looks.set(id, new Set([look]));
      else looks.add(look);
    }
    return () => {
      for (const id of ids) {
        const looks = this.#looks.get(id);
        looks?.delete(look);
        if (looks?.size === 0) this.#looks.delete(id);
      }
    };
  }

  /** A session, API key or account was revoked: its streams look at once, instead of at their next turn. */
  lookAgain(id: string): void {
    for (const look of this.#looks.get(id) ?? []) look();
  }

  /** How many things streams rest on: for tests that look for leaks. */
  get size(): number {
    return this.#looks.size;
  }
}

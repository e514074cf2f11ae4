import { randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import { ServiceError } from '#platform/errors.ts';

/** OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. */
const options = { type: argon2.argon2id, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const;

/** Hashing runs on libuv's four threads; two at once leave half of them to everything else. */
const atOnce = 2;
/** Beyond this many waiting, a sign-in is told to come back rather than kept for many seconds. */
const waitingBound = 200;

/** Hashes and verifies passwords, never more than two at once, so that a burst of sign-ins cannot starve the thread pool. */
export class Passwords {
  readonly #waitingBound: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #dummy: Promise<string> | null = null;

  constructor(bound = waitingBound) {
    this.#waitingBound = bound;
  }

  /** An Argon2id hash in PHC string form. */
  async hash(password: string): Promise<string> {
    return this.#inTurn(() => argon2.hash(password, options));
  }

  /** Whether the password fits; with a null hash it takes the same time and answers false. */
  async verify(hash: string | null, password: string): Promise<boolean> {
    const dummy = this.#dummyHash();
    const against = hash ?? (await dummy);
    const fits = await this.#inTurn(() => argon2.verify(against, password));
    return hash !== null && fits;
  }

  /** Made once, at the first sign-in of whomever, out of turn: a refused place in the queue must not make it fail for good. */
  #dummyHash(): Promise<string> {
    this.#dummy ??= argon2.hash(randomBytes(24).toString('base64url'), options);
    this.#dummy.catch(() => { this.#dummy = null; });
    return this.#dummy;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= atOnce) {
      if (this.#waiting.length >= this.#waitingBound) {
        throw new ServiceError('SERVICE_UNAVAILABLE', 'Too many people are signing in. Try again in a few seconds.', { retryAfterSeconds: 5 });
      }
      await new Promise<void>((resolve) => { this.#waiting.push(resolve); });
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

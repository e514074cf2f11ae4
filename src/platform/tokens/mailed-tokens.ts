import { createHmac, type KeyObject } from 'node:crypto';
import { equalInConstantTime, sha256 } from '#platform/crypto.ts';

/** What a token is good for: one of another purpose never passes for it. */
export type MailedTokenPurpose = 'email_verification' | 'password_reset' | 'invitation';

/**
 * Tokens that travel by mail: 256 bits as base64url, derived by HMAC from the id of their row. Only their SHA-256 is
 * stored, and yet the job that sends the mail, and its next attempt, can make the very same token out of the row's id:
 * so no secret lies in a job's payload or in Redis.
 */
export class MailedTokens {
  readonly #current: KeyObject;
  readonly #previous: KeyObject | null;

  /** @param previous the key before a rotation of JWT_SECRET: mails that still wait are sent with its tokens */
  constructor(current: KeyObject, previous: KeyObject | null) {
    this.#current = current;
    this.#previous = previous;
  }

  /** What to store for a new row. */
  hashFor(purpose: MailedTokenPurpose, rowId: string): Buffer {
    return hashOfToken(derive(this.#current, purpose, rowId));
  }

  /** The token of a stored row; null where neither key makes it. */
  tokenOf(purpose: MailedTokenPurpose, rowId: string, storedHash: Buffer): string | null {
    for (const key of [this.#current, this.#previous]) {
      const token = key === null ? null : derive(key, purpose, rowId);
      if (token !== null && equalInConstantTime(hashOfToken(token).toString('hex'), storedHash.toString('hex'))) return token;
    }
    return null;
  }
}

/** How every one-time token is kept. */
export const hashOfToken = (token: string): Buffer => sha256(token);

const derive = (key: KeyObject, purpose: MailedTokenPurpose, rowId: string): string =>
  createHmac('sha256', key).update(`mailed\n${purpose}\n${rowId}`).digest('base64url');

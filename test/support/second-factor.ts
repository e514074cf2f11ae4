import { Secret, TOTP } from 'otpauth';
import { type Account, login, password } from './accounts.ts';
import type { Backend } from './backend.ts';

/** The code that an authenticator with this secret (base32) shows at a time. */
export const codeAt = (secret: string, nowMs: number): string =>
  TOTP.generate({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: 30, timestamp: nowMs });

/** The bytes that base32 stands for. */
export const secretBytes = (secret: string): Buffer => Buffer.from(Secret.fromBase32(secret).bytes);

/** A code of six digits that is none of those near that time. */
export function wrongCode(secret: string, nowMs: number): string {
  const near = [-60_000, -30_000, 0, 30_000, 60_000].map((off) => codeAt(secret, nowMs + off));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code)) ?? '666666';
}

/** Somebody's authenticator: it waits until its next code is one that nobody has seen. */
export class Authenticator {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
  /** The code that turned it on. */
  readonly firstCode: string;
  readonly #backend: Backend;

  constructor(backend: Backend, secret: string, firstCode: string, recoveryCodes: readonly string[]) {
    this.#backend = backend;
    this.secret = secret;
    this.firstCode = firstCode;
    this.recoveryCodes = recoveryCodes;
  }

  /** The code of now. */
  get code(): string {
    return codeAt(this.secret, this.#backend.clock.now());
  }

  /** The code of 30 seconds on. */
  next(): string {
    this.#backend.clock.advance(30_000);
    return this.code;
  }

  get wrong(): string {
    return wrongCode(this.secret, this.#backend.clock.now());
  }
}

/** Turns the second factor on; the code of now is used up by that. */
export async function turnOn(backend: Backend, { headers }: Account): Promise<Authenticator> {
  const enrolled = await backend.http('POST', '/auth/mfa/totp', { json: { password }, headers });
  const secret = String(enrolled.data['secret']);
  const code = codeAt(secret, backend.clock.now());
  const confirmed = await backend.http('POST', '/auth/mfa/totp/confirm', { json: { code }, headers });
  if (confirmed.status !== 200) throw new Error(`The second factor was not turned on: ${enrolled.text} ${confirmed.text}`);
  return new Authenticator(backend, secret, code, confirmed.data['recovery_codes'] as string[]);
}

/** Signs in as far as the challenge; its token. */
export async function challenged(backend: Backend, account: Account, word = password, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const reply = await login(backend, account, word, more);
  if (reply.data['token_type'] !== 'Challenge') throw new Error(`There was no challenge: ${reply.text}`);
  return String(reply.data['challenge_token']);
}

/** Codes of an authenticator app (RFC 6238), as those apps expect them: SHA-1, six digits, 30 seconds. */
import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

const issuer = 'HiveSync';
const periodSeconds = 30;
/** One step to either side, for clocks that are off and people who type slowly. */
const window = 1;
/** What the contract allows; a long address with signs in it can exceed it once it is escaped. */
const urlBound = 500;

/** A fresh secret: 160 bits, as long as the hash (RFC 4226, section 4). */
export const newTotpSecret = (): Buffer => randomBytes(20);

/** As a person types it in: 32 signs of base32. */
export const totpSecretText = (secret: Uint8Array): string => secretOf(secret).base32;

/** As an app reads it from a QR code: the account goes by its address, or by its name where the address is too long. */
export function totpUrl(secret: Uint8Array, { email, username }: { readonly email: string; readonly username: string }): string {
  const url = (label: string): string => new TOTP({ issuer, label, algorithm: 'SHA1', digits: 6, period: periodSeconds, secret: secretOf(secret) }).toString();
  const byEmail = url(email);
  return byEmail.length <= urlBound ? byEmail : url(username);
}

/** The number of the 30 seconds whose code this is, of the present ones and those before and after; null for any other code. */
export function stepOfCode(secret: Uint8Array, code: string, nowMs: number): number | null {
  const delta = TOTP.validate({ token: code, secret: secretOf(secret), algorithm: 'SHA1', digits: 6, period: periodSeconds, timestamp: nowMs, window });
  return delta === null ? null : Math.floor(nowMs / 1000 / periodSeconds) + delta;
}

const secretOf = (secret: Uint8Array): Secret => new Secret({ buffer: Uint8Array.from(secret).buffer });

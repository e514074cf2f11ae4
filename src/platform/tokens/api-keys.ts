import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { sha256 } from '#platform/crypto.ts';

/**
 * The form of an API key: `hsk_`, 30 random letters and digits (178 bits), 6 of checksum. The checksum lets a scanner
 * know a leaked key and lets us refuse a mistyped one without asking the database; it keeps no secret.
 */
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const form = /^hsk_[0-9A-Za-z]{36}$/;

export interface NewApiKey {
  /** Shown once; never stored. */
  readonly key: string;
  /** SHA-256, what is stored and looked up. */
  readonly hash: Buffer;
  /** `hsk_` and the first four: what a list shows. */
  readonly prefix: string;
  readonly lastFour: string;
}

export function newApiKey(): NewApiKey {
  const random = Array.from({ length: 30 }, () => alphabet[randomInt(62)]).join('');
  const key = `hsk_${random}${checksum(random)}`;
  return { key, hash: hashApiKey(key), prefix: key.slice(0, 8), lastFour: key.slice(-4) };
}

/** Whether a text has the form and checksum of a key. */
export const isApiKeyFormed = (text: string): boolean => form.test(text) && checksum(text.slice(4, 34)) === text.slice(34);

export const hashApiKey = (key: string): Buffer => sha256(key);

/** CRC-32 in base 62, six digits (62^6 holds 2^32). */
function checksum(random: string): string {
  let rest = crc32(random);
  let digits = '';
  for (let at = 0; at < 6; at += 1) {
    digits = `${alphabet[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

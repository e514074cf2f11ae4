import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { equalInConstantTime } from '#platform/crypto.ts';

/** Thirty days, counted anew at each rotation. */
export const refreshLifetimeMs = 30 * 24 * 60 * 60 * 1000;
/** A repeat of a used token within this time, from the same device, is a race of two tabs and no theft. */
export const graceMs = 10_000;

/** Bytes of a family's id and of the counter, as they stand in a token; in base64url 27 characters. */
const placeBytes = 20;
const form = /^hsr_([A-Za-z0-9_-]{27})([A-Za-z0-9_-]{43})$/;

/**
 * The token of a family at a counter: `hsr_`, its place, and 256 bits derived by HMAC, so that the successor of a used
 * token can be answered again within the grace although only hashes are stored.
 */
export function refreshToken(key: KeyObject, family: string, counter: number): string {
  const place = Buffer.alloc(placeBytes);
  place.write(family.replaceAll('-', ''), 'hex');
  place.writeUInt32BE(counter, 16);
  return `hsr_${place.toString('base64url')}${createHmac('sha256', key).update(`refresh\n${family}\n${counter}`).digest('base64url')}`;
}

/**
 * The family of a token that we made, whether or not its row is still kept: a token used long ago is known for what it
 * is when its row is swept. Null for whatever else.
 */
export function familyOf(key: KeyObject, token: string): string | null {
  const place = form.exec(token)?.[1];
  if (place === undefined) return null;
  const bytes = Buffer.from(place, 'base64url');
  const hex = bytes.toString('hex', 0, 16);
  const family = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  return equalInConstantTime(refreshToken(key, family, bytes.readUInt32BE(16)), token) ? family : null;
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

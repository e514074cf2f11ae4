import { createHash, createHmac, type KeyObject } from 'node:crypto';

/** Thirty days, counted anew at each rotation. */
export const refreshLifetimeMs = 30 * 24 * 60 * 60 * 1000;
/** A repeat of a used token within this time, from the same device, is a race of two tabs and no theft. */
export const graceMs = 10_000;

/**
 * The token of a family at a counter: `hsr_` and 256 bits derived by HMAC, so that the successor of a used token can be
 * answered again within the grace although only hashes are stored.
 */
export function refreshToken(key: KeyObject, family: string, counter: number): string {
  return `hsr_${createHmac('sha256', key).update(`refresh\n${family}\n${counter}`).digest('base64url')}`;
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

import {
  createCipheriv, createDecipheriv, createHash, createHmac, createSecretKey, hkdfSync, randomBytes, timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import type { Secret } from '#config/environment.ts';
import { keyBytes } from '#config/parse.ts';

/** SHA-256 of a text (UTF-8) or of bytes. */
export const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();
export const sha256Hex = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** HMAC-SHA256 over the parts, one after the other; the caller puts separators where parts could run together. */
export function hmacSha256(key: KeyObject | Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Compares in a time that depends on neither value. Different lengths are simply different. */
export function equalInConstantTime(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}

/** An unguessable token in base64url; 32 bytes are 256 bits. */
export const randomToken = (bytes = 32): string => randomBytes(bytes).toString('base64url');

/** A key of its own for one purpose (`access`, `preview`, `storage`, …), derived by HKDF-SHA256, as a KeyObject: made once. */
export const deriveKey = (secret: Secret, purpose: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret.reveal(), 'hivesync', purpose, 32)));

/** What is stored of a sealed value: the ciphertext (12 bytes nonce, then the text, then 16 bytes tag) and its key's id. */
export interface Sealed {
  readonly keyId: string;
  readonly data: Buffer;
}

/** Seals with the current key, opens with whichever known key sealed. */
export interface Vault {
  /** The id of the key that seals now, so that a rotation can find what an older one sealed. */
  readonly keyId: string;
  /** `context` (for example `webhook_endpoints.secret:<row id>`) is bound to the ciphertext: it opens nowhere else. */
  seal(plain: string | Uint8Array, context: string): Sealed;
  /** Throws where the key is unknown, or the data or its context was changed. The error holds neither. */
  open(sealed: Sealed, context: string): Buffer;
}

const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM with `current` (ENCRYPTION_KEY); `previous` still opens. A key's id is the start of its SHA-256. */
export function createVault(current: Secret, previous: Secret | null = null): Vault {
  const keys = new Map<string, KeyObject>();
  const idOf = (secret: Secret): string => {
    const bytes = keyBytes(secret.reveal());
    if (bytes === null) throw new Error('An encryption key is not 32 bytes in base64 or hex.');
    const id = sha256Hex(Buffer.concat([Buffer.from('hivesync key id '), bytes])).slice(0, 8);
    keys.set(id, createSecretKey(bytes));
    return id;
  };
  if (previous !== null) idOf(previous);
  const keyId = idOf(current);

  const keyOf = (id: string): KeyObject => {
    const key = keys.get(id);
    if (key === undefined) throw new Error(`Sealed with a key that is not known here (id ${id}).`);
    return key;
  };
  return {
    keyId,
    seal(plain, context) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', keyOf(keyId), nonce);
      cipher.setAAD(Buffer.from(context));
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      return { keyId, data: Buffer.concat([nonce, text, cipher.getAuthTag()]) };
    },
    open(sealed, context) {
      const { data } = sealed;
      if (data.length < nonceBytes + tagBytes) throw new Error('Sealed data is too short.');
      const decipher = createDecipheriv('aes-256-gcm', keyOf(sealed.keyId), data.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(data.subarray(data.length - tagBytes));
      return Buffer.concat([decipher.update(data.subarray(nonceBytes, data.length - tagBytes)), decipher.final()]);
    },
  };
}

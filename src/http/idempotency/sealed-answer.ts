import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { hmacSha256 } from '#platform/crypto.ts';

/** An answer as it went out the first time: enough to send it again byte for byte. */
export interface KeptAnswer {
  readonly status: number;
  /** Location, ETag, Retry-After …: what belongs to this answer; name, value, name, value… */
  readonly headers: readonly string[];
  /** The body as sent; empty for 204. */
  readonly text: string;
}

const nonceBytes = 12;
const tagBytes = 16;

/** What finds the row: needs the server's pepper, so that the table alone does not let a weak key be guessed. */
export const hashKey = (pepper: KeyObject, namespace: string, key: string): Buffer => hmacSha256(pepper, namespace, '\n', key);

/** The client's own key, stretched with ours: neither the table nor our secret alone opens an answer. */
const answerKey = (pepper: KeyObject, rowId: string, key: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, hmacSha256(pepper, rowId), 'hivesync idempotency answer v1', 32));

/** AES-256-GCM: nonce, tag, ciphertext. Bound to the row it is for. */
export function sealAnswer(pepper: KeyObject, rowId: string, key: string, answer: KeptAnswer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', answerKey(pepper, rowId, key), nonce);
  cipher.setAAD(Buffer.from(rowId));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** Throws where the row was tampered with. */
export function openAnswer(pepper: KeyObject, rowId: string, key: string, sealed: Buffer): KeptAnswer {
  const decipher = createDecipheriv('aes-256-gcm', answerKey(pepper, rowId, key), sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(rowId));
  decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  const text = Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8');
  return JSON.parse(text) as KeptAnswer;
}

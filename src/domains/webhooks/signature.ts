import { hmacSha256 } from '#platform/crypto.ts';

const prefix = 'whsec_';

export interface Signed {
  /** The event's id, the same for every attempt. */
  readonly id: string;
  /** When this attempt is made, in Unix seconds. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The headers of Standard Webhooks: what a receiver checks that it came from here, now, and as it was sent. One signature
 * for each secret, so that the old one goes on agreeing while a secret is rotated.
 * @param secrets as they were shown: `whsec_` and base64
 */
export function signatureHeaders(secrets: readonly string[], { id, timestamp, body }: Signed): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const signatures = secrets.map((secret) => `v1,${hmacSha256(Buffer.from(secret.slice(prefix.length), 'base64'), `${id}.${timestamp}.${body}`).toString('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { deriveKey, hmacSha256 } from '#platform/crypto.ts';
import type { Secret } from '#config/environment.ts';

/**
 * Each node signs with a key of its own, derived from the shared secret and its id: one leaked node is shut out alone,
 * and nothing of it is stored.
 */
export class NodeKeys {
  readonly #key: KeyObject;

  constructor(sharedSecret: Secret) {
    this.#key = deriveKey(sharedSecret, 'worker node keys');
  }

  /** The node's key as base64url of 32 bytes. */
  of(nodeId: string): string {
    return hmacSha256(this.#key, nodeId).toString('base64url');
  }

  leaseHash(leaseToken: string): Buffer {
    return createHash('sha256').update(leaseToken).digest();
  }
}

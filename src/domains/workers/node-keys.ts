import { createSecretKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Secret } from '#config/environment.ts';
import { deriveKey, hmacSha256 } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';
import { isId } from '#platform/ids.ts';

const livingNodeSql = "select id from worker_nodes where id = $1 and status <> 'revoked'";

/** A node that was shut out is refused after this (it claims nothing more from that very moment, see claims.ts): nodes ask hundreds of times a second, and each would be a statement. */
const knownMs = 1_000;
const knownAtOnce = 10_000;

/**
 * Each node signs with a key of its own, derived from the shared secret and its id: one leaked node is shut out alone,
 * and nothing of it is stored.
 */
export class NodeKeys {
  readonly #db: Database;
  readonly #shared: KeyObject;
  readonly #derivation: KeyObject;
  readonly #known = new LRUCache<string, KeyObject>({ max: knownAtOnce, ttl: knownMs });

  constructor(db: Database, sharedSecret: Secret) {
    this.#db = db;
    this.#shared = createSecretKey(Buffer.from(sharedSecret.reveal(), 'utf8'));
    this.#derivation = deriveKey(sharedSecret, 'worker node keys');
  }

  /** The node's key as it is handed out: base64url of the 32 bytes it signs with. */
  of(nodeId: string): string {
    return hmacSha256(this.#derivation, nodeId).toString('base64url');
  }

  /** What a request is to be signed with: the shared secret for a registration, the node's own key for everything after; null for a node that is unknown, or was shut out more than a second ago. */
  async signingKey(nodeId: string, operationId: string): Promise<KeyObject | null> {
    if (operationId === 'registerWorker') return this.#shared;
    if (!isId(nodeId)) return null;
    const known = this.#known.get(nodeId);
    if (known !== undefined) return known;
    const [node] = await this.#db.named<{ id: string }>('workers.living_node', livingNodeSql, [nodeId]);
    if (node === undefined) return null;
    const key = createSecretKey(hmacSha256(this.#derivation, nodeId));
    this.#known.set(nodeId, key);
    return key;
  }
}

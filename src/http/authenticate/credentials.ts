import type { KeyObject } from 'node:crypto';
import type { Tier } from '#platform/call.ts';

/** What the pipeline has to know of an account. */
export interface Account {
  readonly userId: string;
  /** The effective tier: an admin's override while it stands, else the subscription's, else free. */
  readonly tier: Tier;
  readonly isSuspended: boolean;
  /** The email address is confirmed, or this deployment does not ask for that. */
  readonly isVerified: boolean;
  /** Deleted accounts may also simply be null to the store. */
  readonly isDeleted: boolean;
}

export interface ApiKeyIdentity {
  readonly keyId: string;
  readonly userId: string;
  readonly scopes: readonly string[];
  /** null = every project of the owner. */
  readonly projectIds: readonly string[] | null;
  /** Milliseconds since 1970; null = never. */
  readonly expiresAtMs: number | null;
  readonly isRevoked: boolean;
}

export interface Revocation {
  /** The session's or API key's id. */
  readonly id: string;
  /** For how much longer somebody could still hold a credential of it. */
  readonly ttlSeconds: number;
}

/**
 * What the pipeline asks of those who keep credentials; the auth domain hands in the real one. Every answer is read
 * from PostgreSQL: the caches in front are the pipeline's own.
 */
export interface CredentialStore {
  /** null for an account that does not exist. */
  account(userId: string): Promise<Account | null>;
  /** null for a session that does not exist; `isRevoked` also where the session's device was removed. */
  session(sessionId: string): Promise<{ readonly userId: string; readonly isRevoked: boolean } | null>;
  /** By the SHA-256 of the key; null for an unknown one. */
  apiKey(keyHash: Buffer): Promise<ApiKeyIdentity | null>;
  /** Everything revoked within the lifetime of an access token (and every revoked key still cached): rebuilds Redis after a wipe. */
  recentRevocations(): Promise<readonly Revocation[]>;
  /** Called for every use of an API key; the store writes last-used stamps in batches. */
  noteApiKeyUse?(keyId: string): void;
  /** The same for every request of a session. */
  noteSessionUse?(sessionId: string): void;
}

/** The key a worker node signs an operation with: the shared secret for a registration, the node's own after it; null for an unknown node. */
export type WorkerKeys = (nodeId: string, operationId: string) => Promise<KeyObject | null>;

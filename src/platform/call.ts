import type { Knex } from 'knex';

/** Who calls, on whose behalf, under which request: handed from the pipeline through handlers to services. */

export type Tier = 'free' | 'pro' | 'premium' | 'admin';

export interface AnonymousCaller { readonly kind: 'anonymous' }
export interface UserCaller {
  readonly kind: 'user';
  readonly userId: string;
  readonly sessionId: string;
  /** The effective tier read from the account, never from the token's claim. */
  readonly tier: Tier;
  /** The email address is confirmed, or this deployment does not ask for that. */
  readonly isVerified: boolean;
  /** When the person last proved who it is (password, second factor), in milliseconds since 1970. */
  readonly authenticatedAtMs: number;
}
export interface ApiKeyCaller {
  readonly kind: 'api_key';
  readonly userId: string;
  readonly keyId: string;
  readonly tier: Tier;
  /** As of a person: the key acts for one. */
  readonly isVerified: boolean;
  readonly scopes: readonly string[];
  /** null = every project of the owner. */
  readonly projectIds: readonly string[] | null;
}
export interface WorkerCaller { readonly kind: 'worker'; readonly nodeId: string }
export interface PreviewCaller {
  readonly kind: 'preview';
  readonly purpose: 'view' | 'upload';
  readonly projectId: string;
  readonly jobId: string | null;
  readonly sessionId: string | null;
  readonly shareId: string | null;
  /** SHA-256 hex of the token, for the log of its use. */
  readonly tokenHash: string;
}
export interface SystemCaller { readonly kind: 'system' }
export type Caller = AnonymousCaller | UserCaller | ApiKeyCaller | WorkerCaller | PreviewCaller | SystemCaller;

/**
 * Where the transaction of an effect leaves the answer, so that a repeat of the same key is answered byte for byte
 * even when the process dies between commit and answer. `transact` (platform/database.ts) calls it.
 */
export interface IdempotencySlot {
  readonly key: string;
  /** Writes the serialised answer, encrypted, into the key's row, in the transaction of the effect; with its ETag, where it has one. */
  seal(trx: Knex.Transaction, data: unknown, etag?: string): Promise<void>;
}

export interface PolicyMark {
  allowed: boolean;
  /** It was asked about the thing itself, not only who calls. */
  onResource?: boolean;
}

/** One request on its way through: immutable but for the policy's mark. */
export interface Call {
  readonly requestId: string;
  readonly operationId: string;
  readonly caller: Caller;
  /** The client's own address, from trusted proxies alone. */
  readonly ip: string;
  readonly userAgent: string;
  /** Aborted when the client goes away or the server shuts down. */
  readonly signal: AbortSignal;
  /** Set by the policy module when it allowed this call; the pipeline sends no answer without it. */
  readonly policy: PolicyMark;
  /** Least role and resource of the operation, as the route table says. */
  readonly roles: string | null;
  /** The idempotency key of this call, taken in charge by the pipeline; null when the client sent none. */
  readonly idempotency: IdempotencySlot | null;
  /** If-Match of this call, unquoted; null when there is none. */
  readonly ifMatch: string | null;
}

/** What an API key is, and what may become of it. */
import type { ApiKey, ApiKeyUpdate } from '#generated/sdk/types.gen.ts';
import { ServiceError } from '#platform/errors.ts';

/** A row as it was locked: the entity, and by which key it is being replaced. */
export interface LockedKey extends ApiKey { readonly replaced_by: string | null }

/** What of a key its owner says. */
export type KeyTerms = Pick<ApiKey, 'name' | 'scopes' | 'project_ids' | 'expires_at'>;

/**
 * The version of its terms, which `touch_row` moves on by a millisecond at least, and when it was used last. If-Match is
 * judged by the first alone: a key that CI uses meanwhile is no lost update.
 */
export const etagOf = ({ updated_at: updatedAt, last_used_at: lastUsedAt }: ApiKey): string =>
  `${Date.parse(updatedAt).toString(36)}-${lastUsedAt === null ? '0' : Date.parse(lastUsedAt).toString(36)}`;

export function requireVersion(key: ApiKey, ifMatch: string | null): void {
  if (ifMatch === null || ifMatch.split('-', 1)[0] === etagOf(key).split('-', 1)[0]) return;
  throw new ServiceError('PRECONDITION_FAILED', 'Somebody changed this key since you read it. Read it again.');
}

/** A key is made, or goes on, only into the future. */
export function requireFuture(expiresAt: string | null | undefined, nowMs: number): void {
  if (expiresAt == null || Date.parse(expiresAt) > nowMs) return;
  throw new ServiceError('VALIDATION_ERROR', 'A key cannot end in the past.', {
    details: [{ pointer: '#/body/expires_at', message: 'must be in the future', rule: 'future' }],
  });
}

export const hasExpired = ({ expires_at: expiresAt }: ApiKey, nowMs: number): boolean => expiresAt !== null && Date.parse(expiresAt) <= nowMs;

/** The terms after a change; an absent field stays. FORBIDDEN where it would bring a key back that counts for no limit any more. */
export function changedTerms(key: LockedKey, change: ApiKeyUpdate, nowMs: number): KeyTerms {
  const { name = key.name, scopes = key.scopes, project_ids = key.project_ids, expires_at = key.expires_at } = change;
  if (change.expires_at !== undefined) {
    if (hasExpired(key, nowMs)) throw endsAsItIs('This key has expired and stays so. Make a new one.');
    if (key.replaced_by !== null && isLater(expires_at, key.expires_at)) {
      throw endsAsItIs('This key is being replaced: it may end sooner than it does, not later.');
    }
  }
  return { name, scopes, project_ids, expires_at };
}

const isLater = (one: string | null, other: string | null): boolean =>
  other !== null && (one === null || Date.parse(one) > Date.parse(other));

const endsAsItIs = (message: string): ServiceError => new ServiceError('FORBIDDEN', message, { details: { field: 'expires_at' } });

/** Old and new of each term that a change moved, for the audit trail. */
export function differences(before: KeyTerms, after: KeyTerms): Record<string, { readonly from: unknown; readonly to: unknown }> {
  const fields = ['name', 'scopes', 'project_ids', 'expires_at'] as const;
  const moved = fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
  return Object.fromEntries(moved.map((field) => [field, { from: before[field], to: after[field] }]));
}

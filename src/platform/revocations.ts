/**
 * Revoked sessions and API keys, where every replica sees them at its next request: a mark in Redis. PostgreSQL holds
 * the truth; the gate rebuilds the marks from it after a wipe and every minute, so a mark that could not be written
 * here takes hold within that minute, and at once where Redis is away (then PostgreSQL is asked).
 */
import type { Redis } from './redis.ts';

export const revocationKey = (id: string): string => `revoked:${id}`;

/** Says that an account changed: every replica forgets what it keeps of it. The message is the user's id. */
export const accountChangedChannel = 'events:account';

/** Says that sessions, API keys or accounts were revoked: open streams that rest on them look at once. Ids, with spaces between. */
export const revokedChannel = 'events:revoked';

/**
 * Marks sessions or API keys as revoked for as long as a credential of them could still be held, and says so. The mark of
 * an account (suspended, say) has whatever rests on it looked at in PostgreSQL first.
 */
export async function markRevoked(redis: Redis, ids: readonly string[], ttlSeconds: number): Promise<void> {
  if (ids.length === 0) return;
  await writeMarks(redis, ids, ttlSeconds);
  await redis.publish(revokedChannel, ids.join(' '));
}

/** The marks alone, of what was said before. */
export async function writeMarks(redis: Redis, ids: readonly string[], ttlSeconds: number): Promise<void> {
  if (ids.length === 0) return;
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.set(revocationKey(id), '1', 'EX', Math.max(1, Math.ceil(ttlSeconds)));
  const results = await pipeline.exec();
  const failed = results?.find(([error]) => error !== null)?.[0];
  if (failed !== undefined && failed !== null) throw failed;
}

/** Takes marks away again: of accounts whose suspension was lifted. */
export async function clearRevoked(redis: Redis, ids: readonly string[]): Promise<void> {
  await redis.del(...ids.map(revocationKey));
}

/** Tells every replica to read the account anew. */
export async function announceAccountChange(redis: Redis, userId: string): Promise<void> {
  await redis.publish(accountChangedChannel, userId);
}

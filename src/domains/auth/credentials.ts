/** What the pipeline asks about credentials, read from PostgreSQL. The caches in front of it are the pipeline's. */
import type { Tier } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { effectiveTierSql } from '../users/accounts.ts';
import type { LastSeen } from './last-seen.ts';

const accountSql = `
  select u.id, ${effectiveTierSql} as tier, u.suspended_at is not null as is_suspended, u.deleted_at is not null as is_deleted,
         u.email_verified_at is not null as is_verified
    from users u where u.id = $1`;

const sessionSql = 'select user_id, revoked_at is not null as is_revoked from sessions where id = $1';

const apiKeySql = `
  select id, user_id, scopes, project_ids, expires_at, revoked_at is not null as is_revoked from api_keys where hashed_key = $1`;

/** Ended within the life of an access token, so that one could still be held; what lasts longest first, where the bound cuts. */
const recentSql = `
  select id, ceil(extract(epoch from revoked_at + interval '16 minutes' - now()))::int as ttl_seconds
    from sessions where revoked_at > now() - interval '16 minutes'
   union all
  select id, 86400 from api_keys where revoked_at > now() - interval '1 hour'
   union all
  select id, ceil(extract(epoch from suspended_at + interval '16 minutes' - now()))::int
    from users where suspended_at > now() - interval '16 minutes'
   union all
  select id, ceil(extract(epoch from deleted_at + interval '16 minutes' - now()))::int
    from users where deleted_at > now() - interval '16 minutes'
   order by ttl_seconds desc limit 100000`;

interface AccountRow { readonly id: string; readonly tier: Tier; readonly is_suspended: boolean; readonly is_deleted: boolean; readonly is_verified: boolean }
interface ApiKeyRow {
  readonly id: string; readonly user_id: string; readonly scopes: string[]; readonly project_ids: string[] | null;
  readonly expires_at: string | null; readonly is_revoked: boolean;
}

export class Credentials {
  readonly #db: Database;
  readonly #asksVerification: boolean;
  readonly #lastSeen: LastSeen;

  /** @param asksVerification EMAIL_VERIFICATION=required: an account counts as verified only once its address is confirmed */
  constructor(db: Database, asksVerification: boolean, lastSeen: LastSeen) {
    this.#db = db;
    this.#asksVerification = asksVerification;
    this.#lastSeen = lastSeen;
  }

  async account(userId: string): Promise<{ userId: string; tier: Tier; isSuspended: boolean; isDeleted: boolean; isVerified: boolean } | null> {
    const [row] = await this.#db.named<AccountRow>('auth.account', accountSql, [userId]);
    if (row === undefined) return null;
    return {
      userId: row.id, tier: row.tier, isSuspended: row.is_suspended, isDeleted: row.is_deleted,
      isVerified: row.is_verified || !this.#asksVerification,
    };
  }

  async session(sessionId: string): Promise<{ userId: string; isRevoked: boolean } | null> {
    const [row] = await this.#db.named<{ user_id: string; is_revoked: boolean }>('auth.session', sessionSql, [sessionId]);
    return row === undefined ? null : { userId: row.user_id, isRevoked: row.is_revoked };
  }

  async apiKey(keyHash: Buffer): Promise<{
    keyId: string; userId: string; scopes: readonly string[]; projectIds: readonly string[] | null; expiresAtMs: number | null; isRevoked: boolean;
  } | null> {
    const [row] = await this.#db.named<ApiKeyRow>('auth.api_key', apiKeySql, [keyHash]);
    if (row === undefined) return null;
    return {
      keyId: row.id, userId: row.user_id, scopes: row.scopes, projectIds: row.project_ids,
      expiresAtMs: row.expires_at === null ? null : Date.parse(row.expires_at), isRevoked: row.is_revoked,
    };
  }

  async recentRevocations(): Promise<{ id: string; ttlSeconds: number }[]> {
    const rows = await this.#db.named<{ id: string; ttl_seconds: number }>('auth.recent_revocations', recentSql, []);
    return rows.map((row) => ({ id: row.id, ttlSeconds: row.ttl_seconds }));
  }

  noteSessionUse(sessionId: string): void {
    this.#lastSeen.noteSession(sessionId);
  }

  noteApiKeyUse(keyId: string): void {
    this.#lastSeen.noteApiKey(keyId);
  }
}

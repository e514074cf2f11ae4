import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { TokenPair, TokenRefresh } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import { userByIdSql, type UserRow } from '../users/accounts.ts';
import { findFamilySql, findTokenSql, type TokenRow } from './queries.ts';
import { familyOf, graceMs, hashOf, refreshLifetimeMs, refreshToken } from './refresh-tokens.ts';
import type { Revocations } from './revocations.ts';
import { endSessions, writeToken } from './sessions.ts';
import type { SignIns } from './sign-ins.ts';
import { markSuspicious } from './suspicions.ts';

export interface RefreshDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly signIns: SignIns;
  readonly revocations: Revocations;
  /** Derives refresh tokens; never stored beside their hashes. */
  readonly refreshKey: KeyObject;
}

/** What a refresh came to. The end of a family is committed and only then told as an error. */
type Rotation = { kind: 'rotated'; token: string; row: TokenRow } | { kind: 'expired' | 'refused' } | { kind: 'reused'; row: TokenRow };

const endedSession = (): ServiceError => new ServiceError('AUTH_INVALID', 'This session has ended. Sign in again.');

/** Keeps sessions going: each refresh token is good once, and a second use is a theft unless it is a race of its own device. */
export class RefreshService {
  readonly #on: RefreshDependencies;

  constructor(dependencies: RefreshDependencies) {
    this.#on = dependencies;
  }

  /**
   * Rotates a refresh token under its row's lock. Presented again within ten seconds by the same device it answers the
   * same successor; any other second use ends the session.
   */
  async refresh(call: Call, body: TokenRefresh): Promise<TokenPair> {
    const rotation = await transact(this.#on.db, null, (trx) => this.#rotate(trx, call, body));
    switch (rotation.kind) {
      case 'rotated': return this.#pair(rotation.row, rotation.token);
      case 'expired': throw new ServiceError('AUTH_EXPIRED', 'Nobody has refreshed this session for 30 days. Sign in again.');
      case 'refused': throw endedSession();
      case 'reused': {
        await this.#on.revocations.revoke(rotation.row.session_id);
        throw endedSession();
      }
    }
  }

  async #rotate(trx: Knex.Transaction, call: Call, body: TokenRefresh): Promise<Rotation> {
    const [row] = await this.#on.db.namedIn<TokenRow>(trx, 'auth.find_token', findTokenSql, [hashOf(body.refresh_token)]);
    if (row === undefined) return this.#rotateSwept(trx, call, body);
    if (hasEnded(row)) return { kind: 'refused' };
    const now = this.#on.clock.now();
    if (row.used_at === null) {
      if (Date.parse(row.expires_at) <= now) return { kind: 'expired' };
      await trx('refresh_tokens').where({ id: row.id }).update({ used_at: new Date(now).toISOString() });
      await trx('sessions').where({ id: row.session_id }).update({
        last_seen: trx.fn.now(), ip_address: call.ip, expires_at: trx.raw("now() + interval '1 millisecond' * ?", [refreshLifetimeMs]),
      });
      return { kind: 'rotated', row, token: await writeToken(trx, this.#on.refreshKey, row.session_id, row.family, row.counter + 1) };
    }
    const sameDevice = row.device_id !== null && row.device_id === body.device_id;
    if (sameDevice && now - Date.parse(row.used_at) <= graceMs) {
      await audit(trx, call, { event_type: 'session.refresh_repeated', entity_type: 'session', entity_id: row.session_id, user_id: row.user_id });
      return { kind: 'rotated', row, token: refreshToken(this.#on.refreshKey, row.family, row.counter + 1) };
    }
    return this.#endFamily(trx, call, row);
  }

  /** A token of ours without a row was used more than its thirty days ago: its session may still live by its successors. */
  async #rotateSwept(trx: Knex.Transaction, call: Call, body: TokenRefresh): Promise<Rotation> {
    const family = familyOf(this.#on.refreshKey, body.refresh_token);
    if (family === null) return { kind: 'refused' };
    const [row] = await this.#on.db.namedIn<TokenRow>(trx, 'auth.find_family', findFamilySql, [family]);
    return row === undefined || hasEnded(row) ? { kind: 'refused' } : this.#endFamily(trx, call, row);
  }

  async #endFamily(trx: Knex.Transaction, call: Call, row: TokenRow): Promise<Rotation> {
    const session = { sessionId: row.session_id, userId: row.user_id };
    await endSessions(trx, row.user_id, { onlyId: row.session_id });
    await markSuspicious(trx, call, { ...session, reason: 'refresh_token_reused', deviceName: row.device_name });
    return { kind: 'reused', row };
  }

  async #pair({ user_id: userId, session_id: sessionId, authenticated_at: authenticatedAt }: TokenRow, token: string): Promise<TokenPair> {
    const [row] = await this.#on.db.named<UserRow>('users.by_id', userByIdSql, [userId]);
    if (row === undefined) throw endedSession();
    return this.#on.signIns.present(row, { sessionId, authenticatedAtMs: Date.parse(authenticatedAt), refreshToken: token });
  }
}

const hasEnded = (row: TokenRow): boolean => row.revoked_at !== null || row.suspended_at !== null || row.deleted_at !== null;

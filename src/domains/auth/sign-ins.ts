/** What every way of signing in ends with (password, second factor, one-time token, device link): a session and its token pair. */
import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { TokenPair } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import type { AccessTokens } from '#platform/tokens/access-tokens.ts';
import { presentUser, userByIdSql, type UserRow } from '../users/accounts.ts';
import { type Device, openSession } from './sessions.ts';

export interface SignInOf {
  readonly userId: string;
  readonly device: Device | null;
  /** When the person proved who it is, in milliseconds: now, or for a session made out of another that one's time. */
  readonly authenticatedAtMs: number;
  /** Wrong tries since the account's last right password; none where no password was asked for. */
  readonly failuresBefore?: number;
}

export class SignIns {
  readonly #db: Database;
  readonly #accessTokens: AccessTokens;
  readonly #refreshKey: KeyObject;

  constructor(db: Database, accessTokens: AccessTokens, refreshKey: KeyObject) {
    this.#db = db;
    this.#accessTokens = accessTokens;
    this.#refreshKey = refreshKey;
  }

  /** Opens a session in the transaction of the sign-in; the caller writes the audit row. AUTH_INVALID where the account is gone. */
  async open(trx: Knex.Transaction, call: Call, { userId, device, authenticatedAtMs }: SignInOf): Promise<TokenPair> {
    const opened = await openSession(trx, call, { userId, device, authenticatedAtMs }, this.#refreshKey);
    const [row] = await this.#db.namedIn<UserRow>(trx, 'users.by_id', userByIdSql, [userId]);
    if (row === undefined) throw new ServiceError('AUTH_INVALID', 'This account is gone.');
    return this.present(row, { sessionId: opened.sessionId, authenticatedAtMs, refreshToken: opened.refreshToken });
  }

  /** The pair of a session that is open. */
  present(row: UserRow, on: { readonly sessionId: string; readonly authenticatedAtMs: number; readonly refreshToken: string }): TokenPair {
    const access = this.#accessTokens.sign({ userId: row.id, sessionId: on.sessionId, tier: row.tier, authenticatedAtMs: on.authenticatedAtMs });
    return {
      user: presentUser(row),
      access_token: access.token,
      refresh_token: on.refreshToken,
      token_type: 'Bearer',
      expires_in: access.expiresIn,
      session_id: on.sessionId,
    };
  }
}

/** What every way of signing in ends with (password, second factor, one-time token, device link): a session and its token pair. */
import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { TokenPair } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import type { AccessTokens } from '#platform/tokens/access-tokens.ts';
import { presentUser, userByIdSql, type UserRow } from '../users/accounts.ts';
import { beginSignInSql, type BegunSignIn } from './queries.ts';
import { type Device, openSession } from './sessions.ts';
import { manyFailures, markSuspicious, type Suspicion } from './suspicions.ts';

export interface SignInOf {
  readonly userId: string;
  readonly device: Device | null;
  /** When the person proved who it is, in milliseconds: now, or for a session made out of another that one's time. */
  readonly authenticatedAtMs: number;
  /** Wrong tries since the account's last right password; none where no password was asked for. */
  readonly failuresBefore?: number;
  /** Its person let it in from another session, having seen what and where it is: no stranger, however new. */
  readonly isApproved?: boolean;
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

  /**
   * Opens a session in the transaction of the sign-in, and says so where it looks like somebody else's; the caller writes
   * the audit row of the sign-in itself. AUTH_INVALID where the account is gone or suspended.
   */
  async open(trx: Knex.Transaction, call: Call, signIn: SignInOf): Promise<TokenPair> {
    const { userId, device, authenticatedAtMs } = signIn;
    const [begun] = await this.#db.namedIn<BegunSignIn>(trx, 'auth.begin_sign_in', beginSignInSql, [userId, device?.device_id ?? null, call.ip]);
    if (begun === undefined) throw gone();
    const opened = await openSession(trx, call, { userId, device, authenticatedAtMs }, this.#refreshKey);
    const reason = suspicionOf(begun, signIn);
    if (reason !== null) await markSuspicious(trx, call, { sessionId: opened.sessionId, userId, reason, deviceName: device?.name ?? null });
    const [row] = await this.#db.namedIn<UserRow>(trx, 'users.by_id', userByIdSql, [userId]);
    if (row === undefined) throw gone();
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

const gone = (): ServiceError => new ServiceError('AUTH_INVALID', 'This account is gone.');

/** The first sign-in of an account is no stranger's. */
function suspicionOf(begun: BegunSignIn, { failuresBefore = 0, isApproved = false }: SignInOf): Suspicion | null {
  if (isApproved) return null;
  if (failuresBefore >= manyFailures) return 'many_failures';
  return begun.has_history && !begun.knows_device && !begun.knows_network ? 'new_device_and_network' : null;
}

import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { Login, LoginResult, Registration, TokenPair, TokenRefresh } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact, violatedConstraint } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { audit } from '../audit/audit.ts';
import { requireSelf } from '../policy.ts';
import { type LoginRow, userByIdSql, userByLoginSql, type UserRow } from '../users/accounts.ts';
import type { SignInAttempts } from './attempts.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { Passwords } from './passwords.ts';
import { findTokenSql, type TokenRow } from './queries.ts';
import { graceMs, hashOf, refreshLifetimeMs, refreshToken } from './refresh-tokens.ts';
import type { Revocations } from './revocations.ts';
import type { SecondFactor } from './second-factor.ts';
import { endSessions, writeToken } from './sessions.ts';
import type { SignIns } from './sign-ins.ts';

export interface AuthDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly signIns: SignIns;
  readonly passwords: Passwords;
  readonly attempts: SignInAttempts;
  readonly secondFactor: SecondFactor;
  readonly revocations: Revocations;
  /** Derives refresh tokens; never stored beside their hashes. */
  readonly refreshKey: KeyObject;
}

/** What a refresh came to. The end of a family is committed and only then told as an error. */
type Rotation = { kind: 'rotated'; token: string; row: TokenRow } | { kind: 'expired' | 'refused' } | { kind: 'reused'; row: TokenRow };

const wrongCredentials = (): ServiceError => new ServiceError('AUTH_INVALID', 'The account or the password is wrong.');
const endedSession = (): ServiceError => new ServiceError('AUTH_INVALID', 'This session has ended. Sign in again.');

export class AuthService {
  readonly #on: AuthDependencies;

  constructor(dependencies: AuthDependencies) {
    this.#on = dependencies;
  }

  /** Makes an account and signs it in; CONFLICT names the field that is taken. */
  async register(call: Call, body: Registration): Promise<TokenPair> {
    if (isCommonPassword(body.password, body)) {
      throw new ServiceError('VALIDATION_ERROR', 'This password is among the first that somebody would guess. Choose another.', {
        details: [{ pointer: '#/body/password', message: 'is a common password', rule: 'common_password' }],
      });
    }
    const passwordHash = await this.#on.passwords.hash(body.password);
    const userId = newId();
    try {
      return await transact(this.#on.db, call, async (trx) => {
        await trx('users').insert({ id: userId, email: body.email, username: body.username, password_hash: passwordHash, last_login: trx.fn.now() });
        await trx('user_profiles').insert({ user_id: userId, display_name: body.display_name ?? null });
        await audit(trx, call, { event_type: 'user.registered', entity_type: 'user', entity_id: userId, user_id: userId });
        await emit(trx, { type: 'user.registered', entityId: userId, userId, data: {} });
        return this.#on.signIns.open(trx, call, { userId, device: body.device ?? null, authenticatedAtMs: this.#on.clock.now() });
      });
    } catch (error) {
      const field = { users_email_key: 'email', users_username_key: 'username' }[violatedConstraint(error) ?? ''];
      if (field === undefined) throw error;
      throw new ServiceError('CONFLICT', `That ${field} is taken.`, { details: { field }, cause: error });
    }
  }

  /** Signs in. An unknown account is answered as a wrong password is, after the same work; RATE_LIMITED after too many tries. */
  async login(call: Call, body: Login): Promise<LoginResult> {
    const name = 'email' in body ? body.email : body.username;
    const [row] = await this.#on.db.named<LoginRow>('users.by_login', userByLoginSql, [name]);
    const attempt = await this.#on.attempts.begin(row?.id ?? name, call.ip);
    const fits = await this.#on.passwords.verify(row?.password_hash ?? null, body.password);
    if (row === undefined || !fits) throw wrongCredentials();
    await attempt.succeeded();
    if (row.suspended_at !== null) throw new ServiceError('FORBIDDEN', 'This account is suspended.', { details: { reason: 'suspended' } });
    const signIn = { userId: row.id, device: body.device ?? null, failuresBefore: attempt.failuresBefore };
    return transact(this.#on.db, call, async (trx) => {
      const challenge = await this.#on.secondFactor.challengeFor(trx, call, signIn);
      if (challenge !== null) return challenge;
      await trx('users').where({ id: row.id }).update({ last_login: trx.fn.now() });
      const pair = await this.#on.signIns.open(trx, call, { ...signIn, authenticatedAtMs: this.#on.clock.now() });
      await audit(trx, call, { event_type: 'user.signed_in', entity_type: 'session', entity_id: pair.session_id, user_id: row.id });
      return pair;
    });
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

  /** Ends the caller's session; its access token is refused from the next request on, in every replica. */
  async logout(call: Call): Promise<void> {
    const userId = requireSelf(call);
    if (call.caller.kind !== 'user') throw new ServiceError('FORBIDDEN', 'An API key has no session to end.');
    const { sessionId } = call.caller;
    await transact(this.#on.db, call, async (trx) => {
      await endSessions(trx, userId, { onlyId: sessionId });
      await audit(trx, call, { event_type: 'session.revoked', entity_type: 'session', entity_id: sessionId, user_id: userId });
    });
    await this.#on.revocations.revoke(sessionId);
  }

  async #rotate(trx: Knex.Transaction, call: Call, body: TokenRefresh): Promise<Rotation> {
    const [row] = await this.#on.db.namedIn<TokenRow>(trx, 'auth.find_token', findTokenSql, [hashOf(body.refresh_token)]);
    if (row === undefined || row.revoked_at !== null || row.suspended_at !== null || row.deleted_at !== null) return { kind: 'refused' };
    const now = this.#on.clock.now();
    if (row.used_at === null) {
      if (Date.parse(row.expires_at) <= now) return { kind: 'expired' };
      await trx('refresh_tokens').where({ id: row.id }).update({ used_at: new Date(now).toISOString() });
      await trx('sessions').where({ id: row.session_id }).update({ last_seen: trx.fn.now(), ip_address: call.ip, expires_at: trx.raw("now() + interval '1 millisecond' * ?", [refreshLifetimeMs]) });
      return { kind: 'rotated', row, token: await writeToken(trx, this.#on.refreshKey, row.session_id, row.family, row.counter + 1) };
    }
    const sameDevice = row.device_id !== null && row.device_id === body.device_id;
    if (sameDevice && now - Date.parse(row.used_at) <= graceMs) {
      await audit(trx, call, { event_type: 'session.refresh_repeated', entity_type: 'session', entity_id: row.session_id, user_id: row.user_id });
      return { kind: 'rotated', row, token: refreshToken(this.#on.refreshKey, row.family, row.counter + 1) };
    }
    await trx('sessions').where({ id: row.session_id }).update({ suspicious: true });
    await endSessions(trx, row.user_id, { onlyId: row.session_id });
    await audit(trx, call, { event_type: 'session.refresh_reused', entity_type: 'session', entity_id: row.session_id, user_id: row.user_id });
    await emit(trx, { type: 'session.suspicious', entityId: row.session_id, userId: row.user_id, data: { reason: 'refresh_token_reused' } });
    return { kind: 'reused', row };
  }

  async #pair({ user_id: userId, session_id: sessionId, authenticated_at: authenticatedAt }: TokenRow, token: string): Promise<TokenPair> {
    const [row] = await this.#on.db.named<UserRow>('users.by_id', userByIdSql, [userId]);
    if (row === undefined) throw endedSession();
    return this.#on.signIns.present(row, { sessionId, authenticatedAtMs: Date.parse(authenticatedAt), refreshToken: token });
  }
}

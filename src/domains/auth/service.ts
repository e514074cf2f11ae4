import type { Login, LoginResult, Registration, TokenPair } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact, violatedConstraint } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { audit } from '../audit/audit.ts';
import { type LoginRow, userByLoginSql } from '../users/accounts.ts';
import type { SignInAttempts } from './attempts.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { EmailVerifications } from './email-verifications.ts';
import type { Passwords } from './passwords.ts';
import { stillByPasswordSql } from './queries.ts';
import type { SecondFactor } from './second-factor.ts';
import type { SignIns } from './sign-ins.ts';

export interface AuthDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly signIns: SignIns;
  readonly passwords: Passwords;
  readonly attempts: SignInAttempts;
  readonly secondFactor: SecondFactor;
  readonly verifications: EmailVerifications;
}

const wrongCredentials = (): ServiceError => new ServiceError('AUTH_INVALID', 'The account or the password is wrong.');

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
        await this.#on.verifications.begin(trx, userId, body.email);
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
      // The password may have been changed, and every session ended, while this one was compared.
      const still = await this.#on.db.namedIn(trx, 'auth.still_by_password', stillByPasswordSql, [row.id, row.password_hash]);
      if (still.length === 0) throw wrongCredentials();
      const challenge = await this.#on.secondFactor.challengeFor(trx, signIn);
      if (challenge !== null) return challenge;
      const pair = await this.#on.signIns.open(trx, call, { ...signIn, authenticatedAtMs: this.#on.clock.now() });
      await audit(trx, call, { event_type: 'user.signed_in', entity_type: 'session', entity_id: pair.session_id, user_id: row.id });
      return pair;
    });
  }
}

import type { Knex } from 'knex';
import type { PasswordChange, PasswordForgotten, PasswordReset } from '#generated/sdk/types.gen.ts';
import { sendMail } from '#jobs/mail-job.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import { requireSelf } from '../policy.ts';
import type { AccountChanges } from './account-changes.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { EmailVerifications } from './email-verifications.ts';
import type { Guesses } from './guesses.ts';
import { lockAccount, type LockedAccount } from './locked-account.ts';
import { hashOfToken } from './mailed-tokens.ts';
import type { PasswordResets } from './password-resets.ts';
import type { Passwords } from './passwords.ts';
import type { SessionService } from './session-service.ts';

export interface PasswordDependencies {
  readonly db: Database;
  readonly passwords: Passwords;
  readonly guesses: Guesses;
  readonly resets: PasswordResets;
  readonly verifications: EmailVerifications;
  readonly sessions: SessionService;
  readonly changes: AccountChanges;
}

/** That a password fitted: which one, and the field it came in. */
export interface PasswordProof { readonly email: string; readonly username: string; readonly password_hash: string; readonly field: string }

const passwordSql = 'select email, username, password_hash from users where id = $1 and deleted_at is null';
const tokenDoesNotHold = (): ServiceError => new ServiceError('AUTH_INVALID', 'This link was used, is too old, or was never ours. Ask for a new one.');
const wrongPassword = (field: string): ServiceError => new ServiceError('FORBIDDEN', 'The password is wrong.', { details: { field } });

/** What an account's password is asked for, and how it becomes another. */
export class PasswordService {
  readonly #on: PasswordDependencies;

  constructor(dependencies: PasswordDependencies) {
    this.#on = dependencies;
  }

  /**
   * That a signed-in person knows the account's password too: an open session alone must not do. FORBIDDEN names the
   * field it came in; RATE_LIMITED after ten wrong ones within an hour. What follows asks `requireStill` under the
   * account's lock with the proof this answers.
   */
  async requirePassword(userId: string, password: string, field: string): Promise<PasswordProof> {
    return this.#on.guesses.look(userId, async () => {
      const [row] = await this.#on.db.named<Omit<PasswordProof, 'field'>>('auth.password', passwordSql, [userId]);
      if (row === undefined || !(await this.#on.passwords.verify(row.password_hash, password))) throw wrongPassword(field);
      return { ...row, field };
    });
  }

  /**
   * The account, locked, with the password it was asked for still: whoever set another one meanwhile is rid of all that
   * was under way with the old one.
   */
  async requireStill(trx: Knex.Transaction, userId: string, proof: PasswordProof): Promise<LockedAccount> {
    const account = await lockAccount(this.#on.db, trx, userId);
    if (account === undefined || account.password_hash !== proof.password_hash) throw wrongPassword(proof.field);
    return account;
  }

  /**
   * Ends every other session, and what was under way: whoever changes a password because of a stranger is rid of what
   * the stranger began, a change of address too.
   */
  async change(call: Call, body: PasswordChange): Promise<void> {
    const userId = requireSelf(call);
    if (call.caller.kind !== 'user') throw new ServiceError('FORBIDDEN', 'An API key cannot change the password.');
    const { sessionId } = call.caller;
    const proof = await this.requirePassword(userId, body.current_password, 'current_password');
    refuseCommon(body.new_password, proof);
    const hash = await this.#on.passwords.hash(body.new_password);
    const ended = await transact(this.#on.db, null, async (trx) => {
      const account = await this.requireStill(trx, userId, proof);
      await trx('users').where({ id: userId }).update({ password_hash: hash, pending_email: null });
      await this.#on.verifications.void(trx, userId, account.email);
      return this.#settle(trx, call, userId, { event: 'user.password_changed', exceptId: sessionId });
    });
    await this.#on.sessions.told(ended);
  }

  /** The same work whether or not there is such an account: a job looks it up. */
  async forgot(call: Call, { email }: PasswordForgotten): Promise<void> {
    await transact(this.#on.db, null, (trx) => this.#on.resets.request(trx, call, email));
  }

  /**
   * Sets a password by a mailed token, which only one of several at once can use. It confirms the address; every session
   * ends, and what was under way. The second factor stays.
   */
  async reset(call: Call, body: PasswordReset): Promise<void> {
    const reset = await this.#on.resets.find(hashOfToken(body.token));
    if (reset === undefined) throw tokenDoesNotHold();
    refuseCommon(body.new_password, reset);
    const hash = await this.#on.passwords.hash(body.new_password);
    const userId = reset.user_id;
    const ended = await transact(this.#on.db, null, async (trx) => {
      const account = await lockAccount(this.#on.db, trx, userId);
      if (account === undefined || account.suspended_at !== null || !(await this.#on.resets.use(trx, reset.id))) throw tokenDoesNotHold();
      await trx('users').where({ id: userId }).update({
        password_hash: hash, pending_email: null, email_verified_at: account.email_verified_at ?? trx.fn.now(),
      });
      await this.#on.verifications.void(trx, userId);
      return this.#settle(trx, call, userId, { event: 'user.password_reset' });
    });
    await this.#on.sessions.told(ended);
    await this.#on.changes.told(userId);
  }

  /** What a new password ends: other resets, sign-ins that wait for their second factor, sessions. Answers the sessions' ids. */
  async #settle(
    trx: Knex.Transaction, call: Call, userId: string, { event, exceptId }: { readonly event: string; readonly exceptId?: string },
  ): Promise<string[]> {
    await this.#on.resets.void(trx, userId);
    await trx('mfa_challenges').where({ user_id: userId }).whereNull('used_at').update({ used_at: trx.fn.now() });
    const ended = await this.#on.sessions.end(trx, userId, exceptId === undefined ? {} : { exceptId });
    await audit(trx, call, { event_type: event, entity_type: 'user', entity_id: userId, user_id: userId, data: { sessions_ended: ended.length } });
    await sendMail(trx, 'auth.password_changed', { user_id: userId });
    return ended;
  }
}

function refuseCommon(password: string, account: { readonly email: string; readonly username: string }): void {
  if (!isCommonPassword(password, account)) return;
  throw new ServiceError('VALIDATION_ERROR', 'This password is among the first that somebody would guess. Choose another.', {
    details: [{ pointer: '#/body/new_password', message: 'is a common password', rule: 'common_password' }],
  });
}

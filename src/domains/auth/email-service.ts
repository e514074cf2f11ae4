import type { Knex } from 'knex';
import type { EmailChange, EmailVerification } from '#generated/sdk/types.gen.ts';
import { sendMail } from '#jobs/mail-job.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact, violatedConstraint } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import { requireSelf } from '../policy.ts';
import type { AccountChanges } from './account-changes.ts';
import type { EmailVerifications, VerificationRow } from './email-verifications.ts';
import { lockAccount, type LockedAccount, sameAddress } from './locked-account.ts';
import { hashOfToken } from './mailed-tokens.ts';
import type { PasswordResets } from './password-resets.ts';
import type { PasswordService } from './password-service.ts';

export interface EmailDependencies {
  readonly db: Database;
  readonly passwords: PasswordService;
  readonly verifications: EmailVerifications;
  readonly resets: PasswordResets;
  readonly changes: AccountChanges;
}

const takenSql = 'select id from users where lower(email) = lower($1) and id <> $2';
const tokenDoesNotHold = (): ServiceError => new ServiceError('AUTH_INVALID', 'This link was used, is too old, or was never ours. Have a new one sent.');
const suspended = (): ServiceError => new ServiceError('AUTH_INVALID', 'This account is suspended: its address stays as it is. Ask support; the link does again afterwards, while it is not too old.');
const taken = (field: string, cause?: unknown): ServiceError => new ServiceError('CONFLICT', 'That address is taken.', { details: { field }, cause });

/** An account's address: confirmed, or changed for another that is confirmed first. */
export class EmailService {
  readonly #on: EmailDependencies;

  constructor(dependencies: EmailDependencies) {
    this.#on = dependencies;
  }

  /** Confirms the address a token was mailed to, as the account's own or as its new one; one of several at once does. */
  async verify(call: Call, { token }: EmailVerification): Promise<void> {
    let userId = '';
    try {
      userId = await transact(this.#on.db, null, async (trx) => {
        const mailed = await this.#on.verifications.find(trx, hashOfToken(token));
        const account = mailed === undefined ? undefined : await lockAccount(this.#on.db, trx, mailed.user_id);
        if (mailed === undefined || account === undefined || !(await this.#on.verifications.use(trx, mailed.id))) throw tokenDoesNotHold();
        await this.#confirm(trx, call, account, mailed);
        return account.id;
      });
    } catch (error) {
      // Somebody else registered with it or changed to it since it was asked for.
      if (violatedConstraint(error) === 'users_email_key') throw taken('email', error);
      throw error;
    }
    await this.#on.changes.told(userId);
  }

  /** Mails what waits anew; CONFLICT where nothing does, RATE_LIMITED after several within the hour. */
  async resend(call: Call): Promise<void> {
    const userId = requireSelf(call);
    await transact(this.#on.db, null, async (trx) => {
      const account = await lockAccount(this.#on.db, trx, userId);
      if (account === undefined) throw new ServiceError('AUTH_INVALID', 'This account is gone.');
      const waiting = account.pending_email ?? (account.email_verified_at === null ? account.email : null);
      if (waiting === null) throw new ServiceError('CONFLICT', 'Your address is confirmed: there is nothing to send.');
      await this.#on.verifications.renew(trx, userId, waiting);
      await audit(trx, call, { event_type: 'user.verification_resent', entity_type: 'user', entity_id: userId });
    });
  }

  /**
   * Mails a token to the new address and a notice to the old one. Nothing changes but `pending_email` until the token
   * comes back; a newer request replaces the older, and one for the present address takes it back.
   */
  async requestChange(call: Call, { new_email: email, password }: EmailChange): Promise<void> {
    const userId = requireSelf(call);
    const proof = await this.#on.passwords.requirePassword(userId, password, 'password');
    await transact(this.#on.db, null, async (trx) => {
      const account = await this.#on.passwords.requireStill(trx, userId, proof);
      const isBack = sameAddress(email, account.email);
      if (isBack && account.pending_email === null) {
        throw new ServiceError('CONFLICT', 'That is your address already.', { details: { field: 'new_email' } });
      }
      if ((await this.#on.db.namedIn(trx, 'auth.address_taken', takenSql, [email, userId])).length > 0) throw taken('new_email');
      await trx('users').where({ id: userId }).update({ pending_email: isBack ? null : email });
      if (isBack && account.email_verified_at !== null) await this.#on.verifications.void(trx, userId);
      else await this.#on.verifications.renew(trx, userId, email);
      await audit(trx, call, { event_type: 'user.email_change_requested', entity_type: 'user', entity_id: userId, data: { from: masked(account.email), to: masked(email) } });
      if (!isBack) await sendMail(trx, 'auth.email_change_requested', { user_id: userId, to: account.email });
    });
  }

  async #confirm(trx: Knex.Transaction, call: Call, account: LockedAccount, { email }: VerificationRow): Promise<void> {
    const { id } = account;
    const isChange = sameAddress(email, account.pending_email);
    if (!isChange && !sameAddress(email, account.email)) throw tokenDoesNotHold();
    // The address is where support and a reset of the password reach whoever owns the account.
    if (isChange && account.suspended_at !== null) throw suspended();
    await this.#on.verifications.void(trx, id);
    if (isChange) {
      await trx('users').where({ id }).update({ email, pending_email: null, email_verified_at: trx.fn.now() });
      // They were mailed to the old address, which is somebody else's now for all we know.
      await this.#on.resets.void(trx, id);
      await sendMail(trx, 'auth.email_changed', { user_id: id, to: account.email });
    } else {
      await trx('users').where({ id }).update({ email_verified_at: account.email_verified_at ?? trx.fn.now() });
    }
    await audit(trx, call, {
      event_type: 'user.email_verified', entity_type: 'user', entity_id: id, user_id: id,
      data: isChange ? { from: masked(account.email), to: masked(email) } : {},
    });
  }
}

/** `a…@example.com`: enough to follow a change by, and no address in a log that outlives the account. */
const masked = (email: string): string => `${email.slice(0, 1)}…${email.slice(email.lastIndexOf('@'))}`;

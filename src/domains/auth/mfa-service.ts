import type { Knex } from 'knex';
import type { RecoveryCodes as ShownCodes, TotpConfirmation, TotpEnrollment, TotpEnrollmentCreate } from '#generated/sdk/types.gen.ts';
import { sendMail } from '#jobs/mail-job.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import { requireRecentSignIn, requireSelf } from '../policy.ts';
import type { Guesses } from './guesses.ts';
import { lockAccount, type LockedAccount } from './locked-account.ts';
import { enrollmentSeconds, type MfaSecrets } from './mfa-secrets.ts';
import type { PasswordService } from './password-service.ts';
import type { RecoveryCodes } from './recovery-codes.ts';
import { totpSecretText, totpUrl } from './totp.ts';

export interface MfaDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly passwords: PasswordService;
  readonly guesses: Guesses;
  readonly secrets: MfaSecrets;
  readonly recoveryCodes: RecoveryCodes;
}

const tookItSql = 'select id from sessions where id = $1 and authenticated_at > $2';
const wrongCode = (): ServiceError => new ServiceError('FORBIDDEN', 'The code is wrong, too old, or was used. Wait for the next one.', { details: { field: 'code' } });

const factorNotTaken = (): ServiceError => new ServiceError('FORBIDDEN', 'This asks for a sign-in that took the second factor. Sign in again.', {
  details: { reason: 'recent_sign_in_required' },
});

/** The second factor of an account: turned on in two steps, turned off, its recovery codes made anew. */
export class MfaService {
  readonly #on: MfaDependencies;

  constructor(dependencies: MfaDependencies) {
    this.#on = dependencies;
  }

  /** A fresh secret that counts for nothing until its first code comes; beginning again replaces it. */
  async enroll(call: Call, { password }: TotpEnrollmentCreate): Promise<TotpEnrollment> {
    const userId = requireSelf(call);
    const proof = await this.#on.passwords.requirePassword(userId, password, 'password');
    return transact(this.#on.db, call, async (trx) => {
      const account = await this.#on.passwords.requireStill(trx, userId, proof);
      if (account.mfa_enabled_at !== null) throw new ServiceError('CONFLICT', 'The second factor is on already. Turn it off first to change the authenticator.');
      const secret = await this.#on.secrets.enroll(trx, userId);
      await audit(trx, call, { event_type: 'mfa.enrolled', entity_type: 'user', entity_id: userId });
      return { secret: totpSecretText(secret), otpauth_url: totpUrl(secret, account), expires_in: enrollmentSeconds };
    });
  }

  /** Turns it on by a first code, which is used up by that. */
  async confirm(call: Call, { code }: TotpConfirmation): Promise<ShownCodes> {
    const userId = requireSelf(call);
    return this.#on.guesses.look(userId, () => transact(this.#on.db, call, async (trx) => {
      const account = await this.#lock(trx, userId);
      const nowMs = this.#on.clock.now();
      const confirmed = account.mfa_enabled_at !== null ? null : await this.#on.secrets.confirm(trx, userId, code, nowMs);
      if (confirmed === null) throw new ServiceError('CONFLICT', 'No enrolment waits for a code, or it has expired. Begin again.');
      if (!confirmed) throw wrongCode();
      await trx('users').where({ id: userId }).update({ mfa_enabled_at: new Date(nowMs).toISOString() });
      return this.#showCodes(trx, call, userId, 'mfa.enabled', 'auth.second_factor_on');
    }));
  }

  /**
   * Turns it off, for a sign-in younger than 15 minutes that took it: one from before it was on did not. NOT_FOUND where
   * it is off.
   */
  async disable(call: Call): Promise<void> {
    const userId = requireRecentSignIn(call, this.#on.clock.now());
    await transact(this.#on.db, null, async (trx) => {
      const { mfa_enabled_at: enabledAt } = await this.#lock(trx, userId);
      if (enabledAt === null) throw notFound();
      if (!(await this.#tookIt(trx, call, enabledAt))) throw factorNotTaken();
      await this.#on.secrets.forget(trx, userId);
      await this.#on.recoveryCodes.forget(trx, userId);
      await trx('mfa_challenges').where({ user_id: userId }).whereNull('used_at').update({ used_at: trx.fn.now() });
      await trx('users').where({ id: userId }).update({ mfa_enabled_at: null });
      await audit(trx, call, { event_type: 'mfa.disabled', entity_type: 'user', entity_id: userId });
      await sendMail(trx, 'auth.second_factor_off', { user_id: userId });
    });
  }

  /** Ten new recovery codes for a current code, which is used up by that; the old ones are void. */
  async regenerate(call: Call, { code }: TotpConfirmation): Promise<ShownCodes> {
    const userId = requireSelf(call);
    return this.#on.guesses.look(userId, () => transact(this.#on.db, call, async (trx) => {
      const account = await this.#lock(trx, userId);
      if (account.mfa_enabled_at === null) throw new ServiceError('CONFLICT', 'The second factor is off: there are no recovery codes to renew.');
      if (!(await this.#on.secrets.use(trx, userId, code, this.#on.clock.now()))) throw wrongCode();
      return this.#showCodes(trx, call, userId, 'mfa.recovery_codes_regenerated', 'auth.recovery_codes_regenerated');
    }));
  }

  async #showCodes(trx: Knex.Transaction, call: Call, userId: string, event: string, mail: string): Promise<ShownCodes> {
    const codes = await this.#on.recoveryCodes.renew(trx, userId);
    await audit(trx, call, { event_type: event, entity_type: 'user', entity_id: userId });
    await sendMail(trx, mail, { user_id: userId });
    return { recovery_codes: codes };
  }

  /** Whether the caller signed in since it was on. The access token tells that time by the second alone, the session exactly. */
  async #tookIt(trx: Knex.Transaction, { caller }: Call, enabledAt: string): Promise<boolean> {
    if (caller.kind !== 'user') return false;
    return (await this.#on.db.namedIn(trx, 'auth.took_second_factor', tookItSql, [caller.sessionId, enabledAt])).length === 1;
  }

  async #lock(trx: Knex.Transaction, userId: string): Promise<LockedAccount> {
    const account = await lockAccount(this.#on.db, trx, userId);
    if (account === undefined) throw new ServiceError('AUTH_INVALID', 'This account is gone.');
    return account;
  }
}

/** Between the right password and the session of an account with a second factor: a challenge, and its answer. */
import type { Knex } from 'knex';
import type { MfaChallenge, MfaVerification, TokenPair } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { randomToken } from '#platform/crypto.ts';
import { type Database, transact } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { audit } from '../audit/audit.ts';
import type { Guesses } from './guesses.ts';
import { lockAccount } from './locked-account.ts';
import { hashOfToken } from './mailed-tokens.ts';
import type { MfaSecrets } from './mfa-secrets.ts';
import type { RecoveryCodes } from './recovery-codes.ts';
import type { HalfSignIn, SecondFactor } from './second-factor.ts';
import type { SignIns } from './sign-ins.ts';
import type { Device } from './sessions.ts';

const lifetimeSeconds = 300;
/** Wrong codes before a challenge is void. */
const mostFailures = 5;

const byTokenSql = 'select id, user_id from mfa_challenges where token_hash = $1';
const lockSql = `
  select id, user_id, device_id, device_name, platform, failures_before, failures, used_at is not null as is_used, expires_at <= now() as is_old
    from mfa_challenges where id = $1 for update`;

interface ChallengeRow {
  readonly id: string;
  readonly user_id: string;
  readonly device_id: string | null;
  readonly device_name: string | null;
  readonly platform: string | null;
  readonly failures_before: number;
  readonly failures: number;
  readonly is_used: boolean;
  readonly is_old: boolean;
}

export interface ChallengeDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly signIns: SignIns;
  readonly guesses: Guesses;
  readonly secrets: MfaSecrets;
  readonly recoveryCodes: RecoveryCodes;
}

/** What an answer came to. A wrong code is counted, so its transaction commits and it is told as an error only then. */
type Outcome = { readonly kind: 'signed_in'; readonly pair: TokenPair } | { readonly kind: 'wrong_code' | 'ended' | 'too_old' | 'suspended' };

const ended = (): ServiceError => new ServiceError('AUTH_INVALID', 'This sign-in was completed or given up. Sign in again.');

export class MfaChallenges implements SecondFactor {
  readonly #on: ChallengeDependencies;

  constructor(dependencies: ChallengeDependencies) {
    this.#on = dependencies;
  }

  async challengeFor(trx: Knex.Transaction, { userId, device, failuresBefore }: HalfSignIn): Promise<MfaChallenge | null> {
    const account = await lockAccount(this.#on.db, trx, userId);
    if (account === undefined || account.mfa_enabled_at === null) return null;
    const token = randomToken();
    await trx('mfa_challenges').insert({
      id: newId(), user_id: userId, token_hash: hashOfToken(token), failures_before: Math.max(0, failuresBefore),
      device_id: device?.device_id ?? null, device_name: device?.name ?? null, platform: device?.platform ?? null,
      expires_at: trx.raw("now() + interval '1 second' * ?", [lifetimeSeconds]),
    });
    const hasCodes = (await this.#on.recoveryCodes.left(trx, userId)) > 0;
    return {
      mfa_required: true, token_type: 'Challenge', challenge_token: token, expires_in: lifetimeSeconds, methods: hasCodes ? ['totp', 'recovery_code'] : ['totp'],
    };
  }

  /**
   * Completes a sign-in. AUTH_INVALID for a wrong or used code and a challenge that is unknown or used, AUTH_EXPIRED for
   * one that is too old. Five wrong codes end a challenge, twenty within an hour all guessing for the account.
   */
  async verify(call: Call, body: MfaVerification): Promise<TokenPair> {
    const [found] = await this.#on.db.named<{ id: string; user_id: string }>('auth.challenge_by_token', byTokenSql, [hashOfToken(body.challenge_token)]);
    if (found === undefined) throw ended();
    return this.#on.guesses.look(found.user_id, async () => {
      const outcome = await transact(this.#on.db, null, (trx) => this.#answer(trx, call, found.id, found.user_id, body));
      switch (outcome.kind) {
        case 'signed_in': return outcome.pair;
        case 'wrong_code': throw new ServiceError('AUTH_INVALID', 'The code is wrong or was used.');
        case 'ended': throw ended();
        case 'too_old': throw new ServiceError('AUTH_EXPIRED', 'The code came too late. Sign in again.');
        case 'suspended': throw new ServiceError('FORBIDDEN', 'This account is suspended.', { details: { reason: 'suspended' } });
      }
    });
  }

  async #answer(trx: Knex.Transaction, call: Call, challengeId: string, userId: string, body: MfaVerification): Promise<Outcome> {
    const account = await lockAccount(this.#on.db, trx, userId);
    const [challenge] = await this.#on.db.namedIn<ChallengeRow>(trx, 'auth.lock_challenge', lockSql, [challengeId]);
    if (account === undefined || account.mfa_enabled_at === null || challenge === undefined) return { kind: 'ended' };
    if (challenge.is_used || challenge.failures >= mostFailures) return { kind: 'ended' };
    if (challenge.is_old) return { kind: 'too_old' };
    if (account.suspended_at !== null) return { kind: 'suspended' };
    const nowMs = this.#on.clock.now();
    const [factor, fits] = 'code' in body
      ? ['totp', await this.#on.secrets.use(trx, userId, body.code, nowMs)]
      : ['recovery_code', await this.#on.recoveryCodes.use(trx, userId, body.recovery_code)];
    if (!fits) {
      await this.#countFailure(trx, call, challenge);
      return { kind: 'wrong_code' };
    }
    await trx('mfa_challenges').where({ id: challengeId }).update({ used_at: trx.fn.now() });
    const pair = await this.#on.signIns.open(trx, call, {
      userId, device: deviceOf(challenge), authenticatedAtMs: nowMs, failuresBefore: challenge.failures_before + challenge.failures,
    });
    await audit(trx, call, {
      event_type: 'user.signed_in', entity_type: 'session', entity_id: pair.session_id, user_id: userId, data: { second_factor: factor },
    });
    return { kind: 'signed_in', pair };
  }

  /** The fifth is written down: somebody knows the password and not the second factor. */
  async #countFailure(trx: Knex.Transaction, call: Call, challenge: ChallengeRow): Promise<void> {
    await trx('mfa_challenges').where({ id: challenge.id }).increment('failures');
    if (challenge.failures + 1 < mostFailures) return;
    await audit(trx, call, { event_type: 'user.second_factor_failed', entity_type: 'user', entity_id: challenge.user_id, user_id: challenge.user_id });
  }
}

function deviceOf({ device_id: id, device_name: name, platform }: ChallengeRow): Device | null {
  return id === null || name === null || platform === null ? null : { device_id: id, name, platform };
}

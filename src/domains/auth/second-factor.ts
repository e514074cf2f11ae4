import type { Knex } from 'knex';
import type { MfaChallenge } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Device } from './sessions.ts';

/** A sign-in whose password was right and that has no session yet. */
export interface HalfSignIn {
  readonly userId: string;
  readonly device: Device | null;
  /** Wrong tries since the account's last right password: hand it on to `SignIns.open` when the sign-in is whole. */
  readonly failuresBefore: number;
}

/** Asked after the right password and before a session is opened. */
export interface SecondFactor {
  /** What has to be answered first; null where the account has no second factor. In the transaction of the sign-in, where there is one. */
  challengeFor(trx: Knex.Transaction | null, call: Call, signIn: HalfSignIn): Promise<MfaChallenge | null>;
}

/** Nobody has one. */
export const noSecondFactor: SecondFactor = { challengeFor: () => Promise.resolve(null) };

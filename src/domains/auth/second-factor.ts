import type { Knex } from 'knex';
import type { MfaChallenge } from '#generated/sdk/types.gen.ts';
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
  /** What has to be answered first, in the transaction of the sign-in; null where the account has no second factor. */
  challengeFor(trx: Knex.Transaction, signIn: HalfSignIn): Promise<MfaChallenge | null>;
}

/** Puts together what an account proves itself by: its password, its address, its second factor. */
import type { Environment } from '#config/environment.ts';
import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { MailTemplate } from '#jobs/mail-job.ts';
import type { Sweep } from '#jobs/scheduled.ts';
import type { SystemJobKind } from '#jobs/system-jobs.ts';
import type { Clock } from '#platform/clock.ts';
import { createVault, deriveKey } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';
import { AccountChanges } from './account-changes.ts';
import { credentialSweep } from './credential-sweep.ts';
import { emailHandlers } from './email-handlers.ts';
import { EmailService } from './email-service.ts';
import { EmailVerifications } from './email-verifications.ts';
import { Guesses } from './guesses.ts';
import { MailedTokens } from './mailed-tokens.ts';
import { authMails } from './mails.ts';
import { MfaChallenges } from './mfa-challenges.ts';
import { mfaHandlers } from './mfa-handlers.ts';
import { MfaSecrets } from './mfa-secrets.ts';
import { MfaService } from './mfa-service.ts';
import { passwordHandlers } from './password-handlers.ts';
import { PasswordResets } from './password-resets.ts';
import { PasswordService } from './password-service.ts';
import type { Passwords } from './passwords.ts';
import { RecoveryCodes } from './recovery-codes.ts';
import type { SecondFactor } from './second-factor.ts';
import type { SessionService } from './session-service.ts';
import type { SignIns } from './sign-ins.ts';

export interface ProofDependencies {
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  readonly db: Database;
  readonly redis: Redis;
  readonly signIns: SignIns;
  readonly sessions: SessionService;
  readonly hashing: Passwords;
}

export interface Proofs {
  readonly handlers: ReturnType<typeof passwordHandlers> & ReturnType<typeof emailHandlers> & ReturnType<typeof mfaHandlers>;
  /** Asks a signed-in person for its password once more. */
  readonly passwords: PasswordService;
  readonly verifications: EmailVerifications;
  readonly secondFactor: SecondFactor;
  readonly templates: readonly MailTemplate[];
  readonly systemKinds: readonly SystemJobKind[];
  readonly sweeps: readonly Sweep[];
}

/** How often each may be guessed wrong for one account within an hour. Twenty codes are a chance of one in 16,000. */
const wrongPerHour = { password: 10, code: 10, second_factor: 20 } as const;

export function createProofs({ env, clock, log, db, redis, signIns, sessions, hashing }: ProofDependencies): Proofs {
  const key = (secret: Environment['jwtSecret'] | null, purpose: string): ReturnType<typeof deriveKey> | null => (secret === null ? null : deriveKey(secret, purpose));
  const tokens = new MailedTokens(deriveKey(env.jwtSecret, 'mailed tokens'), key(env.jwtSecretPrevious, 'mailed tokens'));
  // Kept for years, as the authenticator's secret is: under the key of what is stored, not under that of sign-ins.
  const recoveryCodes = new RecoveryCodes(db, deriveKey(env.encryptionKey, 'recovery codes'), key(env.encryptionKeyPrevious, 'recovery codes'));
  const secrets = new MfaSecrets(db, createVault(env.encryptionKey, env.encryptionKeyPrevious));
  const verifications = new EmailVerifications(db, tokens);
  const resets = new PasswordResets(db, tokens);
  const changes = new AccountChanges(redis, log);
  const guesses = (name: keyof typeof wrongPerHour): Guesses => new Guesses(redis, name, wrongPerHour[name]);
  const passwords = new PasswordService({ db, passwords: hashing, guesses: guesses('password'), resets, verifications, sessions, changes });
  const challenges = new MfaChallenges({ db, clock, signIns, guesses: guesses('second_factor'), secrets, recoveryCodes });
  const mfa = new MfaService({ db, clock, passwords, guesses: guesses('code'), secrets, recoveryCodes });
  return {
    handlers: {
      ...passwordHandlers(passwords),
      ...emailHandlers(new EmailService({ db, passwords, verifications, resets, changes })),
      ...mfaHandlers(mfa, challenges),
    } satisfies Partial<Handlers>,
    passwords,
    verifications,
    secondFactor: challenges,
    templates: authMails(db, tokens, env.baseUrl),
    systemKinds: [resets.kind()],
    sweeps: [credentialSweep(db)],
  };
}

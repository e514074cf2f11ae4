import { join } from 'node:path';
import type { Environment } from '#config/environment.ts';
import type { Logger } from '#platform/log.ts';
import { openConsoleMailer } from './console.ts';
import type { Mailer } from './mailer.ts';
import { openResendMailer } from './resend.ts';
import { openSmtpMailer } from './smtp.ts';

type MailEnvironment = Pick<Environment, 'emailProvider' | 'emailFrom' | 'dataDir' | 'nodeEnv' | 'resendApiKey' | 'smtpUrl'>;

/**
 * The mailer that the environment asks for. `announce` is where a developer reads what the console provider wrote, links
 * and codes included: it is called in development alone.
 */
export function openMailer(env: MailEnvironment, log: Logger, announce: (line: string) => void): Mailer {
  const { emailProvider: provider, emailFrom: from, resendApiKey: apiKey, smtpUrl: url } = env;
  if (provider === 'resend' && apiKey !== null) return openResendMailer({ apiKey, from });
  if (provider === 'smtp' && url !== null) return openSmtpMailer({ url, from });
  if (provider !== 'console') throw new Error(`EMAIL_PROVIDER=${provider} lacks its credentials.`);
  return openConsoleMailer({ folder: join(env.dataDir, 'mail'), from, log, ...(env.nodeEnv === 'development' ? { announce } : {}) });
}

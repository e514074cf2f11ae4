import { join } from 'node:path';
import type { Environment } from '#config/environment.ts';
import type { Logger } from '#platform/log.ts';
import { openConsoleMailer } from './console.ts';
import type { Mailer } from './mailer.ts';

/** The mailer that the environment asks for. `announce` is where a developer reads what the console provider wrote. */
export function openMailer(
  env: Pick<Environment, 'emailProvider' | 'emailFrom' | 'dataDir'>, log: Logger, announce?: (line: string) => void,
): Mailer {
  switch (env.emailProvider) {
    case 'console':
      return openConsoleMailer({ folder: join(env.dataDir, 'mail'), from: env.emailFrom, log, ...(announce === undefined ? {} : { announce }) });
    case 'resend':
    case 'smtp':
      throw new Error(`EMAIL_PROVIDER=${env.emailProvider} is not there yet.`);
  }
}

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '#platform/log.ts';
import { checkMail, type Mail, type Mailer } from './mailer.ts';

/** What stands in a mail's .json file. */
export interface WrittenMail extends Mail {
  readonly from: string;
  readonly written_at: string;
}

/**
 * Sends nothing: each mail becomes `<folder>/<id>.json`, for programs, and `<id>.html`, for a browser. A repeat writes
 * the same files again. `announce` is told in a line what came, links included: for a developer's console alone.
 */
export function openConsoleMailer(
  on: { readonly folder: string; readonly from: string; readonly log: Pick<Logger, 'info'>; readonly announce?: (line: string) => void },
): Mailer {
  return {
    async send(mail) {
      checkMail(mail);
      await mkdir(on.folder, { recursive: true, mode: 0o700 });
      const path = join(on.folder, mail.id);
      const written: WrittenMail = { ...mail, from: on.from, written_at: new Date().toISOString() };
      await writeFile(`${path}.html`, mail.html, { mode: 0o600 });
      // Whoever reads the folder never sees half a file.
      await writeFile(`${path}.json.part`, JSON.stringify(written, null, 2), { mode: 0o600 });
      await rename(`${path}.json.part`, `${path}.json`);
      on.log.info('mail.written', 'A mail was written to a file: EMAIL_PROVIDER is console', { mail_id: mail.id, file: `${path}.html` });
      on.announce?.([`Mail to ${mail.to}: ${mail.subject}`, mail.action, mail.code].filter((part) => part !== null).join('  '));
    },
    close: () => Promise.resolve(),
  };
}

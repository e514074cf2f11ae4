import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mail as the console provider writes it; its contract stands in src/platform/mail/console.ts. */
export interface SentMail {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The address of its button. */
  readonly action: string | null;
  readonly code: string | null;
  readonly written_at: string;
}

/** The mails that were written under a DATA_DIR (to one address, if given), the oldest first: ids sort by their time. */
export function mailsIn(dataDir: string, to?: string): SentMail[] {
  let names: string[];
  try {
    names = readdirSync(join(dataDir, 'mail'));
  } catch {
    return [];
  }
  return names.filter((name) => name.endsWith('.json')).sort()
    .map((name) => JSON.parse(readFileSync(join(dataDir, 'mail', name), 'utf8')) as SentMail)
    .filter((mail) => to === undefined || mail.to === to);
}

import { isId } from '#platform/ids.ts';
import { redactText } from '#platform/log/redact.ts';

/** A mail, the same to every provider (console.ts, resend.ts, smtp.ts; open-mailer.ts picks one). */
export interface Mail {
  /** The same at every attempt to send this mail: its Message-ID, and what a provider knows a repeat by. */
  readonly id: string;
  /** One bare address. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The link of its button and the code it tells, for who reads mails at the console and in tests. They are in the text as well. */
  readonly action: string | null;
  readonly code: string | null;
}

export interface Mailer {
  /**
   * Resolves once the provider has taken the mail. Throws MailRefused where no further attempt can help, and any other
   * error where one may. No error holds the mail's text or the provider's credentials.
   */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The provider takes this mail now and never: the address does not exist, or breaks a rule. */
export class MailRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MailRefused';
  }
}

/** One address as it may stand in a header and in an SMTP command: no control character, no space, no second address. */
const address = /^[^\s@<>(),;:"\\[\]\p{Cc}]{1,64}@[^\s@<>(),;:"\\[\]\p{Cc}]{1,255}$/u;

/** Refuses what would say more to the provider than it is meant to: line breaks in an address or a subject. */
export function checkMail(mail: Mail): void {
  if (!isId(mail.id)) throw new Error('A mail needs an id like every row.');
  if (!address.test(mail.to)) throw new MailRefused('The address is not one that mail can be sent to.');
  if (/\p{Cc}/u.test(mail.subject)) throw new MailRefused('The subject holds a control character.');
  if (mail.subject === '') throw new MailRefused('The subject is empty.');
}

const maxTold = 300;

/** A provider's own words, as they may stand in a log and in a job's row: no address, no secret of a URL, one bounded line. */
export function tellable(words: string): string {
  const clean = redactText(words).replace(/[^\s<>"'(),:;@]+@[^\s<>"'(),:;@]+/g, '(address)').replace(/\s+/g, ' ').trim();
  return clean.length > maxTold ? `${clean.slice(0, maxTold)}…` : clean;
}

import { createTransport } from 'nodemailer';
import type { Secret } from '#config/environment.ts';
import { DeadlineError, withDeadline } from '#platform/deadline.ts';
import { checkMail, MailRefused, tellable, type Mailer } from './mailer.ts';
import { domainOf } from './sender.ts';

export interface SmtpBounds {
  /** For a mail as a whole. */
  readonly sendMs: number;
  readonly connectMs: number;
  /** For the server's first word. */
  readonly greetingMs: number;
  /** Between two words of it. */
  readonly silenceMs: number;
}

const usual: SmtpBounds = { sendMs: 20_000, connectMs: 8_000, greetingMs: 8_000, silenceMs: 15_000 };

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/i;

/**
 * Sends by SMTP over two pooled connections: `smtps:` is TLS from the start; `smtp:` becomes TLS where the server offers
 * it, and must where a password would travel to another machine. The Message-ID is made from the mail's id, so that a
 * repeat can be known as one; SMTP itself knows no repeats, so a mail whose acceptance never reached us comes twice.
 */
export function openSmtpMailer(on: { readonly url: Secret; readonly from: string; readonly bounds?: SmtpBounds }): Mailer {
  const { sendMs, connectMs, greetingMs, silenceMs } = on.bounds ?? usual;
  const { username, hostname } = new URL(on.url.reveal());
  const transport = createTransport({
    url: on.url.reveal(),
    pool: true,
    maxConnections: 2,
    // Whether a mail that a connection died with was taken, nobody knows: the job decides when to try again.
    maxRequeues: 0,
    idleTimeout: 20_000,
    connectionTimeout: connectMs,
    greetingTimeout: greetingMs,
    socketTimeout: silenceMs,
    dnsTimeout: connectMs,
    requireTLS: username !== '' && !loopback.test(hostname),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // A connection that fails between two mails is replaced; without a listener it would end the process.
  transport.on('error', () => undefined);
  return {
    async send(mail, signal) {
      checkMail(mail);
      try {
        await withDeadline((within) => transport.sendMail({
          from: on.from,
          to: { name: '', address: mail.to },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: `<${mail.id}@${domainOf(on.from)}>`,
          // Answering machines keep quiet.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: within,
        }), sendMs, 'The mail server', signal);
      } catch (error) {
        throw error instanceof DeadlineError || signal.aborted ? error : smtpErrorOf(error);
      }
    },
    close: () => {
      transport.close({ force: true });
      return Promise.resolve();
    },
  };
}

/** What nodemailer calls an answer to the sender, the recipient or the content. */
const aboutTheMail = new Set(['EENVELOPE', 'EMESSAGE']);

/**
 * What of an SMTP error may be told: the code and the server's words, without addresses. 5yz about the mail is for good;
 * a refused sign-in or STARTTLS is about us, and another time may mend it.
 */
function smtpErrorOf(error: unknown): Error {
  const { code, responseCode, response, message } = error as { code?: string; responseCode?: number; response?: string; message?: string };
  const said = tellable(response ?? message ?? 'no reason');
  if (code === 'EAUTH' || code === 'ENOAUTH') return new Error(`The mail server did not accept the sign-in of SMTP_URL: ${said}`);
  if (responseCode !== undefined && responseCode >= 500 && aboutTheMail.has(code ?? '')) return new MailRefused(`The mail server refused the mail: ${said}`);
  return new Error(`The mail server did not take the mail${code === undefined ? '' : ` (${code})`}: ${said}`);
}

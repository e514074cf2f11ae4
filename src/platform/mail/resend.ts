import { Resend } from 'resend';
import type { Secret } from '#config/environment.ts';
import { withDeadline } from '#platform/deadline.ts';
import { checkMail, MailRefused, tellable, type Mailer } from './mailer.ts';

const usualBaseUrl = 'https://api.resend.com';
const usualTimeoutMs = 20_000;

/**
 * Sends through Resend. The mail's id is its idempotency key: Resend sends one mail for a key, however often it is asked
 * within a day.
 */
export function openResendMailer(on: { readonly apiKey: Secret; readonly from: string; readonly baseUrl?: string; readonly timeoutMs?: number }): Mailer {
  const resend = new Resend(on.apiKey.reveal(), { baseUrl: on.baseUrl ?? usualBaseUrl });
  return {
    async send(mail, signal) {
      checkMail(mail);
      const { error } = await withDeadline((within) => resend.emails.send(
        { from: on.from, to: mail.to, subject: mail.subject, text: mail.text, html: mail.html, headers: { 'Auto-Submitted': 'auto-generated' } },
        { idempotencyKey: mail.id, signal: within },
      ), on.timeoutMs ?? usualTimeoutMs, 'Resend', signal);
      if (error === null || error.name === 'invalid_idempotent_request') {
        // Taken at an earlier attempt, whose answer did not reach us; a word in it has changed since.
        return;
      }
      throw resendErrorOf(error);
    },
    close: () => Promise.resolve(),
  };
}

/** 4xx is for good, but for what another time or another key would mend: 408, 409 (the same mail is being taken), 429, the key. */
function resendErrorOf({ name, message, statusCode }: { name: string; message: string; statusCode: number | null }): Error {
  const said = `${statusCode ?? 'no answer'} ${name}: ${tellable(message)}`;
  if (/api_key/.test(name)) return new Error(`Resend did not accept RESEND_API_KEY: ${said}`);
  const isForGood = statusCode !== null && statusCode >= 400 && statusCode < 500 && ![401, 408, 409, 429].includes(statusCode);
  return isForGood ? new MailRefused(`Resend refused the mail: ${said}`) : new Error(`Resend did not take the mail: ${said}`);
}

/**
 * Mail is sent by a system job: asked for in the transaction of what it tells of, sent after its commit, tried again
 * while the provider is away. What it says is rendered only when it is sent, out of rows that the payload names, so that
 * no link and no text lies in a job.
 */
import type { Knex } from 'knex';
import type { Logger } from '#platform/log.ts';
import { layOut, type MailContent } from '#platform/mail/layout.ts';
import { MailRefused, type Mailer } from '#platform/mail/mailer.ts';
import { addSystemJob, GivenUp, type JobPayload, type SystemJobKind } from './system-jobs.ts';

export type { MailContent };

export interface RenderedMail {
  readonly to: string;
  readonly content: MailContent;
}

export interface MailTemplate {
  /** `auth.email_verification`: what `sendMail` names. */
  readonly name: string;
  /** Reads what the payload names and says what to send; null when there is nothing to say any more (used, ended, gone). */
  render(payload: JobPayload): Promise<RenderedMail | null>;
}

export const mailSendKind = 'mail.send';

/** A provider that takes longer is asked again. Shorter than a job's lease, so that no second attempt begins beside it. */
const timeoutMs = 25_000;

/** Sends a mail once the transaction has committed; answers the job's id, or null where one with its `dedupeKey` is on its way. */
export function sendMail(
  trx: Knex.Transaction, template: string, payload: JobPayload, options: { readonly dedupeKey?: string; readonly delayMs?: number } = {},
): Promise<string | null> {
  return addSystemJob(trx, { ...options, kind: mailSendKind, payload: { ...payload, template } });
}

/** The kind of job that sends every mail. The job's id is the mail's, at every attempt. */
export function mailKind(templates: readonly MailTemplate[], mailer: Mailer, log: Pick<Logger, 'info'>): SystemJobKind {
  const byName = new Map(templates.map((template) => [template.name, template]));
  if (byName.size < templates.length) throw new Error('Two mail templates have one name.');
  return {
    kind: mailSendKind,
    timeoutMs,
    async run(payload, { jobId, attempt, signal }) {
      const name = String(payload['template']);
      const template = byName.get(name);
      if (template === undefined) throw new Error(`There is no mail template ${name}.`);
      const rendered = await template.render(payload);
      if (rendered === null) {
        log.info('mail.needless', 'A mail had nothing to say any more', { template: name, job_id: jobId });
        return;
      }
      try {
        await mailer.send({ id: jobId, to: rendered.to, ...layOut(rendered.content) }, signal);
      } catch (error) {
        if (error instanceof MailRefused) throw new GivenUp(error.message, { cause: error });
        throw error;
      }
      log.info('mail.sent', 'A mail was sent', { template: name, job_id: jobId, attempt });
    },
  };
}

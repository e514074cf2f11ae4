/** What notifications say by mail that have one of their own. */
import type { NotificationType } from '#generated/sdk/types.gen.ts';
import type { MailContent, MailTemplate } from '#jobs/mail-job.ts';
import type { Database } from '#platform/database.ts';
import { nameInMail } from '#platform/mail/names.ts';
import { toMailSql } from './queries.ts';

/** The one template of all notifications; its payload names the notification. */
export const notificationMail = 'notifications.told';

interface Told {
  readonly type: NotificationType;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly email: string;
  readonly username: string;
  readonly is_confirmed: boolean;
}

const suspicions: Readonly<Record<string, string>> = {
  new_device_and_network: 'It came from a device and a network that this account has not used before.',
  many_failures: 'The password was wrong many times before it was right.',
  refresh_token_reused: 'A token of this session was used twice, as it happens when somebody copied it. The session was ended.',
};

/** Null where another mail says it already. */
const texts: Readonly<Partial<Record<NotificationType, (told: Told) => MailContent | null>>> = {
  'account.suspicious_sign_in': ({ username, payload, created_at: at }) => ({
    subject: 'A sign-in to HiveSync that may not be yours',
    title: 'Was this you?',
    paragraphs: [
      `There was a sign-in to your account ${username} on ${timeOf(at)}. ${suspicions[textOf(payload['reason'])] ?? ''}`.trim(),
      [
        `Address: ${textOf(payload['ip_address'])}`,
        `Device: ${textOf(payload['device_name'])}`,
        `Program: ${textOf(payload['user_agent'])}`,
      ].join('\n'),
      'If it was you, there is nothing to do.',
    ],
    footer: 'If it was not you: choose “Forgot your password?” on the sign-in page and set a new one. That signs everybody out.',
  }),
  'account.export_ready': ({ username, created_at: at }) => ({
    subject: 'The copy of your HiveSync data is ready',
    title: 'Your data are ready',
    paragraphs: [
      `The copy of everything your account ${username} holds was ready on ${timeOf(at)}. Sign in to download it.`,
      'It is kept for seven days and then deleted.',
    ],
    footer: 'If you did not ask for it, somebody else is signed in as you: choose “Forgot your password?” on the sign-in page and set a new one. That signs everybody out.',
  }),
  'invitation.received': ({ username, payload }) => {
    const [name, isTransfer] = [nameOf(payload['target_name'], `a ${textOf(payload['target_type'])}`), payload['role'] === 'owner'];
    if (payload['by_mail'] === true) return null;
    return {
      subject: isTransfer ? `You are asked to take over ${name} on HiveSync` : `You are invited to ${name} on HiveSync`,
      title: isTransfer ? `Will you take over ${name}?` : `You are invited to ${name}`,
      paragraphs: [
        isTransfer ? `The owner asks your account ${username} to own it from now on.` : `Your account ${username} is invited.`,
        'Sign in to accept or decline. Until you accept nothing changes; after seven days the question is over.',
      ],
    };
  },
  'invitation.accepted': ({ payload }) => ({
    subject: `Your invitation to ${nameOf(payload['target_name'], `a ${textOf(payload['target_type'])}`)} was accepted`,
    title: 'Your invitation was accepted',
    paragraphs: ['Somebody you invited is a member now.'],
  }),
  'project.transferred': ({ payload }) => ({
    subject: `${nameOf(payload['name'], 'A project')} has changed hands`,
    title: `${nameOf(payload['name'], 'A project')} has changed hands`,
    paragraphs: [`The project belongs to ${payload['to_team_id'] === null ? 'another person' : 'a team'} now. Its list of members says who has access.`],
  }),
};

/** Types with a mail of their own are mailed at once; of the others one mail tells all together (digest.ts). */
export const hasOwnMail = (type: NotificationType): boolean => texts[type] !== undefined;

/**
 * @param asksVerification EMAIL_VERIFICATION=required: only a confirmed address is written to
 */
export function notificationMails(db: Database, asksVerification: boolean): MailTemplate {
  return {
    name: notificationMail,
    async render({ notification_id: id }) {
      const [told] = await db.named<Told>('notifications.to_mail', toMailSql, [String(id)]);
      if (told === undefined || (asksVerification && !told.is_confirmed)) return null;
      const content = texts[told.type]?.(told) ?? null;
      return content === null ? null : { to: told.email, content };
    },
  };
}

const nameOf = (value: unknown, otherwise: string): string => nameInMail(textOf(value), otherwise);

const textOf = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : 'not known');

/** `2 March 2026, 09:30 UTC`. */
const timeOf = (at: string): string =>
  `${new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(Date.parse(at)).replace(' at ', ', ')} UTC`;

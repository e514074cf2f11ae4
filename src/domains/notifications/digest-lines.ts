/** What a digest says of each notification: one line. Names and words of others are plain and hold nothing to click on. */
import type { NotificationType } from '#generated/sdk/types.gen.ts';
import { nameInMail } from '#platform/mail/names.ts';

export interface Digested {
  readonly type: NotificationType;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly project_name: string | null;
}

const quoted = (value: unknown, otherwise: string): string => {
  const name = nameInMail(textOf(value), '');
  return name === '' ? otherwise : `“${name}”`;
};
const textOf = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const words = (value: unknown): string => textOf(value).replaceAll('_', ' ');

const task = ({ payload }: Digested): string => `the task ${quoted(payload['title'], 'of yours')}`;
const said = ({ payload }: Digested): string => (quoted(payload['excerpt'], '') === '' ? '.' : `: ${quoted(payload['excerpt'], '')}`);
const preview = ({ payload }: Digested): string => `The preview for ${textOf(payload['target_platform']) || 'a device'}`;

const lines: Readonly<Record<NotificationType, (told: Digested) => string>> = {
  'task.assigned': (told) => `You have ${task(told)} to do.`,
  'task.completed': (told) => `${capital(task(told))} is done.`,
  'task.due_soon': (told) => `${capital(task(told))} is due ${dateOf(told.payload['due_date'])}.`,
  'comment.created': (told) => `There is a new comment${said(told)}`,
  'comment.replied': (told) => `Somebody answered you${said(told)}`,
  'comment.mentioned': (told) => `Somebody mentioned you${said(told)}`,
  'preview.succeeded': (told) => `${preview(told)} is ready.`,
  'preview.failed': (told) => `${preview(told)} failed.`,
  'preview.shared': ({ payload }) => `A preview was shared with you${quoted(payload['note'], '') === '' ? '.' : `: ${quoted(payload['note'], '')}`}`,
  'ai_job.succeeded': ({ payload }) => `The documentation of ${quoted(payload['file_path'], 'a file')} is ready.`,
  'ai_job.failed': ({ payload }) => `The documentation of ${quoted(payload['file_path'], 'a file')} failed.`,
  'refactor.succeeded': () => 'A refactoring is ready.',
  'refactor.failed': () => 'A refactoring failed.',
  'repo.sync_failed': () => 'The repository could not be brought up to date.',
  'invitation.received': ({ payload }) => `You are invited to ${quoted(payload['target_name'], `a ${textOf(payload['target_type'])}`)}.`,
  'invitation.accepted': ({ payload }) => `Your invitation to ${quoted(payload['target_name'], `a ${textOf(payload['target_type'])}`)} was accepted.`,
  'project.transferred': ({ payload }) => `${quoted(payload['name'], 'A project')} has changed hands.`,
  'webhook.disabled': () => 'A webhook was switched off, because it failed.',
  'account.suspicious_sign_in': () => 'There was a sign-in that may not be yours.',
  'account.tier_changed': ({ payload }) => `Your tier is ${textOf(payload['to'])} now; it was ${textOf(payload['from'])}.`,
  'account.export_ready': () => 'The copy of your data is ready.',
  'account.quota_near': ({ payload }) => `You have used ${textOf(payload['used'])} of ${textOf(payload['allowed'])} of your tier's ${words(payload['limit'])}.`,
};

/** `Field Notes: you have the task “Draw the map” to do.` */
export function lineOf(told: Digested): string {
  const line = lines[told.type](told);
  const project = told.project_name === null ? '' : nameInMail(told.project_name, '');
  return project === '' ? line : `${project}: ${line}`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `on 2 March 2026, 09:30 UTC`. */
function dateOf(value: unknown): string {
  const at = Date.parse(textOf(value));
  if (Number.isNaN(at)) return 'soon';
  return `on ${new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(at).replace(' at ', ', ')} UTC`;
}

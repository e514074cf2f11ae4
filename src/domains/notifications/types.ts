import { createHash } from 'node:crypto';
import type { NotificationChannels, NotificationChannelsMap, NotificationType } from '#generated/sdk/types.gen.ts';

const listed: NotificationChannels = { in_app: true, email: false };
const mailed: NotificationChannels = { in_app: true, email: true };

/** The channels each type is shipped with, in the order of NotificationType: mail for what cannot wait until somebody looks. */
const shipped: Readonly<Record<NotificationType, NotificationChannels>> = {
  'task.assigned': mailed,
  'task.completed': listed,
  'task.due_soon': listed,
  'comment.created': listed,
  'comment.replied': listed,
  'comment.mentioned': mailed,
  'preview.succeeded': listed,
  'preview.failed': listed,
  'preview.shared': mailed,
  'ai_job.succeeded': listed,
  'ai_job.failed': listed,
  'refactor.succeeded': listed,
  'refactor.failed': listed,
  'repo.sync_failed': listed,
  'invitation.received': mailed,
  'invitation.accepted': listed,
  'project.transferred': mailed,
  'webhook.disabled': mailed,
  'account.suspicious_sign_in': mailed,
  'account.tier_changed': listed,
  'account.export_ready': mailed,
  'account.quota_near': listed,
};

/** Moves whenever what is shipped does: part of the version of everybody's preferences. */
export const shippedMark = createHash('sha256').update(JSON.stringify(shipped)).digest('base64url').slice(0, 6);

/** Mailed however many notifications the day has seen: nobody shall be able to drown it in others. */
const urgent: ReadonlySet<NotificationType> = new Set<NotificationType>(['account.suspicious_sign_in']);
export const isUrgent = (type: NotificationType): boolean => urgent.has(type);

export const shippedChannels = (type: NotificationType): NotificationChannels => shipped[type];

/** Every type with its channels: those that were set over those that are shipped. */
export const withShipped = (set: NotificationChannelsMap): NotificationChannelsMap => ({ ...shipped, ...set });

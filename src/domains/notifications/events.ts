/**
 * Whom each event is told to, as what, and what is shown of it. Consumers may be called twice for one event: the key of a
 * notice names it. Nobody is told of what they did themselves. What invitations tell is in their own domain.
 */
import type { DomainEvent } from '#jobs/outbox.ts';
import type { EventConsumer } from '#jobs/relay.ts';
import type { Database } from '#platform/database.ts';
import type { ProjectMembershipService } from '../projects/membership-service.ts';
import type { ProjectService } from '../projects/service.ts';
import { quotaKey } from '../quota.ts';
import { commentStandsSql, forgetExcerptsOnSql, forgetExcerptsSql, forgottenAtOnce } from './queries.ts';
import type { NotificationService, Notice } from './service.ts';

export interface TellingDependencies {
  readonly db: Database;
  readonly notifications: Pick<NotificationService, 'tell' | 'tellEach'>;
  readonly members: Pick<ProjectMembershipService, 'people'>;
  readonly projects: Pick<ProjectService, 'settingsOfEach'>;
}

type Data = DomainEvent['data'];
type Tells = (event: DomainEvent, on: TellingDependencies) => readonly Notice[] | Promise<readonly Notice[]>;

/** Event → notices. Those of jobs that other domains run carry what their webhook messages do (openapi/webhooks.yaml). */
const table: Readonly<Record<string, Tells>> = {
  'task.assigned': ({ projectId, data }) => [{
    type: 'task.assigned', userIds: others([data['assignee_id']], data['changed_by']), projectId: projectId ?? null, payload: taskOf(data, data['changed_by']),
    // Every change of a task has a time of its own: given back and given again is told again.
    eventKey: `task.assigned:${text(data['task_id'])}:${text(data['updated_at'])}`,
  }],
  'task.completed': ({ projectId, data }) => [{
    type: 'task.completed', userIds: others([data['created_by'], data['assignee_id']], data['changed_by']), projectId: projectId ?? null, payload: taskOf(data, data['changed_by']),
    eventKey: `task.completed:${text(data['task_id'])}:${text(data['completed_at'])}`,
  }],

  'comment.created': ({ projectId, data }) => {
    const by = data['author_id'];
    const mentioned = others(list(data['mentioned_user_ids']), by);
    const replied = others([data['parent_author_id']], by, mentioned);
    const rest = others([data['task_assignee_id'], data['task_creator_id']], by, [...mentioned, ...replied]);
    const about = { projectId: projectId ?? null, payload: commentOf(data), eventKey: `comment:${text(data['comment_id'])}` };
    return [
      { ...about, type: 'comment.mentioned', userIds: mentioned, eventKey: mentionKey(data) },
      { ...about, type: 'comment.replied', userIds: replied },
      { ...about, type: 'comment.created', userIds: rest },
    ];
  },
  'comment.updated': ({ projectId, data }) => [{
    type: 'comment.mentioned', userIds: others(list(data['newly_mentioned_user_ids']), data['author_id']), projectId: projectId ?? null, payload: commentOf(data), eventKey: mentionKey(data),
  }],

  'preview.shared': ({ data }) => [{
    type: 'preview.shared', userIds: others([data['user_id'], ...list(data['user_ids'])], data['shared_by']),
    payload: pick(data, ['job_id', 'share_id', 'shared_by', 'note']), eventKey: `preview.shared:${text(data['share_id'])}`,
  }],

  'ai_job.succeeded': (event) => [ofJob('ai_job.succeeded', event, event.data['requester_id'], ['job_id', 'job_type', 'file_path'])],
  'ai_job.failed': (event) => [ofJob('ai_job.failed', event, event.data['requester_id'], ['job_id', 'job_type', 'file_path'])],
  'refactor.succeeded': (event) => [ofJob('refactor.succeeded', event, event.data['requested_by'], ['job_id', 'kind'])],
  'refactor.failed': (event) => [ofJob('refactor.failed', event, event.data['requested_by'], ['job_id', 'kind'])],

  'repo.sync_failed': async ({ projectId, data }, on) => [{
    type: 'repo.sync_failed', userIds: await keepersOf(on, projectId), projectId: projectId ?? null,
    payload: { sync_id: data['sync_id'], error_code: errorCode(data) }, eventKey: `repo.sync_failed:${text(data['sync_id'])}`,
  }],
  'webhook.disabled': async ({ projectId, data }, on) => [{
    type: 'webhook.disabled', userIds: await keepersOf(on, projectId), projectId: projectId ?? null,
    payload: { webhook_id: data['webhook_id'], url: data['url'] ?? null, reason: data['reason'] },
    eventKey: `webhook.disabled:${text(data['webhook_id'])}:${text(data['disabled_at'])}`,
  }],

  'session.suspicious': ({ entityId, userId, data }) => {
    const { reason, ip_address = null, user_agent = null, device_name = null } = data;
    // One session may look strange for several reasons, each is told once.
    return [{ type: 'account.suspicious_sign_in', userIds: ids([userId]), payload: { session_id: entityId, reason, ip_address, user_agent, device_name }, eventKey: `session.suspicious:${entityId}:${text(reason)}` }];
  },
  'account.export_ready': ({ entityId, userId }) => [{
    type: 'account.export_ready', userIds: ids([userId]), payload: { export_id: entityId }, eventKey: `account.export_ready:${entityId}`,
  }],
  'user.tier_set': ({ entityId, data }) => (data['from'] === data['to'] ? [] : [{
    type: 'account.tier_changed', userIds: [entityId], payload: pick(data, ['from', 'to']), eventKey: `account.tier_changed:${text(data['changed_at'])}`,
  }]),
  'account.quota_near': ({ entityId, data }) => [{
    type: 'account.quota_near', userIds: [entityId], payload: pick(data, ['limit', 'used', 'allowed', 'tier']), eventKey: quotaKey(data as unknown as Parameters<typeof quotaKey>[0]),
  }],
};

/** The consumers of everything above, and of what takes away again what was shown. */
export function notificationConsumers(on: TellingDependencies): Map<string, EventConsumer> {
  const { db, notifications } = on;
  const stands = async (commentId: string): Promise<boolean> => (await db.named('notifications.comment_stands', commentStandsSql, [commentId])).length > 0;
  const forget = async (commentId: string): Promise<void> => void await db.named('notifications.forget_excerpts', forgetExcerptsSql, [commentId]);
  /** In steps, so that what is broken off is carried on when the event comes again. */
  const forgetOn = async (thingId: string): Promise<void> => {
    for (;;) {
      const [row] = await db.named<{ forgotten: number }>('notifications.forget_excerpts_on', forgetExcerptsOnSql, [thingId]);
      if ((row?.forgotten ?? 0) < forgottenAtOnce) return;
    }
  };
  const consumers = new Map<string, EventConsumer>(Object.entries(table).map(([type, tells]) => [type, async (event) => {
    const notices = (await tells(event, on)).filter(({ userIds }) => userIds.length > 0);
    if (notices.length === 0) return;
    if (!event.type.startsWith('comment.')) return void await notifications.tell(...notices);
    const id = text(event.data['comment_id']);
    if (await stands(id)) await notifications.tell(...notices);
    // Deleted while it was told, now or by a process that died over it: what makes it forgotten may have come before.
    if (!(await stands(id))) await forget(id);
  }]));
  for (const type of ['preview.succeeded', 'preview.failed'] as const) {
    const together = (events: readonly DomainEvent[]): Promise<void> => tellPreviewsEnded(type, events, on);
    consumers.set(type, Object.assign((event: DomainEvent) => together([event]), { together }));
  }
  // What was said is gone: also where somebody was told of it.
  consumers.set('comment.deleted', ({ data }) => forget(text(data['comment_id'])));
  for (const type of ['task.deleted', 'preview.deleted']) {
    consumers.set(type, ({ entityId }) => forgetOn(entityId));
  }
  return consumers;
}

/** Whoever asked for previews hears how they ended, where their projects tell of it: builds end by the hundred where a fleet works. */
async function tellPreviewsEnded(type: 'preview.succeeded' | 'preview.failed', events: readonly DomainEvent[], { projects, notifications }: TellingDependencies): Promise<void> {
  const settings = await projects.settingsOfEach(ids(events.map(({ projectId }) => projectId)));
  await notifications.tellEach(type, events.flatMap(({ entityId, projectId, userId, data }) => {
    const told = settings.get(projectId ?? '')?.notifications;
    if (userId == null || told?.[type === 'preview.succeeded' ? 'preview_ready' : 'preview_failed'] !== true) return [];
    const payload = { job_id: entityId, target_platform: data['target_platform'] ?? null, error_code: data['error_code'] ?? null };
    return [{ userId, projectId: projectId ?? null, payload, eventKey: endKey(type, entityId, data) }];
  }));
}

/** Whoever asked for a job hears how it ended. */
const ofJob = (type: Notice['type'], { entityId, projectId, data }: DomainEvent, asker: unknown, keys: readonly string[]): Notice => ({
  type, userIds: ids([asker]), projectId: projectId ?? null, payload: { ...pick(data, keys), error_code: errorCode(data) }, eventKey: endKey(type, entityId, data),
});

/** One end of a job: one that an administrator put back ends again, in a later epoch. */
const endKey = (type: string, jobId: string, data: Data): string => `${type}:${jobId}${typeof data['epoch'] === 'number' ? `:${data['epoch']}` : ''}`;

/** Who keeps a project going: its owners and admins. */
async function keepersOf({ db, members }: TellingDependencies, projectId: string | null | undefined): Promise<string[]> {
  if (projectId == null) return [];
  const people = await db.knex.transaction((trx) => members.people(trx, projectId));
  return people.filter(({ role }) => role !== 'member').map(({ user_id: userId }) => userId);
}

const taskOf = (data: Data, actorId: unknown): Record<string, unknown> => ({ ...pick(data, ['task_id', 'title', 'due_date']), actor_id: actorId ?? null });
const commentOf = (data: Data): Record<string, unknown> => pick(data, ['comment_id', 'entity_type', 'entity_id', 'author_id', 'excerpt']);
const mentionKey = (data: Data): string => `comment.mentioned:${text(data['comment_id'])}`;
const errorCode = (data: Data): unknown => (data['error'] as { code?: unknown } | null | undefined)?.code ?? data['error_code'] ?? null;

const pick = (data: Data, keys: readonly string[]): Record<string, unknown> => Object.fromEntries(keys.map((key) => [key, data[key] ?? null]));
const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const ids = (values: readonly unknown[]): string[] => [...new Set(values.filter((value) => typeof value === 'string'))];
/** Those of them who did not do it and are not told already. */
const others = (values: readonly unknown[], by: unknown, told: readonly string[] = []): string[] => ids(values).filter((id) => id !== by && !told.includes(id));

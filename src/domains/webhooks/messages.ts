/**
 * What each event is told as (the `webhooks` section of the contract). Events carry little more than ids, so the rest is
 * read when they are told; what the event knows itself stands as it was then. Of what is gone by then nothing is told.
 */
import type {
  CommentCreatedMessage, MemberAddedMessage, PreviewSucceededMessage, ProjectDeletedMessage, ProjectUpdatedMessage, TaskCreatedMessage, TaskUpdatedMessage,
  WebhookDisabledMessage, WebhookEventType,
} from '#generated/sdk/types.gen.ts';
import type { DomainEvent } from '#jobs/outbox.ts';
import type { Database } from '#platform/database.ts';
import { idTimeMs } from '#platform/ids.ts';
import { commentsToldSql, peopleToldSql, previewsToldSql, projectsToldSql, tasksToldSql } from './messages-queries.ts';

type Message = { readonly data: object };
type DataOf<M extends Message> = M['data'];
/** Of several events of one type what each says, in one statement; undefined of what is gone. */
type Composes = (events: readonly DomainEvent[], db: Database) => Promise<(event: DomainEvent) => object | undefined>;

type Project = DataOf<ProjectUpdatedMessage>['project'];
type Task = DataOf<TaskCreatedMessage>['task'];
type Comment = DataOf<CommentCreatedMessage>['comment'];
type Preview = DataOf<PreviewSucceededMessage>;

const projectFields = ['name', 'description', 'metadata', 'settings', 'tags', 'archived_at', 'owner_id', 'team_id'] as const;

const aboutProject: Composes = async (events, db) => {
  const found = await byId<Project>(db, 'webhooks.projects_told', projectsToldSql, events.map(({ entityId }) => entityId));
  return ({ entityId, userId, data }): DataOf<ProjectUpdatedMessage> | undefined => {
    const project = found.get(entityId);
    const changed = projectFields.filter((field) => Array.isArray(data['fields']) && data['fields'].includes(field));
    return project === undefined || changed.length === 0 ? undefined : { project, changed, changed_by: userId ?? null };
  };
};

/** The project is emptied soon: its event says it all. */
const aboutProjectEnd: Composes = () => Promise.resolve(({ entityId, userId, data }): DataOf<ProjectDeletedMessage> => ({
  project_id: entityId, name: data['name'] as string, deleted_by: userId ?? null, deleted_at: data['deleted_at'] as string,
}));

const aboutMember: Composes = async (events, db) => {
  const people = await byId<{ readonly id: string; readonly username: string }>(db, 'webhooks.people_told', peopleToldSql, events.map(({ entityId }) => entityId));
  return ({ entityId, data }): DataOf<MemberAddedMessage> | undefined => {
    const person = people.get(entityId);
    const { role, source, changed_by = null } = data as Partial<DataOf<MemberAddedMessage>>;
    if (person === undefined || role === undefined || source === undefined) return undefined;
    return { user_id: entityId, username: person.username, role, source, changed_by };
  };
};

/** The task as the event left it: its title, description, labels and what it waits for may have changed again. */
const taskOf = (row: Task | undefined, { data }: DomainEvent): Task | undefined => {
  if (row === undefined) return undefined;
  const { title, status, assignee_id, due_date, completed_at, updated_at } = { ...row, ...data } as unknown as Task;
  return { ...row, title, status, assignee_id, due_date, completed_at, updated_at };
};

const aboutTask: Composes = async (events, db) => {
  const found = await byId<Task>(db, 'webhooks.tasks_told', tasksToldSql, events.map(({ entityId }) => entityId));
  return (event): DataOf<TaskCreatedMessage> | DataOf<TaskUpdatedMessage> | undefined => {
    const task = taskOf(found.get(event.entityId), event);
    const by = { changed_by: (event.data['changed_by'] as string | undefined) ?? null };
    if (task === undefined) return undefined;
    return event.type === 'task.updated' ? { task, changed: event.data['changed'] as DataOf<TaskUpdatedMessage>['changed'], ...by } : { task, ...by };
  };
};

const aboutComment: Composes = async (events, db) => {
  const found = await byId<Comment>(db, 'webhooks.comments_told', commentsToldSql, events.map(({ entityId }) => entityId));
  return ({ entityId }): DataOf<CommentCreatedMessage> | undefined => {
    const comment = found.get(entityId);
    return comment === undefined ? undefined : { comment };
  };
};

type PreviewTold = Omit<Preview, 'job_id' | 'status' | 'error' | 'completed_at'> & {
  readonly id: string; readonly error_code: string | null; readonly error_message: string | null; readonly completed_at: string | null;
};

const aboutPreview: Composes = async (events, db) => {
  const found = await byId<PreviewTold>(db, 'webhooks.previews_told', previewsToldSql, events.map(({ entityId }) => entityId));
  return (event): Preview | undefined => {
    const job = found.get(event.entityId);
    if (job === undefined) return undefined;
    const status = event.data['status'] as Preview['status'];
    const isDone = status === 'succeeded';
    // A dead job that an administrator has put back meanwhile stands in its row as one that begins.
    const error = { code: job.error_code ?? (event.data['error_code'] as string | null) ?? 'INTERNAL_ERROR', message: job.error_message ?? '' };
    return {
      job_id: job.id, requested_by: job.requested_by, status, target_platform: job.target_platform, environment: job.environment, commit: job.commit,
      bundle_bytes: isDone ? job.bundle_bytes : null, error: isDone ? null : error,
      queued_at: job.queued_at, started_at: job.started_at, completed_at: job.completed_at ?? momentOf(event),
    };
  };
};

const aboutEndpoint: Composes = () => Promise.resolve(({ entityId, data }): DataOf<WebhookDisabledMessage> => ({
  webhook_id: entityId, reason: data['reason'] as DataOf<WebhookDisabledMessage>['reason'], disabled_at: data['disabled_at'] as string,
}));

/** Every type that has a domain by now, but for tests, which nothing but testWebhook makes. */
export const composers: ReadonlyMap<WebhookEventType, Composes> = new Map<WebhookEventType, Composes>([
  ['project.updated', aboutProject],
  ['project.deleted', aboutProjectEnd],
  ['member.added', aboutMember],
  ['member.removed', aboutMember],
  ['task.created', aboutTask],
  ['task.updated', aboutTask],
  ['task.completed', aboutTask],
  ['comment.created', aboutComment],
  ['preview.succeeded', aboutPreview],
  ['preview.failed', aboutPreview],
  ['webhook.disabled', aboutEndpoint],
]);

/** When an event happened: when it was emitted. */
export const momentOf = ({ id }: DomainEvent): string => new Date(id === undefined ? Date.now() : idTimeMs(id)).toISOString();

async function byId<Row extends { readonly id: string }>(db: Database, name: string, sql: string, ids: readonly string[]): Promise<ReadonlyMap<string, Row>> {
  const rows = await db.named<Row>(name, sql, [[...new Set(ids)]]);
  return new Map(rows.map((row) => [row.id, row]));
}

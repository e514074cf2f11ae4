/** What became of a task, for the audit and for whoever hangs on its events. Pure. */
import type { DomainEvent } from '#jobs/outbox.ts';
import type { StoredTask } from './rows.ts';

/** The fields people change, as webhooks name them. */
export type ChangedField = 'title' | 'description' | 'status' | 'assignee_id' | 'due_date';
const fields: readonly ChangedField[] = ['title', 'description', 'status', 'assignee_id', 'due_date'];

export const changedFields = (before: StoredTask, after: StoredTask): ChangedField[] => fields.filter((field) => before[field] !== after[field]);

/** Old and new values for the audit. Of a description only that it changed: it may be long. */
export function auditData(before: StoredTask, after: StoredTask, changed: readonly ChangedField[]): Record<string, unknown> {
  const told = changed.filter((field) => field !== 'description');
  const valuesIn = (task: StoredTask): Record<string, unknown> => Object.fromEntries(told.map((field) => [field, task[field]]));
  return { changed, from: valuesIn(before), to: valuesIn(after) };
}

/**
 * What every event of a task carries: enough to tell a person of it when the task has changed again or is gone. Not its
 * description, which may be long, nor what stands in other rows: webhooks read those when they are sent.
 */
const told = (type: string, task: StoredTask, by: string, more: Readonly<Record<string, unknown>> = {}): DomainEvent => ({
  type, entityId: task.id, projectId: task.project_id, userId: by,
  data: {
    task_id: task.id, title: task.title, status: task.status, assignee_id: task.assignee_id, created_by: task.created_by, due_date: task.due_date,
    completed_at: task.completed_at, created_at: task.created_at, updated_at: task.updated_at, changed_by: by, ...more,
  },
});

/** `task.created`, and with it that somebody has it to do, or that it is done already. */
export const creationEvents = (task: StoredTask, by: string): DomainEvent[] => [
  told('task.created', task, by),
  ...(task.assignee_id === null ? [] : [assigned(task, by, null)]),
  ...(task.status === 'done' ? [told('task.completed', task, by)] : []),
];

/** `task.updated` with the fields; `task.completed` and `task.assigned` beside it where that is what changed. */
export const changeEvents = (before: StoredTask, after: StoredTask, changed: readonly ChangedField[], by: string): DomainEvent[] => [
  told('task.updated', after, by, { changed }),
  ...(changed.includes('status') && after.status === 'done' ? [told('task.completed', after, by)] : []),
  ...(changed.includes('assignee_id') && after.assignee_id !== null ? [assigned(after, by, before.assignee_id)] : []),
];

/** Told whoever assigned it: that nobody is notified of what they did themselves is for those who notify. */
const assigned = (task: StoredTask, by: string, before: string | null): DomainEvent => told('task.assigned', task, by, { by, previous_assignee_id: before });

/** A label was put on or taken off. */
export const labelsEvent = (task: StoredTask, by: string): DomainEvent => told('task.updated', task, by, { changed: ['labels'] });

/** The last event of a task: whatever hangs on it goes too. */
export const deletionEvent = (task: StoredTask, by: string): DomainEvent => told('task.deleted', task, by, { deleted_by: by });

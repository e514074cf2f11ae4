/** What a task may come to be: who has it to do, what it carries, and when it may be done. */
import type { Knex } from 'knex';
import type { TaskLabelSummary, TaskStatus } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import type { ProjectMembershipService } from '../projects/membership-service.ts';
import { keepLabelsSql, linkLabelsSql } from './labels-queries.ts';
import { holdDependenciesSql } from './queries.ts';
import type { StoredTask } from './rows.ts';

/** Refuses an assignee who cannot open the project now. */
export async function requireAssignable(
  members: Pick<ProjectMembershipService, 'activeMembers'>, trx: Knex.Transaction, projectId: string, assigneeId: string | null,
): Promise<void> {
  if (assigneeId === null) return;
  const active = await members.activeMembers(projectId, [assigneeId], trx);
  if (active.size > 0) return;
  throw new ServiceError('VALIDATION_ERROR', 'The assignee is not an active member of the project.', {
    details: [{ pointer: '#/body/assignee_id', message: 'is not an active member of the project', rule: 'member' }],
  });
}

/** Refuses a date that is of another year than the contract knows when it is in UTC and rounded: as it was stored. */
export function requireKnownYear({ due_date: dueDate }: Pick<StoredTask, 'due_date'>): void {
  if (dueDate === null || /^[12]\d{3}-/.test(dueDate)) return;
  throw new ServiceError('VALIDATION_ERROR', 'The due date is not within the years 1000 to 2999, UTC.', {
    details: [{ pointer: '#/body/due_date', message: 'must be within the years 1000 to 2999, UTC', rule: 'year' }],
  });
}

/** Refuses that a task becomes done before what it waits for; those rows stay as they are until the commit. */
export async function requireUnblocked(db: Pick<Database, 'namedIn'>, trx: Knex.Transaction, taskId: string): Promise<void> {
  const dependencies = await db.namedIn<{ id: string; status: TaskStatus }>(trx, 'tasks.hold_dependencies', holdDependenciesSql, [taskId]);
  const blocking = dependencies.filter(({ status }) => status !== 'done' && status !== 'cancelled').map(({ id }) => id);
  if (blocking.length === 0) return;
  throw new ServiceError('CONFLICT', 'Finish what this task depends on first.', { details: { blocking_task_ids: blocking } });
}

/** Puts labels on a new task and answers them by name. One of another project is refused like one that does not exist. */
export async function takeLabels(db: Pick<Database, 'namedIn'>, trx: Knex.Transaction, task: StoredTask, labelIds: readonly string[]): Promise<TaskLabelSummary[]> {
  if (labelIds.length === 0) return [];
  const wanted = labelIds.map((id) => id.toLowerCase());
  const labels = await db.namedIn<TaskLabelSummary>(trx, 'labels.keep', keepLabelsSql, [task.project_id, wanted]);
  const known = new Set(labels.map(({ id }) => id));
  const faults = wanted.flatMap((id, index) =>
    (known.has(id) ? [] : [{ pointer: `#/body/label_ids/${index}`, message: 'is not a label of the project', rule: 'label' }]));
  if (faults.length > 0) throw new ServiceError('VALIDATION_ERROR', 'Some of these are no labels of the project.', { details: faults });
  await db.namedIn(trx, 'labels.link', linkLabelsSql, [task.id, [...known]]);
  return labels;
}

/** The stamp of being done: set by whatever becomes it, taken away by what leaves it. */
export function completedAt(trx: Knex.Transaction, before: TaskStatus, after: TaskStatus | undefined): { completed_at?: Knex.Raw | null } {
  if (after === undefined || (after === 'done') === (before === 'done')) return {};
  return { completed_at: after === 'done' ? trx.fn.now() : null };
}

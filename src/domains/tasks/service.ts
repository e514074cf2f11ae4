import type { Knex } from 'knex';
import type { TaskCreate, TaskLabelSummary, TaskPage, TaskUpdate } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type PageQuery, pageOf } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import type { CommentDeletionService } from '../comments/deletion-service.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import type { ProjectMembershipService } from '../projects/membership-service.ts';
import type { AttachmentErasing } from './attachment-erasing.ts';
import { auditData, changedFields, changeEvents, creationEvents, deletionEvent } from './changes.ts';
import { completedAt, requireAssignable, requireKnownYear, requireUnblocked, takeLabels } from './intake.ts';
import { keyOf, readPlace, type TaskQuery, wholeFilters } from './listing.ts';
import { insertTaskSql, lockTaskSql, taskByIdSql, taskCount, taskPage } from './queries.ts';
import { requireVersion, type StoredTask, taskEtag, type TaskRow, type Versioned, versionedTask } from './rows.ts';

export interface TaskDependencies {
  readonly db: Database;
  readonly members: Pick<ProjectMembershipService, 'activeMembers'>;
  readonly erasing: AttachmentErasing;
  readonly comments: Pick<CommentDeletionService, 'removeOf'>;
}

/** A task as others refer to it: comments, notifications, webhooks. */
export interface TaskSubject extends Pick<StoredTask, 'id' | 'project_id' | 'title' | 'assignee_id' | 'created_by'> {}

export class TaskService {
  readonly #on: TaskDependencies;

  constructor(dependencies: TaskDependencies) {
    this.#on = dependencies;
  }

  /** A project's tasks in the order asked for. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, projectId: string, query: PageQuery & TaskQuery): Promise<TaskPage> {
    const { db } = this.#on;
    const access = await requireRoleOn(db, call, 'project', projectId);
    const filters = wholeFilters(query);
    const bound = { ...filters, project_id: access.projectId, sort: query.sort };
    const after = readPlace(query, bound);
    const page = taskPage(access.projectId, filters, query.sort, { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after });
    const rows = await db.named<TaskRow & { readonly sort_key?: string }>(page.name, page.text, page.values);
    const count = taskCount(access.projectId, filters);
    const [counted] = after === null ? await db.named<{ total: number }>(count.name, count.text, count.values) : [];
    return pageOf(rows, query, bound, counted?.total ?? null, keyOf(query.sort));
  }

  /** A new task of the caller's, with its labels. Six statements at most beside the policy's. */
  async create(call: Call, projectId: string, body: TaskCreate): Promise<Versioned<TaskRow>> {
    const { db, members } = this.#on;
    const access = await requireRoleOn(db, call, 'project', projectId);
    const userId = requireSelf(call);
    const { title, description = null, status = 'todo', assignee_id: assigneeId = null, due_date: dueDate = null, label_ids: labelIds = [] } = body;
    const entity = await transact(db, call, async (trx) => {
      await requireAssignable(members, trx, access.projectId, assigneeId);
      const [row] = await db.namedIn<StoredTask>(trx, 'tasks.insert', insertTaskSql, [
        newId(), access.projectId, title, description, status, assigneeId, dueDate, userId,
      ]);
      if (row === undefined) throw new Error('a new task has a row');
      requireKnownYear(row);
      const labels: TaskLabelSummary[] = await takeLabels(db, trx, row, labelIds);
      const data = { title, status: row.status, assignee_id: row.assignee_id, due_date: row.due_date, label_ids: labels.map(({ id }) => id) };
      await audit(trx, call, { event_type: 'task.created', entity_type: 'task', entity_id: row.id, project_id: row.project_id, data });
      await emit(trx, ...creationEvents(row, userId));
      return { ...row, labels, is_blocked: false };
    }, taskEtag);
    return versionedTask(entity);
  }

  async get(call: Call, taskId: string): Promise<Versioned<TaskRow>> {
    await requireRoleOn(this.#on.db, call, 'task', taskId);
    const [row] = await this.#on.db.named<TaskRow>('tasks.by_id', taskByIdSql, [taskId]);
    if (row === undefined) throw notFound();
    return versionedTask(row);
  }

  /**
   * Merges. Becoming done takes that nothing is unfinished which it waits for: its own row is locked, so that no
   * dependency is added meanwhile, and the rows it waits for are kept as they are until the commit, so that none is
   * reopened. Locks follow the edges, which have no circle, so two such changes never wait for each other.
   */
  async update(call: Call, taskId: string, body: TaskUpdate): Promise<Versioned<TaskRow>> {
    const { db } = this.#on;
    await requireRoleOn(db, call, 'task', taskId);
    const userId = requireSelf(call);
    return transact(db, null, async (trx) => {
      const before = await this.#lock(trx, call, taskId);
      const after = await this.#change(trx, before, body);
      const changed = changedFields(before, after);
      if (changed.length > 0) {
        const data = auditData(before, after, changed);
        await audit(trx, call, { event_type: 'task.updated', entity_type: 'task', entity_id: after.id, project_id: after.project_id, data });
        await emit(trx, ...changeEvents(before, after, changed, userId));
      }
      const [row] = await db.namedIn<TaskRow>(trx, 'tasks.by_id', taskByIdSql, [taskId]);
      if (row === undefined) throw notFound();
      return versionedTask(row);
    });
  }

  /** Takes along what hangs on it; stored bytes go by a job. */
  async remove(call: Call, taskId: string): Promise<void> {
    const { db, erasing, comments } = this.#on;
    await requireRoleOn(db, call, 'task', taskId);
    const userId = requireSelf(call);
    await transact(db, null, async (trx) => {
      const task = await this.#lock(trx, call, taskId);
      await comments.removeOf(trx, 'task', task.id);
      await erasing.removeOf(trx, task.id);
      await trx('tasks').where({ id: task.id }).delete();
      await audit(trx, call, { event_type: 'task.deleted', entity_type: 'task', entity_id: task.id, project_id: task.project_id, data: { title: task.title, status: task.status } });
      await emit(trx, deletionEvent(task, userId));
    });
  }

  /** What others refer to, for other domains after they asked the policy; those that are gone are left out. One statement. */
  async subjects(taskIds: readonly string[], trx: Knex.Transaction | null = null): Promise<TaskSubject[]> {
    const sql = 'select id, project_id, title, assignee_id, created_by from tasks where id = any($1::uuid[])';
    return trx === null
      ? this.#on.db.named<TaskSubject>('tasks.subjects', sql, [taskIds])
      : this.#on.db.namedIn<TaskSubject>(trx, 'tasks.subjects', sql, [taskIds]);
  }

  /** The row under the call's If-Match, locked until the commit. */
  async #lock(trx: Knex.Transaction, call: Call, taskId: string): Promise<StoredTask> {
    const [task] = await this.#on.db.namedIn<StoredTask>(trx, 'tasks.lock', lockTaskSql, [taskId]);
    if (task === undefined) throw notFound();
    requireVersion(call.ifMatch, task.row_version);
    return task;
  }

  async #change(trx: Knex.Transaction, before: StoredTask, body: TaskUpdate): Promise<StoredTask> {
    const { db, members } = this.#on;
    const assigneeId = body.assignee_id?.toLowerCase() ?? null;
    // One who has left since stays where nobody touches it.
    if (assigneeId !== before.assignee_id) await requireAssignable(members, trx, before.project_id, assigneeId);
    if (body.status === 'done' && before.status !== 'done') await requireUnblocked(db, trx, before.id);
    const fields = { ...body, ...completedAt(trx, before.status, body.status) };
    const [after] = await trx('tasks').where({ id: before.id }).update(fields).returning<StoredTask[]>('*');
    if (after === undefined) throw notFound();
    requireKnownYear(after);
    return after;
  }
}

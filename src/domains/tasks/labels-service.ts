import type { Knex } from 'knex';
import type { TaskLabel, TaskLabelCreate, TaskLabelPage, TaskLabelUpdate } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, sqlState, transact, violatedConstraint } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import { labelsEvent } from './changes.ts';
import { countLabelsSql, labelOnTaskSql, linkLabelsSql, listLabelsSql, lockLabelSql, touchTaskSql } from './labels-queries.ts';
import { lockTaskGraph } from './locks.ts';
import { holdTaskSql } from './queries.ts';
import { requireVersion, type StoredTask, type Versioned } from './rows.ts';

interface LabelRow extends TaskLabel { readonly row_version: number }

const labelsInProject = 500;
const labelsOnTask = 50;

/** Names in lower case; the bar divides the parts of a cursor. */
const isKey = (text: string): boolean => text.isWellFormed() && text.length <= 200;
const etagOf = (row: LabelRow): string => String(row.row_version);
const versioned = (entity: LabelRow): Versioned<LabelRow> => ({ entity, etag: etagOf(entity) });

/** The labels of a project, and which of its tasks carry them. */
export class LabelService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By name. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, projectId: string, query: PageQuery): Promise<TaskLabelPage> {
    const { projectId: id } = await requireRoleOn(this.#db, call, 'project', projectId);
    const filters = { labels_of: id };
    const after = readCursor(query, filters, isKey);
    const rows = await this.#db.named<LabelRow & { readonly sort_key: string }>('labels.list', listLabelsSql, [
      id, after?.at.replaceAll('\0', '|') ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [counted] = after === null ? await this.#db.named<{ total: number }>('labels.count', countLabelsSql, [id]) : [];
    return pageOf(rows, query, filters, counted?.total ?? null, (row) => ({ at: row.sort_key.replaceAll('|', '\0'), id: row.id }));
  }

  /** CONFLICT where the name is taken or the project has all it may have, also when the last place is raced for. */
  async create(call: Call, projectId: string, { name, color }: TaskLabelCreate): Promise<Versioned<LabelRow>> {
    const { projectId: id } = await requireRoleOn(this.#db, call, 'project', projectId);
    const entity = await transact(this.#db, call, async (trx) => {
      await lockTaskGraph(this.#db, trx, id);
      const [counted] = await this.#db.namedIn<{ total: number }>(trx, 'labels.count', countLabelsSql, [id]);
      if ((counted?.total ?? 0) >= labelsInProject) {
        throw new ServiceError('CONFLICT', `A project has at most ${labelsInProject} labels.`, { details: { allowed: labelsInProject } });
      }
      const label = await named(async () => {
        const [row] = await trx('task_labels').insert({ id: newId(), project_id: id, name, color }).returning<LabelRow[]>('*');
        return row;
      });
      await audit(trx, call, { event_type: 'label.created', entity_type: 'label', entity_id: label.id, project_id: id, data: { name, color } });
      return label;
    }, etagOf);
    return versioned(entity);
  }

  /** Merges; every task that carries it shows it at once. */
  async update(call: Call, labelId: string, body: TaskLabelUpdate): Promise<Versioned<LabelRow>> {
    await requireRoleOn(this.#db, call, 'label', labelId);
    return transact(this.#db, null, async (trx) => {
      const before = await this.#lock(trx, call, labelId);
      const after = await named(async () => {
        const [row] = await trx('task_labels').where({ id: before.id }).update(body).returning<LabelRow[]>('*');
        return row;
      });
      if (after.row_version !== before.row_version) {
        const data = { from: { name: before.name, color: before.color }, to: { name: after.name, color: after.color } };
        await audit(trx, call, { event_type: 'label.updated', entity_type: 'label', entity_id: after.id, project_id: after.project_id, data });
      }
      return versioned(after);
    });
  }

  /** Takes it off every task. */
  async remove(call: Call, labelId: string): Promise<void> {
    await requireRoleOn(this.#db, call, 'label', labelId);
    await transact(this.#db, null, async (trx) => {
      const { id, project_id: projectId, name, color } = await this.#lock(trx, call, labelId);
      await trx('task_labels').where({ id }).delete();
      await audit(trx, call, { event_type: 'label.deleted', entity_type: 'label', entity_id: id, project_id: projectId, data: { name, color } });
    });
  }

  /** Puts a label on a task; a change of the task. Where it is on already nothing happens. */
  async attach(call: Call, taskId: string, labelId: string): Promise<void> {
    const { projectId } = await requireRoleOn(this.#db, call, 'task', taskId);
    const userId = requireSelf(call);
    await transact(this.#db, null, async (trx) => {
      await this.#hold(trx, taskId);
      const [label] = await this.#db.namedIn<{ id: string; name: string; is_on: boolean; used: number }>(trx, 'labels.on_task', labelOnTaskSql, [taskId, labelId, projectId]);
      if (label === undefined) throw notFound();
      if (label.is_on) return;
      if (label.used >= labelsOnTask) {
        throw new ServiceError('CONFLICT', `A task carries at most ${labelsOnTask} labels.`, { details: { allowed: labelsOnTask } });
      }
      await this.#db.namedIn(trx, 'labels.link', linkLabelsSql, [taskId, [label.id]]);
      await this.#changed(trx, call, userId, 'task.label_attached', taskId, { label_id: label.id, name: label.name });
    });
  }

  /** Takes a label off a task; where it is not on it nothing happens. */
  async detach(call: Call, taskId: string, labelId: string): Promise<void> {
    await requireRoleOn(this.#db, call, 'task', taskId);
    const userId = requireSelf(call);
    await transact(this.#db, null, async (trx) => {
      await this.#hold(trx, taskId);
      const gone = await trx('task_label_links').where({ task_id: taskId, label_id: labelId }).delete();
      if (gone > 0) await this.#changed(trx, call, userId, 'task.label_detached', taskId, { label_id: labelId.toLowerCase() });
    });
  }

  /** What a task carries is counted and changed by one at a time. */
  async #hold(trx: Knex.Transaction, taskId: string): Promise<void> {
    const [held] = await this.#db.namedIn<{ id: string }>(trx, 'tasks.hold', holdTaskSql, [taskId]);
    if (held === undefined) throw notFound();
  }

  async #changed(trx: Knex.Transaction, call: Call, userId: string, type: string, taskId: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    const [task] = await this.#db.namedIn<StoredTask>(trx, 'tasks.touch', touchTaskSql, [taskId]);
    if (task === undefined) throw notFound();
    await audit(trx, call, { event_type: type, entity_type: 'task', entity_id: task.id, project_id: task.project_id, data });
    await emit(trx, labelsEvent(task, userId));
  }

  async #lock(trx: Knex.Transaction, call: Call, labelId: string): Promise<LabelRow> {
    const [label] = await this.#db.namedIn<LabelRow>(trx, 'labels.lock', lockLabelSql, [labelId]);
    if (label === undefined) throw notFound();
    requireVersion(call.ifMatch, label.row_version);
    return label;
  }
}

/** Writes a name: taken is CONFLICT, upper and lower case being one. */
async function named(write: () => Promise<LabelRow | undefined>): Promise<LabelRow> {
  try {
    const row = await write();
    if (row === undefined) throw notFound();
    return row;
  } catch (error) {
    if (sqlState(error) !== '23505' || violatedConstraint(error) !== 'task_labels_name_key') throw error;
    throw new ServiceError('CONFLICT', 'The project has a label of this name.', { details: { field: 'name' } });
  }
}

import type { Knex } from 'knex';
import type { TaskDependency, TaskDependencyPage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireRole, requireRoleOn } from '../policy.ts';
import { countDependenciesSql, edgeSql, holdPairSql, listDependenciesSql, reachesSql, waysSql } from './dependencies-queries.ts';
import { lockTaskGraph } from './locks.ts';

const dependenciesOfTask = 100;
/** A task that waits for more than this many, over others too, takes no more: the walk for a circle is bounded (9,000 tasks in a chain: 70 ms; 70,000 edges: 150 ms). */
const walkBound = 10_000;

/** What tasks wait for: a graph within each project that never has a circle. */
export class DependencyService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** In the order they were added. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, taskId: string, query: PageQuery): Promise<TaskDependencyPage> {
    const { id } = await requireRoleOn(this.#db, call, 'task', taskId);
    const filters = { dependencies_of: id };
    const after = readCursor(query, filters);
    const rows = await this.#db.named<TaskDependency>('dependencies.list', listDependenciesSql, [
      id, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [counted] = after === null ? await this.#db.named<{ total: number }>('dependencies.count', countDependenciesSql, [id]) : [];
    return pageOf(rows, query, filters, counted?.total ?? null, (row) => ({ at: row.created_at, id: row.depends_on_task_id }));
  }

  /**
   * Makes a task wait for another of its project; where it does already nothing happens. One edge of a project is added
   * at a time, so that of two which close a circle together the second finds the first.
   */
  async add(call: Call, taskId: string, dependsOnTaskId: string): Promise<void> {
    const [one, other = one] = await requireRole(this.#db, call, 'task', [taskId, dependsOnTaskId]);
    if (one === undefined || other === undefined || one.projectId !== other.projectId) throw notFound();
    const [task, dependsOn] = [taskId.toLowerCase(), dependsOnTaskId.toLowerCase()];
    if (task === dependsOn) throw circle([task, task]);
    await transact(this.#db, null, async (trx) => {
      await lockTaskGraph(this.#db, trx, one.projectId);
      const [held] = await this.#db.namedIn(trx, 'dependencies.hold', holdPairSql, [task, dependsOn]);
      if (held === undefined) throw notFound();
      const [edge] = await this.#db.namedIn<{ stands: boolean; used: number }>(trx, 'dependencies.edge', edgeSql, [task, dependsOn]);
      if (edge?.stands === true) return;
      if ((edge?.used ?? 0) >= dependenciesOfTask) {
        throw new ServiceError('CONFLICT', `A task depends on at most ${dependenciesOfTask} others.`, { details: { allowed: dependenciesOfTask } });
      }
      await this.#requireNoCircle(trx, task, dependsOn);
      await trx('task_dependencies').insert({ task_id: task, depends_on_task_id: dependsOn });
      await audit(trx, call, {
        event_type: 'task.dependency_added', entity_type: 'task', entity_id: task, project_id: one.projectId, data: { depends_on_task_id: dependsOn },
      });
    });
  }

  /** Takes a dependency away; where there is none nothing happens. */
  async remove(call: Call, taskId: string, dependsOnTaskId: string): Promise<void> {
    const { id, projectId } = await requireRoleOn(this.#db, call, 'task', taskId);
    await transact(this.#db, null, async (trx) => {
      const gone = await trx('task_dependencies').where({ task_id: id, depends_on_task_id: dependsOnTaskId }).delete();
      if (gone === 0) return;
      await audit(trx, call, {
        event_type: 'task.dependency_removed', entity_type: 'task', entity_id: id, project_id: projectId, data: { depends_on_task_id: dependsOnTaskId.toLowerCase() },
      });
    });
  }

  /** Refuses an edge to a task that waits for this one already, over however many others, and names the way. */
  async #requireNoCircle(trx: Knex.Transaction, task: string, dependsOn: string): Promise<void> {
    const [walk] = await this.#db.namedIn<{ closes: boolean; walked: number }>(trx, 'dependencies.reaches', reachesSql, [dependsOn, walkBound + 1, task]);
    if (walk?.closes === true) {
      const ways = await this.#db.namedIn<{ id: string; waits: string }>(trx, 'dependencies.ways', waysSql, [dependsOn, walkBound + 1]);
      throw circle([task, ...wayTo(task, dependsOn, new Map(ways.map(({ id, waits }) => [id, waits])))]);
    }
    if ((walk?.walked ?? 0) > walkBound) {
      throw new ServiceError('CONFLICT', `A task waits for at most ${walkBound} others, those counted that the others wait for.`, { details: { allowed: walkBound } });
    }
  }
}

/** From `first`, which waits for the next and so on, to `last`: walked backwards by who waits for whom. */
function wayTo(last: string, first: string, waits: ReadonlyMap<string, string>): string[] {
  const way = [last];
  for (let at = last; at !== first;) {
    const before = waits.get(at);
    if (before === undefined || way.length > walkBound) throw new Error('A way that was found is not there.');
    way.push(before);
    at = before;
  }
  return way.reverse();
}

const circle = (cycle: readonly string[]): ServiceError => new ServiceError('CONFLICT', 'The tasks would wait for each other in a circle.', { details: { cycle } });

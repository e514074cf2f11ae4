/** The SQL of tasks: one, and the pages and counts of a project's. */
import type { Binding } from '#platform/database.ts';
import { countBound, type Keyset } from '#platform/paging.ts';

/**
 * What a task waits for and what it carries stand in other rows; both are read with it, whatever the number of tasks. Not
 * `exists`, which PostgreSQL may answer for a page by reading all tasks and dependencies that there are.
 */
const around = `
  coalesce((select json_agg(json_build_object('id', l.id, 'name', l.name, 'color', l.color) order by lower(l.name) collate "C", l.id)
              from task_label_links k join task_labels l on l.id = k.label_id where k.task_id = t.id), '[]') as labels,
  coalesce((select true from task_dependencies d join tasks b on b.id = d.depends_on_task_id
             where d.task_id = t.id and b.status not in ('done', 'cancelled') limit 1), false) as is_blocked`;
const own = [
  'id', 'project_id', 'title', 'description', 'status', 'assignee_id', 'due_date', 'created_by', 'completed_at', 'row_version', 'created_at', 'updated_at',
].map((column) => `t.${column}`).join(', ');

export const taskByIdSql = `select ${own}, ${around} from tasks t where t.id = $1`;

/** The row alone, kept from every other change until the commit. */
export const lockTaskSql = `select ${own} from tasks t where t.id = $1 for no key update`;

/** What hangs on the task (labels, attachments, edges) is counted and added by one at a time. */
export const holdTaskSql = 'select t.id, t.project_id from tasks t where t.id = $1 for no key update';

/**
 * What a task waits for, finished or not, kept as it is until the commit. The unfinished alone would not do: one that is
 * finished now could be reopened while the task becomes done.
 */
export const holdDependenciesSql = `
  select b.id, b.status from task_dependencies d join tasks b on b.id = d.depends_on_task_id
   where d.task_id = $1 order by b.id for share of b`;

export const insertTaskSql = `
  insert into tasks as t (id, project_id, title, description, status, assignee_id, due_date, created_by, completed_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, case when $5 = 'done' then now() end) returning ${own}`;

export type TaskSort = 'created_at' | '-created_at' | 'updated_at' | '-updated_at' | 'due_date' | '-due_date' | 'title' | '-title';

/** Every filter narrows; null leaves out. */
export interface TaskFilters {
  readonly status: readonly string[] | null;
  readonly assignee_id: string | null;
  readonly label_id: string | null;
  readonly due_before: string | null;
  readonly due_after: string | null;
  readonly q: string | null;
  readonly ids: readonly string[] | null;
}

/** A statement with its values. One without filters has a name; one with some is planned anew for what it is asked. */
export interface Statement { readonly name: string; readonly text: string; readonly values: readonly Binding[] }

interface Order {
  readonly key: string;
  readonly type: string;
  readonly direction: 'asc' | 'desc';
  /** What the key is where the task has none: after all others in this direction. */
  readonly none: string;
}

const timeOrder = (key: string, direction: Order['direction']): Order => ({ key, type: 'timestamptz', direction, none: '' });
/** As long as fits a cursor: 175 characters of four bytes. Titles that agree so far stand by their ids. */
const titleKey = 'left(lower(t.title), 175) collate "C"';
/** Each as the index of its direction has it (migrations/0021_tasks.ts). */
const orders: Readonly<Record<TaskSort, Order>> = {
  created_at: timeOrder('t.created_at', 'asc'),
  '-created_at': timeOrder('t.created_at', 'desc'),
  updated_at: timeOrder('t.updated_at', 'asc'),
  '-updated_at': timeOrder('t.updated_at', 'desc'),
  due_date: { key: "coalesce(t.due_date, 'infinity'::timestamptz)", type: 'timestamptz', direction: 'asc', none: 'infinity' },
  '-due_date': { key: "coalesce(t.due_date, '-infinity'::timestamptz)", type: 'timestamptz', direction: 'desc', none: '-infinity' },
  title: { key: titleKey, type: 'text', direction: 'asc', none: '' },
  '-title': { key: titleKey, type: 'text', direction: 'desc', none: '' },
};

/** In place of a due date in a cursor. */
export const noDate = 'none';

/** A page in the order of `sort`, one row more than asked for; with each task the key its cursor would have as `sort_key`, under titles. */
export function taskPage(projectId: string, filters: TaskFilters, sort: TaskSort, page: { limit: number; offset: number; after: Keyset | null }): Statement {
  const { key, type, direction, none } = orders[sort];
  const values: Binding[] = [];
  const bind = (value: Binding): string => `$${values.push(value)}`;
  const conditions = conditionsOf(projectId, filters, bind);
  if (page.after !== null) {
    const at = page.after.at === noDate ? none : page.after.at;
    conditions.push(`(${key}, t.id) ${direction === 'asc' ? '>' : '<'} (${bind(at)}::${type}, ${bind(page.after.id)}::uuid)`);
  }
  const order = `order by ${key} ${direction}, t.id ${direction}`;
  // Labels and blocks are looked up for the rows of the page alone, not for those that an offset passes over.
  const text = `
    select ${own}, ${around}${type === 'text' ? `, ${key} as sort_key` : ''}
      from (select * from tasks t where ${conditions.join(' and ')} ${order} limit ${bind(page.limit + 1)} offset ${bind(page.offset)}) t ${order}`;
  return { name: isUnfiltered(filters) ? `tasks.page.${sort}${page.after === null ? '' : '.after'}` : '', text, values };
}

/** How many there are, counted no further than one beyond the bound that the contract promises. */
export function taskCount(projectId: string, filters: TaskFilters): Statement {
  const values: Binding[] = [];
  const bind = (value: Binding): string => `$${values.push(value)}`;
  const conditions = conditionsOf(projectId, filters, bind);
  const text = `select count(*) as total from (select 1 from tasks t where ${conditions.join(' and ')} limit ${countBound + 1}) as bounded`;
  return { name: isUnfiltered(filters) ? 'tasks.count' : '', text, values };
}

const isUnfiltered = (filters: TaskFilters): boolean => Object.values(filters).every((value) => value === null);

function conditionsOf(projectId: string, filters: TaskFilters, bind: (value: Binding) => string): string[] {
  const { status, assignee_id: assigneeId, label_id: labelId, due_before: before, due_after: after, q, ids } = filters;
  const conditions = [`t.project_id = ${bind(projectId)}`];
  if (status !== null) conditions.push(status.length === 1 ? `t.status = ${bind(status[0] ?? '')}` : `t.status = any(${bind(status)}::text[])`);
  if (assigneeId !== null) conditions.push(`t.assignee_id = ${bind(assigneeId)}`);
  if (labelId !== null) conditions.push(`exists (select 1 from task_label_links k where k.task_id = t.id and k.label_id = ${bind(labelId)})`);
  // In the words of the indexes; a task without a date is before nothing and after nothing.
  if (before !== null) conditions.push(`${orders.due_date.key} < ${bind(before)}::timestamptz`);
  if (after !== null) conditions.push(`${orders['-due_date'].key} >= ${bind(after)}::timestamptz`);
  if (q !== null) conditions.push(`t.title ilike ${bind(`%${q.replace(/[\\%_]/g, '\\$&')}%`)}`);
  if (ids !== null) conditions.push(`t.id = any(${bind(ids)}::uuid[])`);
  return conditions;
}

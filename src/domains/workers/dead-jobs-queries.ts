/** The SQL of dead jobs: those of workers and of the system's own in one list. Each part reads its own index in the list's order. */
import type { JobKind } from '#jobs/kinds.ts';
import { queueName } from '#platform/queue.ts';

export interface DeadJobRow {
  readonly job_id: string;
  readonly kind: string;
  readonly project_id: string | null;
  readonly requested_by: string | null;
  readonly queue: string;
  readonly attempts: number;
  readonly worker_id: string | null;
  readonly failure_kind: string;
  readonly failure_message: string;
  readonly created_at: string;
  readonly died_at: string;
  readonly retried_at: string | null;
}

const ofWorkers = ({ kind, table }: Pick<JobKind, 'kind' | 'table'>): string => `
  select id as job_id, '${kind}' as kind, project_id, requested_by, queue_class || '_tasks_' || queue_priority as queue, attempt as attempts, worker_id,
         coalesce(failure ->> 'kind', 'crashed') as failure_kind, coalesce(failure ->> 'message', '') as failure_message, created_at, died_at, retried_at
    from ${table} where died_at is not null`;
const ofSystem = `
  select id as job_id, kind, null::uuid as project_id, null::uuid as requested_by, '${queueName('system', 'normal')}' as queue, attempt as attempts, null::uuid as worker_id,
         coalesce(failure_kind, 'error') as failure_kind, coalesce(error_message, '') as failure_message, created_at, died_at, retried_at
    from system_jobs where died_at is not null`;

export interface DeadJobFilters {
  readonly kind?: string | undefined;
  readonly project_id?: string | undefined;
}

export type WorkerKinds = readonly Pick<JobKind, 'kind' | 'table'>[];

/** Which tables can hold what is asked for, each with its conditions; none where nothing can. Their texts are a handful, whatever is asked. */
function partsOf(kinds: WorkerKinds, { kind, project_id }: DeadJobFilters): { readonly text: string; readonly values: readonly string[] }[] {
  const ofKinds = kinds.filter((one) => kind === undefined || one.kind === kind).map(ofWorkers);
  const isSystem = kinds.every((one) => one.kind !== kind) && project_id === undefined;
  return [
    ...ofKinds.map((text) => (project_id === undefined ? { text, values: [] } : { text: `${text} and project_id = ?`, values: [project_id] })),
    ...(isSystem ? [kind === undefined ? { text: ofSystem, values: [] } : { text: `${ofSystem} and kind = ?`, values: [kind] }] : []),
  ];
}

export interface DeadJobsSql { readonly text: string; readonly values: readonly (string | number)[] }

/** A page, newest first by when they died, one row more than asked for. Each part is cut before they are merged. */
export function listDeadJobsSql(
  kinds: WorkerKinds, filters: DeadJobFilters, page: { readonly limit: number; readonly offset: number; readonly after: { readonly at: string; readonly id: string } | null },
): DeadJobsSql {
  const parts = partsOf(kinds, filters).map(({ text, values }) => ({
    text: `(${text}${page.after === null ? '' : ' and (died_at, id) < (?, ?)'} order by died_at desc, id desc limit ?)`,
    values: [...values, ...(page.after === null ? [] : [page.after.at, page.after.id]), page.offset + page.limit + 1],
  }));
  return {
    text: `select * from (${parts.map(({ text }) => text).join(' union all ')}) found order by died_at desc, job_id desc limit ? offset ?`,
    values: [...parts.flatMap(({ values }) => values), page.limit + 1, page.offset],
  };
}

export function countDeadJobsSql(kinds: WorkerKinds, filters: DeadJobFilters, most: number): DeadJobsSql {
  const parts = partsOf(kinds, filters);
  return {
    text: `select count(*) as total from (${parts.map(({ text }) => `(${text})`).join(' union all ')} limit ?) bounded`,
    values: [...parts.flatMap(({ values }) => values), most],
  };
}

/** Any job of a table, dead or not, its row locked. */
export const lockWorkerJobSql = ({ table }: Pick<JobKind, 'table'>): string => `select * from ${table} where id = $1 for update`;
export const deadWorkerJobSql = (kind: Pick<JobKind, 'kind' | 'table'>): string => `${ofWorkers(kind)} and id = $1`;
export const lockSystemJobSql = 'select id, retried_at, died_at from system_jobs where id = $1 for update';
export const deadSystemJobSql = `${ofSystem} and id = $1`;

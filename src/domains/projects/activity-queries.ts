/** The SQL of what happened in a project. */
import type { Binding } from '#platform/database.ts';
import { countBound, type Keyset } from '#platform/paging.ts';

/** Every filter narrows; null leaves out. */
export interface ActivityFilters {
  readonly event_type: string | null;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly user_id: string | null;
  readonly since: string | null;
  readonly until: string | null;
}

/** A statement with its values. One without filters has a name; one with some is planned anew for what it is asked. */
export interface Statement { readonly name: string; readonly text: string; readonly values: readonly Binding[] }

/** What of the audit somebody may see: of one project, and there the events of these families; null for all. */
export interface View { readonly projectId: string; readonly families: readonly string[] | null }

/** A page, newest first, one row more than asked for. Addresses and requests are not even read. */
export function activityPage(view: View, filters: ActivityFilters, page: { limit: number; offset: number; after: Keyset | null }): Statement {
  const values: Binding[] = [];
  const bind = (value: Binding): string => `$${values.push(value)}`;
  const conditions = conditionsOf(view, filters, bind);
  if (page.after !== null) conditions.push(`(l.created_at, l.id) < (${bind(page.after.at)}::timestamptz, ${bind(page.after.id)}::uuid)`);
  const order = 'order by l.created_at desc, l.id desc';
  // Names are looked up for the rows of the page alone, not for those that an offset passes over.
  const text = `
    select l.id, l.project_id, l.user_id, case when u.deleted_at is null then u.username end as username,
           l.event_type, l.entity_type, l.entity_id, l.data, l.created_at
      from (select * from audit_logs l where ${conditions.join(' and ')} ${order} limit ${bind(page.limit + 1)} offset ${bind(page.offset)}) l
      left join users u on u.id = l.user_id ${order}`;
  return { name: nameOf('projects.activity', view, filters, page.after === null ? '' : '.after'), text, values };
}

/** How many there are, counted no further than one beyond the bound that the contract promises. */
export function activityCount(view: View, filters: ActivityFilters): Statement {
  const values: Binding[] = [];
  const bind = (value: Binding): string => `$${values.push(value)}`;
  const conditions = conditionsOf(view, filters, bind);
  const text = `select count(*) as total from (select 1 from audit_logs l where ${conditions.join(' and ')} limit ${countBound + 1}) as bounded`;
  return { name: nameOf('projects.count_activity', view, filters, ''), text, values };
}

const nameOf = (name: string, { families }: View, filters: ActivityFilters, suffix: string): string =>
  (Object.values(filters).every((value) => value === null) ? `${name}${families === null ? '.all' : ''}${suffix}` : '');

function conditionsOf({ projectId, families }: View, filters: ActivityFilters, bind: (value: Binding) => string): string[] {
  const conditions = [`l.project_id = ${bind(projectId)}`];
  if (families !== null) conditions.push(`split_part(l.event_type, '.', 1) = any(${bind(families)}::text[])`);
  if (filters.event_type !== null) conditions.push(`l.event_type = ${bind(filters.event_type)}`);
  if (filters.entity_type !== null) conditions.push(`l.entity_type = ${bind(filters.entity_type)}`);
  if (filters.entity_id !== null) conditions.push(`l.entity_id = ${bind(filters.entity_id)}::uuid`);
  if (filters.user_id !== null) conditions.push(`l.user_id = ${bind(filters.user_id)}::uuid`);
  if (filters.since !== null) conditions.push(`l.created_at >= ${bind(filters.since)}::timestamptz`);
  if (filters.until !== null) conditions.push(`l.created_at < ${bind(filters.until)}::timestamptz`);
  return conditions;
}

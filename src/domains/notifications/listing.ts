/** The SQL of somebody's list of notifications: pages and counts under every filter. */
import type { Notification } from '#generated/sdk/types.gen.ts';
import type { Binding } from '#platform/database.ts';
import { countBound, type Keyset } from '#platform/paging.ts';

export const columns = 'n.id, n.user_id, n.project_id, n.type, n.payload, n.read_at is not null as is_read, n.read_at, n.created_at';
export type NotificationRow = Notification;

/** Every filter narrows; null leaves out. Of `projects` an API key's restriction is part. */
export interface NotificationFilters {
  readonly unread: boolean | null;
  readonly types: readonly string[] | null;
  readonly projects: readonly string[] | null;
}

/** A statement with its values. One without filters has a name; one with some is planned anew for what it is asked. */
export interface Statement { readonly name: string; readonly text: string; readonly values: readonly Binding[] }

const order = 'order by n.created_at desc, n.id desc';

/**
 * A page, newest first, one row more than asked for. Of certain projects or types each has its newest taken from an index
 * of its own and the few are merged, so that one that is rare among very many is found as fast as any. What is unread
 * has an index that holds nothing else, and is few.
 */
export function notificationPage(userId: string, filters: NotificationFilters, page: { limit: number; offset: number; after: Keyset | null }): Statement {
  const values: Binding[] = [];
  const bind = (value: Binding): string => `$${values.push(value)}`;
  const user = bind(userId);
  const [limit, offset] = [bind(page.limit + 1), bind(page.offset)];
  const conditions = [`n.user_id = ${user}`, 'n.in_app', ...readConditions(filters)];
  if (page.after !== null) conditions.push(`(n.created_at, n.id) < (${bind(page.after.at)}::timestamptz, ${bind(page.after.id)}::uuid)`);
  const { projects, types } = filters;
  const merged = filters.unread === true ? null : projects !== null ? { of: projects, column: 'project_id', type: 'uuid' } : types !== null ? { of: types, column: 'type', type: 'text' } : null;
  if (types !== null && merged?.column !== 'type') conditions.push(`n.type = any(${bind(types)}::text[])`);
  if (projects !== null && merged?.column !== 'project_id') conditions.push(`n.project_id = any(${bind(projects)}::uuid[])`);
  const name = isUnfiltered(filters) ? `notifications.page${page.after === null ? '' : '.after'}` : '';
  if (merged === null) return { name, values, text: `select ${columns} from notifications n where ${conditions.join(' and ')} ${order} limit ${limit} offset ${offset}` };
  conditions.push(`n.${merged.column} = one.of`);
  return { name, values, text: `
    select ${columns} from unnest(${bind(merged.of)}::${merged.type}[]) as one (of)
      cross join lateral (select * from notifications n where ${conditions.join(' and ')} ${order} limit ${limit}::bigint + ${offset}::bigint) n
     ${order} limit ${limit} offset ${offset}` };
}

/** How many there are, counted no further than one beyond the bound that the contract promises. */
export function notificationCount(userId: string, filters: NotificationFilters): Statement {
  const values: Binding[] = [userId];
  const conditions = ['n.user_id = $1', 'n.in_app', ...readConditions(filters)];
  if (filters.types !== null) conditions.push(`n.type = any($${values.push(filters.types)}::text[])`);
  if (filters.projects !== null) conditions.push(`n.project_id = any($${values.push(filters.projects)}::uuid[])`);
  // What a badge asks for again and again has names too.
  const name = isUnfiltered(filters) ? 'notifications.count'
    : filters.unread === true && filters.types === null ? `notifications.count_unread${filters.projects === null ? '' : '.of_projects'}` : '';
  return { name, values, text: `select count(*) as total from (select 1 from notifications n where ${conditions.join(' and ')} limit ${countBound + 1}) as bounded` };
}

const readConditions = ({ unread }: NotificationFilters): string[] => (unread === null ? [] : [`n.read_at is ${unread ? 'null' : 'not null'}`]);
const isUnfiltered = ({ unread, types, projects }: NotificationFilters): boolean => unread === null && types === null && projects === null;

/** Marks one; nothing where it is read already or not to be seen. */
export const markReadSql = `
  update notifications n set read_at = now()
   where n.id = $1 and n.user_id = $2 and n.in_app and n.read_at is null and ($3::uuid[] is null or n.project_id = any($3)) returning ${columns}`;

export const notificationByIdSql = `
  select ${columns} from notifications n where n.id = $1 and n.user_id = $2 and n.in_app and ($3::uuid[] is null or n.project_id = any($3))`;

/** Marks so many of the unread ones made at a moment or earlier, the newest first. */
export const markAllReadSql = `
  with unread as (
    select n.id from notifications n
     where n.user_id = $1 and n.read_at is null and n.in_app and ($2::timestamptz is null or n.created_at <= $2) and ($3::uuid[] is null or n.project_id = any($3))
     ${order} limit $4 for no key update
  ), marked as (
    update notifications n set read_at = now() from unread where n.id = unread.id and n.read_at is null returning 1
  )
  select count(*) as marked, (select count(*) from unread) as found from marked`;

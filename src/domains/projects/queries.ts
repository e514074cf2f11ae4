/** The SQL of the projects domain's hot reads: each runs as a named statement. */
import type { Knex } from 'knex';
import type { Keyset } from '#platform/paging.ts';
import { countBound } from '#platform/paging.ts';

/** One project as `$2` sees it; its role is the policy's answer and not computed again. */
export const projectByIdSql = `
  select p.id, p.owner_id, p.team_id, p.name, p.description, p.metadata, p.settings, p.row_version,
         p.archived_at, p.created_at, p.updated_at,
         exists (select 1 from project_favorites f where f.project_id = p.id and f.user_id = $2) as is_favorite,
         coalesce((select json_agg(json_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name) collate "C")
                     from project_tags t where t.project_id = p.id), '[]') as tags
    from projects p
   where p.id = $1 and p.deleted_at is null`;

export const projectSettingsSql = 'select settings from projects where id = $1 and deleted_at is null';
export const settingsOfEachSql = 'select id, settings from projects where id = any($1::uuid[]) and deleted_at is null';

/** What a change is told by, as it was before. */
export const lockToChangeSql = 'select row_version, name, archived_at from projects where id = $1 and deleted_at is null for no key update';

export interface ProjectFilters {
  readonly team_id?: string | undefined;
  readonly tag?: string | undefined;
  readonly favorite?: boolean | undefined;
  readonly archived: boolean;
  readonly q?: string | undefined;
}

const columns = [
  'p.id', 'p.owner_id', 'p.team_id', 'p.name', 'p.description', 'p.metadata', 'p.row_version',
  'p.archived_at', 'p.created_at', 'p.updated_at',
];

/** Everything the caller may see under these filters, without order or bounds. One statement serves page and count. */
function visible(knex: Knex, userId: string, only: readonly string[] | null, filters: ProjectFilters): Knex.QueryBuilder {
  const query = knex('projects as p')
    .leftJoin('team_members as tm', (on) => on.on('tm.team_id', 'p.team_id').andOnVal('tm.user_id', userId).andOnVal('tm.status', 'active'))
    .leftJoin('project_members as pm', (on) => on.on('pm.project_id', 'p.id').andOnVal('pm.user_id', userId).andOnVal('pm.status', 'active'))
    .whereNull('p.deleted_at')
    // Each way on the project's own columns, so that their indexes find the rows: by what the joins find, all projects of everybody would be read.
    .where((who) => {
      who.where('p.owner_id', userId)
        .orWhereRaw("p.team_id = any(array(select team_id from team_members where user_id = ? and status = 'active'))", [userId])
        .orWhereRaw("p.id = any(array(select project_id from project_members where user_id = ? and status = 'active'))", [userId]);
    });
  if (only !== null) query.whereIn('p.id', only);
  if (filters.archived) query.whereNotNull('p.archived_at');
  else query.whereNull('p.archived_at');
  if (filters.team_id !== undefined) query.where('p.team_id', filters.team_id);
  if (filters.q !== undefined) query.whereILike('p.name', `%${filters.q.replace(/[\\%_]/g, '\\$&')}%`);
  if (filters.favorite !== undefined) {
    const marked = knex('project_favorites as f').where('f.project_id', knex.ref('p.id')).where('f.user_id', userId).select(knex.raw('1'));
    if (filters.favorite) query.whereExists(marked);
    else query.whereNotExists(marked);
  }
  if (filters.tag !== undefined) {
    // Looked up for each project that the caller sees; as an exists it would be joined with that tag of everybody.
    query.whereRaw('lower(?) = any(array(select lower(t.name) from project_tags t where t.project_id = p.id))', [filters.tag]);
  }
  return query;
}

/** A page, newest first, one row more than asked for so that the caller knows whether there is a next one. */
export function listProjects(
  knex: Knex,
  userId: string,
  only: readonly string[] | null,
  filters: ProjectFilters,
  page: { limit: number; offset: number; after: Keyset | null },
): Knex.QueryBuilder {
  const query = visible(knex, userId, only, filters)
    .select(columns)
    .select(
      knex.raw(`case greatest(case when p.owner_id = ? then 3 end,
        case tm.role when 'Owner' then 3 when 'Admin' then 2 when 'Member' then 1 end,
        case pm.role when 'Owner' then 3 when 'Member' then 1 end)
        when 3 then 'owner' when 2 then 'admin' else 'member' end as role`, [userId]),
      knex.raw('exists (select 1 from project_favorites f where f.project_id = p.id and f.user_id = ?) as is_favorite', [userId]),
      knex.raw(`coalesce((select json_agg(json_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name) collate "C")
        from project_tags t where t.project_id = p.id), '[]') as tags`),
    )
    .orderBy([{ column: 'p.created_at', order: 'desc' }, { column: 'p.id', order: 'desc' }])
    .limit(page.limit + 1)
    .offset(page.offset);
  if (page.after !== null) query.whereRaw('(p.created_at, p.id) < (?, ?)', [page.after.at, page.after.id]);
  return query;
}

/** How many there are, counted no further than one beyond the bound that the contract promises. */
export function countProjects(knex: Knex, userId: string, only: readonly string[] | null, filters: ProjectFilters): Knex.QueryBuilder {
  const bounded = visible(knex, userId, only, filters).select(knex.raw('1')).limit(countBound + 1).as('bounded');
  return knex.from(bounded).count({ total: '*' });
}

/** The SQL of a project's tags. */
const columns = 't.id, t.project_id, t.name, t.color, t.row_version';
const byName = 'lower(t.name) collate "C"';

/** By name after $2, $3 where a walk goes on. A project has few enough of them to sort. */
export const listTagsSql = `
  select ${columns}, ${byName} as sort_key from project_tags t
   where t.project_id = $1 and ($2::text is null or (${byName}, t.id) > ($2 collate "C", $3::uuid))
   order by ${byName}, t.id limit $4 offset $5`;

export const countTagsSql = 'select count(*) as total from project_tags where project_id = $1';

/** A project's tags are counted and changed by one at a time. */
export const holdProjectSql = 'select id from projects where id = $1 and deleted_at is null for no key update';

export const lockTagSql = `select ${columns} from project_tags t where t.id = $1 and t.project_id = $2 for update`;

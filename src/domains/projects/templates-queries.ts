/** The SQL of project templates: those that are active, in the operators' order. */
const columns = 't.id, t.name, t.description, t.framework, t.settings, t.labels, t.tasks, t.created_at, t.updated_at';

/** After position $1 and id $2 where a walk goes on. */
export const listTemplatesSql = `
  select ${columns}, t.position from project_templates t
   where t.is_active and ($1::integer is null or (t.position, t.id) > ($1, $2::uuid))
   order by t.position, t.id limit $3 offset $4`;

export const countTemplatesSql = 'select count(*) as total from project_templates where is_active';

/** One, as it is until the commit. */
export const takeTemplateSql = `select ${columns} from project_templates t where t.id = $1 and t.is_active for share`;

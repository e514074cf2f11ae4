/** The SQL of labels, and of which task carries which. */
const columns = 'l.id, l.project_id, l.name, l.color, l.row_version, l.created_at, l.updated_at';
const byName = 'lower(l.name) collate "C"';

/** By name after $2, $3 where a walk goes on; the name is in lower case, as the unique index has it. */
export const listLabelsSql = `
  select ${columns}, ${byName} as sort_key from task_labels l
   where l.project_id = $1 and ($2::text is null or (${byName}, l.id) > ($2 collate "C", $3::uuid))
   order by ${byName}, l.id limit $4 offset $5`;

export const countLabelsSql = 'select count(*) as total from task_labels where project_id = $1';

export const lockLabelSql = `select ${columns} from task_labels l where l.id = $1 for no key update`;

/** Of these labels those of the project, by name, kept until the commit: a link to one that is going would fail. */
export const keepLabelsSql = `
  select l.id, l.name, l.color from task_labels l
   where l.project_id = $1 and l.id = any($2::uuid[]) order by ${byName}, l.id for key share`;

export const linkLabelsSql = 'insert into task_label_links (task_id, label_id) select $1, label_id from unnest($2::uuid[]) as label_id';

/** What is asked before a label is put on: whether it is one of the project, whether it is on already, and how many there are. */
export const labelOnTaskSql = `
  select l.id, l.name,
         exists (select 1 from task_label_links k where k.task_id = $1 and k.label_id = l.id) as is_on,
         (select count(*) from task_label_links k where k.task_id = $1) as used
    from task_labels l where l.id = $2 and l.project_id = $3 for key share of l`;

/** Moves the task's version: what it carries is part of it. */
export const touchTaskSql = 'update tasks set updated_at = now() where id = $1 returning *';

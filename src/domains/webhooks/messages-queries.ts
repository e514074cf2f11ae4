/** What messages say of the things that events name: each statement reads any number of things by their ids. What is gone is not answered. */

export const projectsToldSql = `
  select id, owner_id, team_id, name, description, archived_at, created_at, updated_at from projects where id = any($1::uuid[]) and deleted_at is null`;

export const peopleToldSql = 'select id, username from users where id = any($1::uuid[])';

export const tasksToldSql = `
  select t.id, t.project_id, t.title, t.description, t.status, t.assignee_id, t.due_date,
         coalesce((select json_agg(json_build_object('id', l.id, 'name', l.name, 'color', l.color) order by lower(l.name) collate "C", l.id)
                     from task_label_links k join task_labels l on l.id = k.label_id where k.task_id = t.id), '[]') as labels,
         coalesce((select true from task_dependencies d join tasks b on b.id = d.depends_on_task_id
                    where d.task_id = t.id and b.status not in ('done', 'cancelled') limit 1), false) as is_blocked,
         t.created_by, t.completed_at, t.created_at, t.updated_at
    from tasks t where t.id = any($1::uuid[])`;

export const commentsToldSql = `
  select c.id, c.parent_id, c.entity_type, c.entity_id, c.anchor, c.author_id, c.body,
         coalesce((select json_agg(json_build_object('user_id', m.user_id, 'username', u.username) order by m.position)
                     from comment_mentions m join users u on u.id = m.user_id where m.comment_id = c.id and m.position is not null), '[]') as mentions,
         c.created_at
    from comments c where c.id = any($1::uuid[]) and c.deleted_at is null`;

export const previewsToldSql = `
  select id, requested_by, target_platform, environment, "commit", bundle_bytes, failure ->> 'code' as error_code, left(failure ->> 'message', 1000) as error_message,
         queued_at, started_at, completed_at
    from preview_jobs where id = any($1::uuid[])`;

/** The comments of an account: those it wrote, those others wrote in its projects, and which it starred. */
import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, rowsById } from '../personal-data.ts';

/** Of what others wrote in its projects that and by whom alone: the words are theirs. An array, so that each way has its index. */
const commentsSql = `
  select c.id, c.project_id, c.parent_id, c.entity_type, c.entity_id, c.anchor, u.username as author, case when c.author_id = $1 then c.body end as body,
         c.deleted_at is not null as is_deleted, c.edited_at, c.created_at, c.updated_at
    from comments c join projects p on p.id = c.project_id and p.deleted_at is null left join users u on u.id = c.author_id
   where (c.author_id = $1 or c.project_id = any (array(select id from projects where owner_id = $1 and deleted_at is null))) and c.id > $2
   order by c.id limit ${batchSize}`;

const starsSql = `
  select s.comment_id as id, s.created_at from comment_stars s join comments c on c.id = s.comment_id join projects p on p.id = c.project_id and p.deleted_at is null
   where s.user_id = $1 and s.comment_id > $2 order by s.comment_id limit ${batchSize}`;

export const commentSections = (db: Database): ExportSection[] => [
  { name: 'comments', rows: (userId) => rowsById(db, 'export.comments', commentsSql, userId) },
  { name: 'comment_stars', rows: (userId) => rowsById(db, 'export.comment_stars', starsSql, userId) },
];

/** The SQL of one comment: read, written and locked. Of pages and counts: listing-queries.ts. */
const stored = [
  'id', 'project_id', 'parent_id', 'entity_type', 'entity_id', 'anchor', 'author_id', 'body', 'edited_at', 'row_version', 'created_at', 'updated_at',
].map((column) => `c.${column}`).join(', ');
export const own = `${stored}, c.deleted_at is not null as is_deleted`;

/**
 * What stands in other rows, read with the comment whatever the number of comments; `person` is the parameter with the
 * caller's id. Counted as it is read: nothing has to be kept in step, and no two who star at once wait for each other.
 */
export const around = (person: string): string => `
  coalesce((select json_agg(json_build_object('user_id', m.user_id, 'username', u.username) order by m.position)
              from comment_mentions m join users u on u.id = m.user_id where m.comment_id = c.id and m.position is not null), '[]') as mentions,
  (select count(*) from comments r where r.parent_id = c.id) as reply_count,
  (select count(*) from comment_stars s where s.comment_id = c.id) as star_count,
  coalesce((select true from comment_stars s where s.comment_id = c.id and s.user_id = ${person} limit 1), false) as is_starred`;

export const commentByIdSql = `select ${own}, ${around('$2')} from comments c where c.id = $1`;

/** What $1 is on, of the project $2 where one is asked for: that never changes, so no lock is needed to read it. */
export const placeOfSql = `
  select c.entity_type, c.entity_id, c.anchor from comments c where c.id = $1 and ($2::uuid is null or c.project_id = $2)`;

/**
 * Keeps what a comment is on until the commit: whoever deletes it with its comments waits, or has done so. This comes
 * before any comment is locked.
 */
export const holdTaskSql = 'select id, assignee_id, created_by from tasks where id = $1 and project_id = $2 for key share';
export const holdPreviewSql = 'select id from preview_jobs where id = $1 and project_id = $2 and deleted_at is null for key share';
/** The same for whoever deletes it. */
export const takeTaskSql = 'select id from tasks where id = $1 for update';
export const takePreviewSql = 'select id from preview_jobs where id = $1 for update';

/** Keeps a comment from being deleted until the commit; any number may hold it, and its author may edit it meanwhile. */
export const holdCommentSql = 'select c.author_id, c.depth, c.deleted_at is not null as is_deleted from comments c where c.id = $1 for key share';

/** Keeps a comment from every other change until the commit; replies and stars may come. */
export const lockCommentSql = `select ${own} from comments c where c.id = $1 for no key update`;

/** Has a comment alone until the commit: nobody replies to it, stars, changes or deletes it. */
export const takeCommentSql = `select ${own} from comments c where c.id = $1 for update`;

export const insertCommentSql = `
  insert into comments as c (id, project_id, parent_id, depth, entity_type, entity_id, anchor, author_id, body)
  values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9) returning ${own}`;

export const writeBodySql = `update comments c set body = $2, edited_at = now() where c.id = $1 returning ${own}`;

export const insertMentionsSql = `
  insert into comment_mentions (comment_id, user_id, position) select $1, user_id, at - 1 from unnest($2::uuid[]) with ordinality as wanted (user_id, at)`;

/** Has $1 mention these people in this order, and answers those it never mentioned before. */
export const replaceMentionsSql = `
  with wanted as (select user_id, at - 1 as position from unnest($2::uuid[]) with ordinality as wanted (user_id, at)),
  dropped as (update comment_mentions set position = null where comment_id = $1 and position is not null and user_id <> all ($2::uuid[])),
  kept as (update comment_mentions m set position = w.position from wanted w where m.comment_id = $1 and m.user_id = w.user_id returning m.user_id)
  insert into comment_mentions (comment_id, user_id, position)
  select $1, user_id, position from wanted where user_id not in (select user_id from comment_mentions where comment_id = $1) returning user_id`;

/** Accounts by their names in lower case. */
export const accountsByNameSql = `
  select id as user_id, username, lower(username) as name from users where lower(username) = any($1::text[]) and deleted_at is null`;

export const hasRepliesSql = 'select true as has_replies from comments where parent_id = $1 limit 1';

/** Erases what a comment says, who said it, whom it mentions and who starred it. */
export const emptySql = `
  with stars as (delete from comment_stars where comment_id = $1), mentions as (delete from comment_mentions where comment_id = $1)
  update comments set body = null, author_id = null, edited_at = null, deleted_at = now() where id = $1`;

/** Stars and mentions go with it. */
export const deleteCommentSql = 'delete from comments where id = $1';

/** Deletes a tombstone without replies, and answers what that was a reply to. Its row is locked before: replies are looked for as they are then. */
export const deleteTombstoneSql = `
  delete from comments c where c.id = $1 and c.deleted_at is not null and not exists (select 1 from comments r where r.parent_id = c.id) returning c.parent_id`;

/** Whole threads at once, so that none is left without what it replies to. */
export const deleteOfTaskSql = 'delete from comments where task_id = $1';
export const deleteOfPreviewSql = 'delete from comments where preview_job_id = $1';

export const starSql = 'insert into comment_stars (comment_id, user_id) values ($1, $2) on conflict do nothing';
export const unstarSql = 'delete from comment_stars where comment_id = $1 and user_id = $2';

/** The SQL of attachments. Hashes travel as lower-case hex and are stored as 32 bytes. */
const shown = `
  a.id, a.task_id, case when a.external_url is null then 'upload' else 'link' end as kind, case when a.uploaded_at is null then 'pending' else 'ready' end as status,
  a.name, a.external_url, a.content_type, a.size, encode(a.sha256, 'hex') as sha256, a.uploaded_by, a.uploaded_at, a.created_at`;

/** In the order they were added, after $2, $3 where a walk goes on; uploads that were not completed are left out. */
export const listAttachmentsSql = `
  select ${shown} from task_attachments a
   where a.task_id = $1 and a.uploaded_at is not null and ($2::timestamptz is null or (a.created_at, a.id) > ($2, $3::uuid))
   order by a.created_at, a.id limit $4 offset $5`;

export const countReadySql = 'select count(*) as total from task_attachments where task_id = $1 and uploaded_at is not null';

/** All that take a place: one that waits for its upload holds it. */
export const countAttachmentsSql = 'select count(*) as used, count(*) filter (where uploaded_at is null) as pending from task_attachments where task_id = $1';

/** A link is ready at once. */
export const insertAttachmentSql = `
  insert into task_attachments as a (id, task_id, name, external_url, object_key, content_type, size, sha256, uploaded_by, uploaded_at)
  values ($1, $2, $3, $4, $5, $6, $7, decode($8, 'hex'), $9, case when $4::text is not null then now() end) returning ${shown}`;

export const attachmentByIdSql = `select ${shown}, a.object_key, a.claimed_until > now() as is_claimed from task_attachments a where a.id = $1`;

/** Has an upload to oneself for $2 seconds; no row where somebody else has it, or where it is completed or gone. */
export const claimSql = `
  update task_attachments a set claimed_until = now() + make_interval(secs => $2)
   where a.id = $1 and a.external_url is null and a.uploaded_at is null and coalesce(a.claimed_until <= now(), true) returning ${shown}`;

export const releaseSql = 'update task_attachments set claimed_until = null where id = $1 and uploaded_at is null';

export const completeSql = `
  update task_attachments a set uploaded_at = now(), claimed_until = null where a.id = $1 and a.uploaded_at is null returning ${shown}`;

/** Whether something may be stored for it yet: URLs write for an hour, some minutes more for clocks that differ; or it is being moved. */
const isWritable = "object_key is not null and (created_at > now() - interval '65 minutes' or coalesce(claimed_until > now(), false)) as is_writable";

export const deleteAttachmentSql = `delete from task_attachments where id = $1 returning name, object_key, ${isWritable}`;

export const deleteAttachmentsOfTaskSql = `delete from task_attachments where task_id = $1 returning object_key, ${isWritable}`;

/** Uploads that nobody completed within a day, the oldest first; one that is being completed at this moment is left alone. */
export const deleteForgottenSql = `
  with forgotten as (
    select id from task_attachments
     where uploaded_at is null and created_at < now() - interval '1 day' and coalesce(claimed_until <= now(), true)
     order by created_at limit $1 for update skip locked
  )
  delete from task_attachments a using forgotten f where a.id = f.id returning a.object_key, false as is_writable`;

/** The tasks of an account: those of its projects, and those it made or has to do in other people's; and its attachments. */
import type { Database } from '#platform/database.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { batchSize, type ExportFiles, type ExportSection, rowsById } from '../personal-data.ts';

const own = 'p.owner_id = $1 and p.deleted_at is null';

const tasksSql = `
  select t.id, t.project_id, t.title, t.description, t.status, a.username as assignee, t.due_date, c.username as created_by, t.completed_at, t.created_at, t.updated_at,
         coalesce((select json_agg(json_build_object('name', l.name, 'color', l.color) order by lower(l.name)) from task_label_links k
                     join task_labels l on l.id = k.label_id where k.task_id = t.id), '[]') as labels,
         coalesce((select json_agg(d.depends_on_task_id order by d.created_at) from task_dependencies d where d.task_id = t.id), '[]') as depends_on
    from tasks t join projects p on p.id = t.project_id and p.deleted_at is null
    join users c on c.id = t.created_by left join users a on a.id = t.assignee_id
   where (p.owner_id = $1 or t.created_by = $1 or t.assignee_id = $1) and t.id > $2 order by t.id limit ${batchSize}`;

const attachmentsSql = `
  select f.id, f.task_id, f.name, f.external_url, f.content_type, f.size, encode(f.sha256, 'hex') as sha256, u.username as uploaded_by, f.uploaded_at, f.created_at
    from task_attachments f join tasks t on t.id = f.task_id join projects p on p.id = t.project_id and p.deleted_at is null join users u on u.id = f.uploaded_by
   where (p.owner_id = $1 or f.uploaded_by = $1) and f.id > $2 order by f.id limit ${batchSize}`;

const filesSql = `
  select f.id, f.name, f.size, f.object_key from task_attachments f join tasks t on t.id = f.task_id join projects p on p.id = t.project_id
   where ${own} and f.object_key is not null and f.uploaded_at is not null and f.id > $2 order by f.id limit ${batchSize}`;

export const taskSections = (db: Database): ExportSection[] => [
  { name: 'tasks', rows: (userId) => rowsById(db, 'export.tasks', tasksSql, userId) },
  { name: 'task_attachments', rows: (userId) => rowsById(db, 'export.task_attachments', attachmentsSql, userId) },
];

interface FileRow { readonly id: string; readonly name: string; readonly size: number; readonly object_key: string }

/** What was uploaded to tasks of the account's projects: `files/attachments/<id>/<name>`. */
export const taskFiles = (db: Database, storage: ObjectStorage): ExportFiles => async function* (userId) {
  for await (const { id, name, size, object_key: key } of rowsById(db, 'export.task_files', filesSql, userId) as AsyncIterable<FileRow>) {
    yield {
      // A name may be two dots, which is no name in an archive.
      path: `files/attachments/${id}/${/^\.{1,2}$/.test(name) ? 'file' : name}`, size,
      async open(signal) {
        try {
          return (await storage.get(key, { signal })).stream;
        } catch (error) {
          if (error instanceof StorageError && error.kind === 'not_found') return null;
          throw error;
        }
      },
    };
  }
};

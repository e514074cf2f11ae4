import type { Knex } from 'knex';
import type { AttachmentDownload, TaskAttachment, TaskAttachmentCreate, TaskAttachmentCreated, TaskAttachmentPage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import type { Announced, Arrivals } from './arrivals.ts';
import type { AttachmentErasing } from './attachment-erasing.ts';
import { attachmentByIdSql, countAttachmentsSql, countReadySql, insertAttachmentSql, listAttachmentsSql } from './attachments-queries.ts';
import type { Completing } from './completing.ts';
import { attachmentKey } from './keys.ts';
import { holdTaskSql } from './queries.ts';

const attachmentsOfTask = 100;
const downloadSeconds = 600;

export interface AttachmentDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly arrivals: Arrivals;
  readonly completing: Completing;
  readonly erasing: AttachmentErasing;
}

/** Links and files at tasks. */
export class AttachmentService {
  readonly #on: AttachmentDependencies;

  constructor(dependencies: AttachmentDependencies) {
    this.#on = dependencies;
  }

  /** In the order they were added. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, taskId: string, query: PageQuery): Promise<TaskAttachmentPage> {
    const { db } = this.#on;
    const { id } = await requireRoleOn(db, call, 'task', taskId);
    const filters = { attachments_of: id };
    const after = readCursor(query, filters);
    const rows = await db.named<TaskAttachment>('attachments.list', listAttachmentsSql, [
      id, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [counted] = after === null ? await db.named<{ total: number }>('attachments.count_ready', countReadySql, [id]) : [];
    return pageOf(rows, query, filters, counted?.total ?? null, (row) => ({ at: row.created_at, id: row.id }));
  }

  /** A link, which stands at once, or a place for an upload. CONFLICT where the task has all it may have. */
  async create(call: Call, taskId: string, body: TaskAttachmentCreate): Promise<TaskAttachmentCreated> {
    const { db, arrivals } = this.#on;
    const { id: task, projectId } = await requireRoleOn(db, call, 'task', taskId);
    const userId = requireSelf(call);
    const id = newId();
    const announced: Announced | null = 'upload' in body ? body.upload : null;
    const key = announced === null ? null : attachmentKey(projectId, id);
    // Storage comes before the transaction: presigning is local, yet no lock should wait for it.
    const put = announced === null || key === null ? null : await arrivals.presign(key, announced);
    const url = 'external_url' in body ? body.external_url : null;
    return transact(db, call, async (trx) => {
      await this.#requirePlace(trx, task);
      const [row] = await db.namedIn<TaskAttachment>(trx, 'attachments.insert', insertAttachmentSql, [
        id, task, body.name, url, key, announced?.content_type ?? null, announced?.size ?? null, announced?.sha256 ?? null, userId,
      ]);
      if (row === undefined) throw new Error('a new attachment has a row');
      const data = { task_id: task, kind: row.kind, name: row.name, content_type: row.content_type, size: row.size, sha256: row.sha256 };
      await audit(trx, call, { event_type: 'attachment.created', entity_type: 'attachment', entity_id: id, project_id: projectId, data });
      return { ...row, upload: put === null ? null : { upload_url: put.url, headers: { ...put.headers } } };
    });
  }

  /** Checks and keeps what was uploaded; answers alike when that was done already. */
  async complete(call: Call, attachmentId: string): Promise<TaskAttachment> {
    const { id, projectId } = await requireRoleOn(this.#on.db, call, 'attachment', attachmentId);
    return this.#on.completing.complete(call, id, projectId);
  }

  /** A URL of the bytes that works for ten minutes, or the link. */
  async download(call: Call, attachmentId: string): Promise<AttachmentDownload> {
    const { db, storage } = this.#on;
    await requireRoleOn(db, call, 'attachment', attachmentId);
    const [row] = await db.named<TaskAttachment & { object_key: string | null }>('attachments.by_id', attachmentByIdSql, [attachmentId]);
    if (row === undefined) throw notFound();
    if (row.external_url !== null) return { url: row.external_url, expires_in: null };
    if (row.status === 'pending' || row.object_key === null) {
      throw new ServiceError('CONFLICT', 'The upload is not completed. Send the bytes, then call completeAttachment.', { details: { status: row.status } });
    }
    const url = await storage.presignGet(row.object_key, { expiresSeconds: downloadSeconds, downloadName: row.name });
    return { url, expires_in: downloadSeconds };
  }

  /** The entry goes at once, the stored bytes by a job. */
  async remove(call: Call, attachmentId: string): Promise<void> {
    const { db, erasing } = this.#on;
    const { id, projectId } = await requireRoleOn(db, call, 'attachment', attachmentId);
    await transact(db, null, async (trx) => {
      const gone = await erasing.remove(trx, id);
      if (gone === undefined) throw notFound();
      await audit(trx, call, { event_type: 'attachment.deleted', entity_type: 'attachment', entity_id: id, project_id: projectId, data: { name: gone.name } });
    });
  }

  /** Under the task's lock, so that the last place is given once. */
  async #requirePlace(trx: Knex.Transaction, taskId: string): Promise<void> {
    const { db } = this.#on;
    const [held] = await db.namedIn(trx, 'tasks.hold', holdTaskSql, [taskId]);
    if (held === undefined) throw notFound();
    const [count] = await db.namedIn<{ used: number; pending: number }>(trx, 'attachments.count', countAttachmentsSql, [taskId]);
    if ((count?.used ?? 0) < attachmentsOfTask) return;
    throw new ServiceError('CONFLICT', `A task has at most ${attachmentsOfTask} attachments, uploads that are awaited counted.`, {
      details: { allowed: attachmentsOfTask, pending: count?.pending ?? 0 },
    });
  }
}

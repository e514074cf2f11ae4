/**
 * Completing uploads: whatever comes at once, one request verifies and moves, and no database connection waits for
 * storage meanwhile. The request that may do so claims the row; the others look at it until it is over.
 */
import type { TaskAttachment } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { pause } from '#platform/deadline.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import type { Announced, Arrival, Arrivals } from './arrivals.ts';
import type { AttachmentErasing } from './attachment-erasing.ts';
import { attachmentByIdSql, claimSql, completeSql, releaseSql } from './attachments-queries.ts';
import { arrivalOf, attachmentKey } from './keys.ts';

/** Longer than storage takes to answer or to be given up: a process that dies leaves its claim to run out. */
const claimSeconds = 90;
const lookAgainMs = { first: 25, most: 500 };
const waitMs = 20_000;

interface Dependencies { readonly db: Database; readonly arrivals: Arrivals; readonly erasing: AttachmentErasing }
type Held = TaskAttachment & { readonly is_claimed: boolean | null };

export class Completing {
  readonly #on: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
  }

  /** After the policy was asked. */
  async complete(call: Call, attachmentId: string, projectId: string): Promise<TaskAttachment> {
    const endAt = performance.now() + waitMs;
    for (let lookMs = lookAgainMs.first; ; lookMs = Math.min(lookMs * 2, lookAgainMs.most)) {
      const held = await this.#read(attachmentId);
      if (held.kind === 'link') throw new ServiceError('CONFLICT', 'This is a link: there is nothing to complete.', { details: { kind: held.kind } });
      if (held.status === 'ready') return held;
      const claimed = held.is_claimed === true ? undefined : await this.#claim(attachmentId);
      if (claimed !== undefined) return this.#receive(call, claimed, projectId);
      if (performance.now() > endAt) {
        throw new ServiceError('STORAGE_ERROR', 'Another request is completing this upload and storage is slow. Call again.', { retryAfterSeconds: 5 });
      }
      await pause(lookMs, call.signal);
    }
  }

  async #read(attachmentId: string): Promise<Held> {
    const [held] = await this.#on.db.named<Held>('attachments.by_id', attachmentByIdSql, [attachmentId]);
    if (held === undefined) throw notFound();
    return held;
  }

  async #claim(attachmentId: string): Promise<TaskAttachment | undefined> {
    const [claimed] = await this.#on.db.named<TaskAttachment>('attachments.claim', claimSql, [attachmentId, claimSeconds]);
    return claimed;
  }

  async #receive(call: Call, attachment: TaskAttachment, projectId: string): Promise<TaskAttachment> {
    const key = attachmentKey(projectId, attachment.id);
    try {
      requireMoved(await this.#on.arrivals.receive(key, announcedOf(attachment)));
      return await this.#keep(call, attachment.id, projectId, key);
    } catch (error) {
      // Whatever failed, the next one need not wait until the claim runs out: what was moved is found at its place.
      await this.#on.db.named('attachments.release', releaseSql, [attachment.id]);
      throw error;
    }
  }

  /** It is at its place: the row says so, once. One that was deleted meanwhile is erased after all. */
  async #keep(call: Call, attachmentId: string, projectId: string, key: string): Promise<TaskAttachment> {
    const { db, erasing } = this.#on;
    const kept = await transact(db, null, async (trx) => {
      const [row] = await db.namedIn<TaskAttachment>(trx, 'attachments.complete', completeSql, [attachmentId]);
      if (row === undefined) return undefined;
      await erasing.eraseArrivals(trx, arrivalOf(key));
      const data = { task_id: row.task_id, name: row.name, size: row.size, sha256: row.sha256 };
      await audit(trx, call, { event_type: 'attachment.completed', entity_type: 'attachment', entity_id: row.id, project_id: projectId, data });
      return row;
    });
    // Gone, its deletion asked for this key again at a later time; or another claim came first when ours had run out.
    return kept ?? this.#read(attachmentId);
  }
}

const announcedOf = ({ content_type: contentType, size, sha256 }: TaskAttachment): Announced => {
  if (contentType === null || size === null || sha256 === null) throw new Error('an upload says what it will be');
  return { content_type: contentType, size, sha256 };
};

function requireMoved(arrival: Arrival): void {
  if (arrival === 'absent') throw new ServiceError('CONFLICT', 'Nothing was uploaded. PUT the bytes to the upload URL first.', { details: { reason: 'not_uploaded' } });
  if (arrival === 'different') throw new ServiceError('CONFLICT', 'What was uploaded is not what was announced. Upload it again.', { details: { reason: 'differs' } });
}

import type { Knex } from 'knex';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf, type Role } from '../policy.ts';
import { deletionEvent } from './changes.ts';
import {
  deleteCommentSql, deleteOfPreviewSql, deleteOfTaskSql, deleteTombstoneSql, emptySql, hasRepliesSql, holdPreviewSql, holdTaskSql, placeOfSql, takeCommentSql, takePreviewSql, takeTaskSql,
} from './queries.ts';
import { type Place, requireVersion, type StoredComment } from './rows.ts';

/**
 * The end of comments. Locks are taken in one order: what the comment is on, the comment, then what it replies to and
 * upwards; so two who delete in one thread never wait for each other in a circle. Whoever replies or stars holds the
 * comment meanwhile, and is waited for.
 */
export class CommentDeletionService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** With replies it becomes a tombstone; without, it goes, and every tombstone above it whose last reply that was. */
  async remove(call: Call, commentId: string): Promise<void> {
    const db = this.#db;
    const { projectId, role } = await requireRoleOn(db, call, 'comment', commentId);
    const userId = requireSelf(call);
    await transact(db, null, async (trx) => {
      await this.#holdThing(trx, commentId, projectId);
      const [comment] = await db.namedIn<StoredComment>(trx, 'comments.take', takeCommentSql, [commentId]);
      if (comment === undefined) throw notFound();
      // Whatever version the caller holds: it is as it was asked to be.
      if (comment.is_deleted) return;
      requireSay(comment, userId, role);
      requireVersion(call.ifMatch, comment.row_version);
      // Looked for under the lock: who replied before is seen, and nobody replies now.
      const [replies] = await db.namedIn(trx, 'comments.has_replies', hasRepliesSql, [comment.id]);
      const isTombstone = replies !== undefined;
      if (isTombstone) await db.namedIn(trx, 'comments.empty', emptySql, [comment.id]);
      else await this.#delete(trx, comment);
      const { entity_type, entity_id, parent_id, author_id } = comment;
      const data = { entity_type, entity_id, parent_id, author_id, is_tombstone: isTombstone };
      await audit(trx, call, { event_type: 'comment.deleted', entity_type: 'comment', entity_id: comment.id, project_id: comment.project_id, data });
      await emit(trx, deletionEvent(comment, userId, isTombstone));
    });
  }

  /**
   * Deletes all comments on a task or preview, in the transaction that deletes that. Whoever writes one at this moment is
   * waited for, and nobody writes another. 10,000 comments, most with a star: 0.15 s (0.65 s under load).
   */
  async removeOf(trx: Knex.Transaction, type: 'task' | 'preview', id: string): Promise<void> {
    const db = this.#db;
    const [take, remove] = type === 'task' ? [takeTaskSql, deleteOfTaskSql] : [takePreviewSql, deleteOfPreviewSql];
    await db.namedIn(trx, `comments.take_${type}`, take, [id]);
    await db.namedIn(trx, `comments.delete_of_${type}`, remove, [id]);
  }

  /** Where it is on a task or preview that is being deleted, that comes first. */
  async #holdThing(trx: Knex.Transaction, commentId: string, projectId: string): Promise<void> {
    const db = this.#db;
    const [place] = await db.namedIn<Place>(trx, 'comments.place', placeOfSql, [commentId, null]);
    if (place?.entity_type === 'task') await db.namedIn(trx, 'comments.hold_task', holdTaskSql, [place.entity_id, projectId]);
    if (place?.entity_type === 'preview') await db.namedIn(trx, 'comments.hold_preview', holdPreviewSql, [place.entity_id, projectId]);
  }

  /**
   * Two who take the last two replies of a tombstone meet at its row: the second finds that it has none left. One locked
   * row after the other, at most as many as a thread is deep.
   */
  async #delete(trx: Knex.Transaction, { id, parent_id: parentId }: StoredComment): Promise<void> {
    const db = this.#db;
    await db.namedIn(trx, 'comments.delete', deleteCommentSql, [id]);
    for (let above = parentId; above !== null;) {
      await db.namedIn(trx, 'comments.take', takeCommentSql, [above]);
      const [gone] = await db.namedIn<{ parent_id: string | null }>(trx, 'comments.delete_tombstone', deleteTombstoneSql, [above]);
      above = gone?.parent_id ?? null;
    }
  }
}

function requireSay(comment: StoredComment, userId: string, role: Role): void {
  if (comment.author_id === userId || role !== 'member') return;
  throw new ServiceError('FORBIDDEN', 'Only its author, the project\'s owner or an Admin of its team deletes a comment.');
}

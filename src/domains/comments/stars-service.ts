import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import { holdCommentSql, starSql, unstarSql } from './queries.ts';

/** Whom a comment pleases: each person's own, a row each, so that nobody counts wrong or waits for another. */
export class CommentStarService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The comment is held meanwhile, so that none is deleted with a star left on it. */
  async star(call: Call, commentId: string): Promise<void> {
    await requireRoleOn(this.#db, call, 'comment', commentId);
    const userId = requireSelf(call);
    await transact(this.#db, null, async (trx) => {
      const [comment] = await this.#db.namedIn<{ is_deleted: boolean }>(trx, 'comments.hold', holdCommentSql, [commentId]);
      if (comment === undefined) throw notFound();
      if (comment.is_deleted) throw new ServiceError('CONFLICT', 'This comment was deleted.', { details: { reason: 'deleted' } });
      await this.#db.namedIn(trx, 'comments.star', starSql, [commentId, userId]);
    });
  }

  async unstar(call: Call, commentId: string): Promise<void> {
    await requireRoleOn(this.#db, call, 'comment', commentId);
    await this.#db.named('comments.unstar', unstarSql, [commentId, requireSelf(call)]);
  }
}

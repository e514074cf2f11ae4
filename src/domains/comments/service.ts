import type { Knex } from 'knex';
import type { CommentCreate, CommentPage, CommentUpdate } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import type { ProjectMembershipService } from '../projects/membership-service.ts';
import { changeEvent, creationEvent } from './changes.ts';
import { takeMentions, takeSpot } from './intake.ts';
import { commentCount, commentPage } from './listing-queries.ts';
import { type CommentQuery, wholeFilters } from './listing.ts';
import { commentByIdSql, insertCommentSql, insertMentionsSql, lockCommentSql, replaceMentionsSql, writeBodySql } from './queries.ts';
import { commentEtag, type CommentRow, requireVersion, type StoredComment, type Versioned, versionedComment } from './rows.ts';

export interface CommentDependencies {
  readonly db: Database;
  readonly members: Pick<ProjectMembershipService, 'activeMembers'>;
}

/** What people say of a project, its tasks, previews and code. */
export class CommentService {
  readonly #on: CommentDependencies;

  constructor(dependencies: CommentDependencies) {
    this.#on = dependencies;
  }

  /** A project's comments in the order asked for. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, projectId: string, query: PageQuery & CommentQuery): Promise<CommentPage> {
    const { db } = this.#on;
    const access = await requireRoleOn(db, call, 'project', projectId);
    const view = { projectId: access.projectId, userId: requireSelf(call) };
    const filters = wholeFilters(query);
    const bound = { ...filters, comments_of: view.projectId, starred_by: filters.starred === null ? null : view.userId, sort: query.sort };
    const after = readCursor(query, bound);
    const page = commentPage(view, filters, query.sort, { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after });
    const rows = await db.named<CommentRow>(page.name, page.text, page.values);
    const count = commentCount(view, filters);
    const [counted] = after === null ? await db.named<{ total: number }>(count.name, count.text, count.values) : [];
    return pageOf(rows, query, bound, counted?.total ?? null, (row) => ({ at: row.created_at, id: row.id }));
  }

  /** A new comment of the caller's. Ten statements at most beside the policy's, whomever it mentions. */
  async create(call: Call, projectId: string, body: CommentCreate): Promise<Versioned<CommentRow>> {
    const { db, members } = this.#on;
    const access = await requireRoleOn(db, call, 'project', projectId);
    const userId = requireSelf(call);
    const entity = await transact(db, call, async (trx): Promise<CommentRow> => {
      const spot = await takeSpot(db, trx, access.projectId, body);
      const mentions = await takeMentions(db, members, trx, access.projectId, body.body);
      const [row] = await db.namedIn<StoredComment>(trx, 'comments.insert', insertCommentSql, [
        newId(), access.projectId, spot.parent_id, spot.depth, spot.entity_type, spot.entity_id, spot.anchor === null ? null : JSON.stringify(spot.anchor), userId, body.body,
      ]);
      if (row === undefined) throw new Error('a new comment has a row');
      if (mentions.length > 0) await db.namedIn(trx, 'comments.mention', insertMentionsSql, [row.id, mentions.map(({ user_id }) => user_id)]);
      const data = { entity_type: row.entity_type, entity_id: row.entity_id, parent_id: row.parent_id, mentioned_user_ids: mentions.map(({ user_id }) => user_id) };
      await audit(trx, call, { event_type: 'comment.created', entity_type: 'comment', entity_id: row.id, project_id: row.project_id, data });
      await emit(trx, creationEvent(row, userId, mentions, spot));
      return { ...row, mentions, reply_count: 0, is_starred: false, star_count: 0 };
    }, commentEtag);
    return versionedComment(entity);
  }

  async get(call: Call, commentId: string): Promise<Versioned<CommentRow>> {
    await requireRoleOn(this.#on.db, call, 'comment', commentId);
    const [row] = await this.#on.db.named<CommentRow>('comments.by_id', commentByIdSql, [commentId, requireSelf(call)]);
    if (row === undefined) throw notFound();
    return versionedComment(row);
  }

  /** Changes what it says; to the very same is no change. Whom it mentions is found out anew, and who never was before is told. */
  async update(call: Call, commentId: string, { body }: CommentUpdate): Promise<Versioned<CommentRow>> {
    const { db } = this.#on;
    await requireRoleOn(db, call, 'comment', commentId);
    const userId = requireSelf(call);
    return transact(db, null, async (trx) => {
      const [before] = await db.namedIn<StoredComment>(trx, 'comments.lock', lockCommentSql, [commentId]);
      if (before === undefined) throw notFound();
      if (before.is_deleted) throw new ServiceError('CONFLICT', 'This comment was deleted.', { details: { reason: 'deleted' } });
      if (before.author_id !== userId) throw new ServiceError('FORBIDDEN', 'Only its author changes what a comment says.');
      requireVersion(call.ifMatch, before.row_version);
      if (body !== before.body) await this.#write(trx, call, before.id, body);
      const [row] = await db.namedIn<CommentRow>(trx, 'comments.by_id', commentByIdSql, [before.id, userId]);
      if (row === undefined) throw notFound();
      return versionedComment(row);
    });
  }

  async #write(trx: Knex.Transaction, call: Call, id: string, body: string): Promise<void> {
    const { db, members } = this.#on;
    const userId = requireSelf(call);
    const [row] = await db.namedIn<StoredComment>(trx, 'comments.write', writeBodySql, [id, body]);
    if (row === undefined) throw notFound();
    const mentions = await takeMentions(db, members, trx, row.project_id, body);
    const added = new Set((await db.namedIn<{ user_id: string }>(trx, 'comments.mention_anew', replaceMentionsSql, [id, mentions.map(({ user_id }) => user_id)])).map(({ user_id }) => user_id));
    const data = { changed: ['body'], newly_mentioned_user_ids: [...added] };
    await audit(trx, call, { event_type: 'comment.updated', entity_type: 'comment', entity_id: id, project_id: row.project_id, data });
    await emit(trx, changeEvent(row, userId, mentions.filter(({ user_id }) => added.has(user_id))));
  }
}

/** What became of a comment, for whoever hangs on its events. Pure. */
import type { DomainEvent } from '#jobs/outbox.ts';
import type { Spot } from './intake.ts';
import type { Mentioned, StoredComment } from './rows.ts';

const excerptLength = 200;

/** The beginning of what it says, on one line: what a notification shows. */
export function excerptOf(body: string | null): string {
  return [...(body ?? '').replace(/\s+/gu, ' ').trim()].slice(0, excerptLength).join('');
}

/** What every event of a comment carries: enough to tell a person of it when it has changed again or is gone. */
const told = (type: string, comment: StoredComment, by: string, more: Readonly<Record<string, unknown>>): DomainEvent => ({
  type, entityId: comment.id, projectId: comment.project_id, userId: by,
  data: {
    comment_id: comment.id, project_id: comment.project_id, entity_type: comment.entity_type, entity_id: comment.entity_id,
    parent_id: comment.parent_id, author_id: comment.author_id, ...more,
  },
});

/** Whoever is told of what one says: not oneself. */
const others = (mentions: readonly Mentioned[], author: string): string[] => mentions.map(({ user_id }) => user_id).filter((id) => id !== author);

/** With everybody whom it concerns: who of them is told, and how, is for those who notify. */
export const creationEvent = (comment: StoredComment, by: string, mentions: readonly Mentioned[], spot: Spot): DomainEvent => told('comment.created', comment, by, {
  excerpt: excerptOf(comment.body), mentioned_user_ids: others(mentions, by), parent_author_id: spot.parent_author_id,
  task_assignee_id: spot.task?.assignee_id ?? null, task_creator_id: spot.task?.created_by ?? null,
});

/** With those alone whom it never mentioned before. */
export const changeEvent = (comment: StoredComment, by: string, mentions: readonly Mentioned[]): DomainEvent => told('comment.updated', comment, by, {
  excerpt: excerptOf(comment.body), newly_mentioned_user_ids: others(mentions, by),
});

/** Without what it said: whatever repeats that is to forget it. */
export const deletionEvent = (comment: StoredComment, by: string, isTombstone: boolean): DomainEvent => told('comment.deleted', comment, by, {
  deleted_by: by, is_tombstone: isTombstone,
});

import { createHash } from 'node:crypto';
import type { CodeAnchor, Comment, CommentMention } from '#generated/sdk/types.gen.ts';
import { ServiceError } from '#platform/errors.ts';

/** A comment as it is read, with its version beside what the contract shows. */
export interface CommentRow extends Comment { readonly row_version: number }

/** What of it stands in its own row. */
export type StoredComment = Omit<CommentRow, 'mentions' | 'reply_count' | 'is_starred' | 'star_count'>;

/** What a comment is on; the comments of a thread are all on the same. */
export interface Place {
  readonly entity_type: Comment['entity_type'];
  readonly entity_id: string;
  readonly anchor: CodeAnchor | null;
}

/** Somebody a comment mentions. */
export type Mentioned = CommentMention;

/** An entity with its strong validator. */
export interface Versioned<T> { readonly entity: T; readonly etag: string }

/** The row's version, and a digest of what is shown with it and stands in other rows: names, replies, stars. */
export function commentEtag({ row_version: version, mentions, reply_count: replies, star_count: stars, is_starred: isStarred }: CommentRow): string {
  const around = JSON.stringify([mentions.map(({ user_id, username }) => [user_id, username]), replies, stars, isStarred]);
  return `${version}-${createHash('sha256').update(around).digest('base64url').slice(0, 8)}`;
}

export const versionedComment = (entity: CommentRow): Versioned<CommentRow> => ({ entity, etag: commentEtag(entity) });

/**
 * Refuses a change under an If-Match that names another version. A comment is judged by what it says alone: that somebody
 * starred it or replied is no change that could be lost.
 */
export function requireVersion(ifMatch: string | null, version: number): void {
  if (ifMatch === null || ifMatch.split('-', 1)[0] === String(version)) return;
  throw new ServiceError('PRECONDITION_FAILED', 'This comment was changed since you read it. Read it again.');
}

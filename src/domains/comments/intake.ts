/** What a new comment is on, and whom it mentions. */
import type { Knex } from 'knex';
import type { CodeAnchor, CommentCreate } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import type { ProjectMembershipService } from '../projects/membership-service.ts';
import { mentionsOfComment, namesMentioned } from './mentions.ts';
import { accountsByNameSql, holdCommentSql, holdPreviewSql, holdTaskSql, placeOfSql } from './queries.ts';
import type { Mentioned, Place } from './rows.ts';

/** A reply this deep is the last. */
const threadDepth = 20;

/** Where a new comment goes, with those whom it concerns beside the ones it mentions. */
export interface Spot extends Place {
  readonly parent_id: string | null;
  readonly depth: number;
  readonly parent_author_id: string | null;
  readonly task: { readonly assignee_id: string | null; readonly created_by: string } | null;
}

type Queries = Pick<Database, 'namedIn'>;

const wrong = (field: string, message: string, rule: string): ServiceError => new ServiceError('VALIDATION_ERROR', 'There is nothing like this to comment on.', {
  details: [{ pointer: `#/body/${field}`, message, rule }],
});

/** Finds out where a new comment goes, and keeps that from being deleted until the commit: first the thing, then the parent. */
export async function takeSpot(db: Queries, trx: Knex.Transaction, projectId: string, body: CommentCreate): Promise<Spot> {
  const parentId = body.parent_id?.toLowerCase() ?? null;
  const place = parentId === null ? placeIn(projectId, body) : await placeOfParent(db, trx, projectId, parentId, body);
  const task = await holdThing(db, trx, projectId, place, parentId === null ? 'entity_id' : 'parent_id');
  const parent = parentId === null ? null : await holdParent(db, trx, parentId);
  return { ...place, parent_id: parentId, depth: parent === null ? 0 : parent.depth + 1, parent_author_id: parent?.author_id ?? null, task };
}

/** Of a comment that begins a thread. */
function placeIn(projectId: string, { entity_type: type, entity_id: id, anchor }: CommentCreate): Place {
  if (type === undefined) throw wrong('entity_type', 'is needed where there is no parent_id', 'required');
  if (type !== 'code' && anchor !== undefined) throw wrong('anchor', 'is for comments on code', 'entity_type');
  if (type === 'task' || type === 'preview') {
    if (id === undefined) throw wrong('entity_id', `is needed for a ${type}`, 'required');
    return { entity_type: type, entity_id: id.toLowerCase(), anchor: null };
  }
  if (id !== undefined && id.toLowerCase() !== projectId) throw wrong('entity_id', 'is not the project', 'project');
  if (type === 'project') return { entity_type: type, entity_id: projectId, anchor: null };
  if (anchor === undefined) throw wrong('anchor', 'is needed for code', 'required');
  return { entity_type: type, entity_id: projectId, anchor: soundAnchor(anchor) };
}

function soundAnchor(anchor: CodeAnchor): CodeAnchor {
  if (anchor.line_end < anchor.line_start) throw wrong('anchor/line_end', 'must not be before line_start', 'minimum');
  if (anchor.path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw wrong('anchor/path', 'must be relative to the project, with plain segments', 'path');
  }
  return { ...anchor, commit: anchor.commit ?? null };
}

/** A reply is on what its parent is on: what it says of that itself must agree. */
async function placeOfParent(db: Queries, trx: Knex.Transaction, projectId: string, parentId: string, { entity_type: type, entity_id: id, anchor }: CommentCreate): Promise<Place> {
  const [place] = await db.namedIn<Place>(trx, 'comments.place', placeOfSql, [parentId, projectId]);
  if (place === undefined) throw noParent();
  if (type !== undefined && type !== place.entity_type) throw wrong('entity_type', 'is not what the parent is on', 'parent');
  if (id !== undefined && id.toLowerCase() !== place.entity_id) throw wrong('entity_id', 'is not what the parent is on', 'parent');
  if (anchor !== undefined && !isSameSpan(anchor, place.anchor)) throw wrong('anchor', 'is not where the parent is', 'parent');
  return place;
}

const isSameSpan = (one: CodeAnchor, other: CodeAnchor | null): boolean =>
  one.path === other?.path && one.line_start === other.line_start && one.line_end === other.line_end && (one.commit ?? null) === (other.commit ?? null);

const noParent = (): ServiceError => wrong('parent_id', 'is not a comment of the project', 'parent');

/** Refuses a task or preview that is not of the project; answers whom a task concerns. */
async function holdThing(
  db: Queries, trx: Knex.Transaction, projectId: string, { entity_type: type, entity_id: id }: Place, field: 'entity_id' | 'parent_id',
): Promise<Spot['task']> {
  if (type !== 'task' && type !== 'preview') return null;
  const [thing] = type === 'task'
    ? await db.namedIn<{ assignee_id: string | null; created_by: string }>(trx, 'comments.hold_task', holdTaskSql, [id, projectId])
    : await db.namedIn<{ assignee_id: null; created_by: string }>(trx, 'comments.hold_preview', holdPreviewSql, [id, projectId]);
  if (thing !== undefined) return type === 'task' ? thing : null;
  // Of a reply the thing went this very moment, and the parent with it.
  throw field === 'parent_id' ? noParent() : wrong('entity_id', `is not a ${type} of the project`, 'entity');
}

async function holdParent(db: Queries, trx: Knex.Transaction, parentId: string): Promise<{ author_id: string | null; depth: number }> {
  const [parent] = await db.namedIn<{ author_id: string | null; depth: number; is_deleted: boolean }>(trx, 'comments.hold', holdCommentSql, [parentId]);
  if (parent === undefined) throw noParent();
  if (parent.is_deleted) throw new ServiceError('CONFLICT', 'The comment you reply to was deleted.', { details: { reason: 'deleted' } });
  if (parent.depth >= threadDepth) {
    throw new ServiceError('CONFLICT', `A thread is at most ${threadDepth} replies deep. Reply further up.`, { details: { allowed: threadDepth } });
  }
  return parent;
}

/** The members that a text mentions, in its order, the first fifty of them. Two statements where it names anybody. */
export async function takeMentions(
  db: Queries, members: Pick<ProjectMembershipService, 'activeMembers'>, trx: Knex.Transaction, projectId: string, body: string,
): Promise<Mentioned[]> {
  const names = namesMentioned(body);
  if (names.length === 0) return [];
  const accounts = await db.namedIn<Mentioned & { readonly name: string }>(trx, 'comments.accounts', accountsByNameSql, [names]);
  if (accounts.length === 0) return [];
  const active = await members.activeMembers(projectId, accounts.map(({ user_id }) => user_id), trx);
  const byName = new Map(accounts.filter(({ user_id }) => active.has(user_id)).map(({ name, user_id, username }) => [name, { user_id, username }]));
  return names.flatMap((name) => byName.get(name) ?? []).slice(0, mentionsOfComment);
}

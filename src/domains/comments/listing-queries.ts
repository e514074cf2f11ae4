/** The pages and counts of a project's comments. */
import type { Comment } from '#generated/sdk/types.gen.ts';
import type { Binding } from '#platform/database.ts';
import { countBound, type Keyset } from '#platform/paging.ts';
import { around, own } from './queries.ts';

export type CommentSort = 'created_at' | '-created_at';

/** Every filter narrows; null leaves out. */
export interface CommentFilters {
  readonly entity_type: Comment['entity_type'] | null;
  readonly entity_id: string | null;
  readonly path: string | null;
  readonly parent_id: string | null;
  readonly top_level: boolean | null;
  readonly author_id: string | null;
  readonly starred: boolean | null;
}

/** Whose comments are listed, and who asks: stars are each person's own. */
export interface View { readonly projectId: string; readonly userId: string }

/** A statement with its values. One without filters, or on one thing, has a name; others are planned anew for what they are asked. */
export interface Statement { readonly name: string; readonly text: string; readonly values: readonly Binding[] }

/** A page in the order of `sort`, one row more than asked for. */
export function commentPage(view: View, filters: CommentFilters, sort: CommentSort, page: { limit: number; offset: number; after: Keyset | null }): Statement {
  const direction = sort === 'created_at' ? 'asc' : 'desc';
  const values: Binding[] = [];
  const bind = (value: Binding): string => `$${values.push(value)}`;
  const conditions = conditionsOf(view, filters, bind);
  if (page.after !== null) {
    conditions.push(`(c.created_at, c.id) ${direction === 'asc' ? '>' : '<'} (${bind(page.after.at)}::timestamptz, ${bind(page.after.id)}::uuid)`);
  }
  const order = `order by c.created_at ${direction}, c.id ${direction}`;
  // Mentions, replies and stars are looked up for the rows of the page alone, not for those that an offset passes over.
  const text = `
    select ${own}, ${around(`${bind(view.userId)}::uuid`)}
      from (select * from comments c where ${conditions.join(' and ')} ${order} limit ${bind(page.limit + 1)} offset ${bind(page.offset)}) c ${order}`;
  return { name: nameOf(`comments.page.${sort}${page.after === null ? '' : '.after'}`, filters), text, values };
}

/** How many there are, counted no further than one beyond the bound that the contract promises. */
export function commentCount(view: View, filters: CommentFilters): Statement {
  const values: Binding[] = [];
  const bind = (value: Binding): string => `$${values.push(value)}`;
  const conditions = conditionsOf(view, filters, bind);
  const text = `select count(*) as total from (select 1 from comments c where ${conditions.join(' and ')} limit ${countBound + 1}) as bounded`;
  return { name: nameOf('comments.count', filters), text, values };
}

/** What people look at most, all comments and those on one thing, is read alike whatever the values: it is planned once. */
function nameOf(statement: string, filters: CommentFilters): string {
  const narrowing = Object.entries(filters).flatMap(([name, value]) => (value === null ? [] : [name])).join('+');
  if (narrowing === '') return statement;
  return narrowing === 'entity_type+entity_id' ? `${statement}.entity` : '';
}

function conditionsOf({ projectId, userId }: View, filters: CommentFilters, bind: (value: Binding) => string): string[] {
  const { entity_type: entityType, entity_id: entityId, path, parent_id: parentId, top_level: isTopLevel, author_id: authorId, starred } = filters;
  const conditions = [`c.project_id = ${bind(projectId)}`];
  if (entityType !== null) conditions.push(`c.entity_type = ${bind(entityType)}`);
  if (entityId !== null) conditions.push(`c.entity_id = ${bind(entityId)}`);
  if (path !== null) {
    const wanted = `${bind(path)}::text`;
    // In the words of the index, which is of code alone.
    conditions.push("c.entity_type = 'code'", `left(c.anchor ->> 'path', 512) collate "C" = left(${wanted}, 512)`, `c.anchor ->> 'path' = ${wanted}`);
  }
  if (parentId !== null) conditions.push(`c.parent_id = ${bind(parentId)}`);
  if (isTopLevel !== null) conditions.push(`c.parent_id is ${isTopLevel ? '' : 'not '}null`);
  if (authorId !== null) conditions.push(`c.author_id = ${bind(authorId)}`);
  if (starred !== null) conditions.push(`${starred ? '' : 'not '}exists (select 1 from comment_stars s where s.comment_id = c.id and s.user_id = ${bind(userId)})`);
  return conditions;
}

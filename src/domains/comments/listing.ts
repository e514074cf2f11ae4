/** What a list of comments is asked for. Pure. */
import { ServiceError } from '#platform/errors.ts';
import type { CommentFilters, CommentSort } from './listing-queries.ts';

export type CommentQuery = { readonly [Name in keyof CommentFilters]?: CommentFilters[Name] | undefined } & { readonly sort: CommentSort };

/** Every filter, absent ones null. Those that mean nothing without another are refused without it. */
export function wholeFilters(query: CommentQuery): CommentFilters {
  const faults = [
    ...(query.entity_id != null && query.entity_type == null ? [{ pointer: '#/query/entity_id', message: 'needs entity_type', rule: 'entity_type' }] : []),
    ...(query.path != null && query.entity_type !== 'code' ? [{ pointer: '#/query/path', message: 'needs entity_type=code', rule: 'entity_type' }] : []),
  ];
  if (faults.length > 0) throw new ServiceError('VALIDATION_ERROR', 'This filter needs to know the kind of thing.', { details: faults });
  return {
    entity_type: query.entity_type ?? null,
    entity_id: query.entity_id ?? null,
    path: query.path ?? null,
    parent_id: query.parent_id ?? null,
    top_level: query.top_level ?? null,
    author_id: query.author_id ?? null,
    starred: query.starred ?? null,
  };
}

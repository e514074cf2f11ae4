import { createHash } from 'node:crypto';
import { ServiceError } from '#platform/errors.ts';
import { isId } from '#platform/ids.ts';

/** What a list operation is asked for; `cursor` and `offset` exclude each other (the pipeline refuses both at once). */
export interface PageQuery {
  readonly limit: number;
  readonly offset?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Where a keyset walk goes on: the sort key of the last row seen (its time, unless the list says otherwise), ties broken by id. */
export interface Keyset {
  readonly at: string;
  readonly id: string;
}

export interface PageInfo {
  limit: number;
  offset: number | null;
  total: number | null;
  next_cursor: string | null;
}

/** `total` is exact to this many rows and null beyond: counting further costs more than it tells. */
export const countBound = 10_000;

/**
 * Reads the cursor of a list whose filters are `filters`. A cursor made with other filters, or garbled, is a
 * VALIDATION_ERROR. Returns null when the list is not walked by cursor.
 *
 * @param isKey what the list's sort key looks like: a time, unless told; no `|` in it
 */
export function readCursor(query: PageQuery, filters: Readonly<Record<string, unknown>>, isKey: (at: string) => boolean = isTime): Keyset | null {
  if (query.cursor === undefined) return null;
  const [at, id, mark, ...rest] = Buffer.from(query.cursor, 'base64url').toString('utf8').split('|');
  const sane =
    rest.length === 0 && at !== undefined && id !== undefined && mark === markOf(filters)
    && isKey(at) && isId(id);
  if (!sane) throw foreignCursor();
  return { at, id };
}

/** As we write it, and a moment that exists: a made-up one must not become the database's error. */
export const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;

const foreignCursor = (): ServiceError => new ServiceError('VALIDATION_ERROR', 'This cursor belongs to another list.', {
  details: [{ pointer: '#/query/cursor', message: 'is not a cursor of this list with these filters', rule: 'cursor' }],
});

/** Cuts `limit + 1` rows down to a page and says where the next one begins. */
export function pageOf<Row>(
  rows: readonly Row[],
  query: PageQuery,
  filters: Readonly<Record<string, unknown>>,
  total: number | null,
  keyOf: (row: Row) => Keyset,
): { items: Row[]; page: PageInfo } {
  const items = rows.slice(0, query.limit);
  const last = items.at(-1);
  const more = rows.length > query.limit && last !== undefined;
  const walked = query.cursor !== undefined;
  return {
    items,
    page: {
      limit: query.limit,
      offset: walked ? null : (query.offset ?? 0),
      total: walked || (total !== null && total > countBound) ? null : total,
      next_cursor: more ? writeCursor(keyOf(last), filters) : null,
    },
  };
}

function writeCursor(key: Keyset, filters: Readonly<Record<string, unknown>>): string {
  return Buffer.from(`${key.at}|${key.id}|${markOf(filters)}`, 'utf8').toString('base64url');
}

function markOf(filters: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(filters).filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 16);
}

/**
 * Pages a list that is short, bounded and wholly at hand (tiers, SDK sets): the cursor is the position it goes on at.
 */
export function pageOfAll<Item>(all: readonly Item[], query: PageQuery): { items: Item[]; page: PageInfo } {
  const start = readPosition(query);
  return positionalPage(all.slice(start, start + query.limit + 1), query, start, all.length);
}

/** Where a list that never changes its order begins: at its offset, or where its cursor says. */
export function readPosition(query: PageQuery): number {
  if (query.cursor === undefined) return query.offset ?? 0;
  const position = /^at\|(\d{1,6})$/.exec(Buffer.from(query.cursor, 'base64url').toString('utf8'))?.[1];
  if (position === undefined) throw foreignCursor();
  return Number(position);
}

/** Cuts the `limit + 1` items from `start` on down to a page. */
export function positionalPage<Item>(items: readonly Item[], query: PageQuery, start: number, total: number | null): { items: Item[]; page: PageInfo } {
  const walked = query.cursor !== undefined;
  const end = start + query.limit;
  return {
    items: items.slice(0, query.limit),
    page: {
      limit: query.limit,
      offset: walked ? null : start,
      total: walked || (total !== null && total > countBound) ? null : total,
      next_cursor: items.length > query.limit ? Buffer.from(`at|${end}`, 'utf8').toString('base64url') : null,
    },
  };
}

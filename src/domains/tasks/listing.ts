/** What a list of tasks is asked for, and where a walk of it goes on. Pure. */
import { isTime, type Keyset, type PageQuery, readCursor } from '#platform/paging.ts';
import { noDate, type TaskFilters, type TaskSort } from './queries.ts';
import type { TaskRow } from './rows.ts';

export type TaskQuery = { readonly [Name in keyof TaskFilters]?: TaskFilters[Name] | undefined } & { readonly sort: TaskSort };

/** Every filter, absent ones null; lists in one order, so that a cursor holds however they were written. */
export const wholeFilters = ({ status, assignee_id, label_id, due_before, due_after, q, ids }: TaskQuery): TaskFilters => ({
  status: status == null ? null : [...status].sort(),
  assignee_id: assignee_id ?? null,
  label_id: label_id ?? null,
  due_before: due_before ?? null,
  due_after: due_after ?? null,
  q: q ?? null,
  ids: ids == null ? null : [...ids].sort(),
});

/** Where the cursor of the query stands in its order; null where there is none. */
export const readPlace = (query: PageQuery & TaskQuery, bound: Readonly<Record<string, unknown>>): Keyset | null => {
  const place = readCursor(query, bound, keyTests[fieldOf(query.sort)]);
  return place === null || fieldOf(query.sort) !== 'title' ? place : { ...place, at: place.at.replaceAll('\0', '|') };
};

/** The place of a row in the order of `sort`. The bar divides the parts of a cursor; no title holds a NUL. */
export const keyOf = (sort: TaskSort) => (row: TaskRow & { readonly sort_key?: string }): Keyset => {
  switch (fieldOf(sort)) {
    case 'title': return { at: (row.sort_key ?? '').replaceAll('|', '\0'), id: row.id };
    case 'due_date': return { at: row.due_date ?? noDate, id: row.id };
    case 'updated_at': return { at: row.updated_at, id: row.id };
    case 'created_at': return { at: row.created_at, id: row.id };
  }
};

type SortField = 'created_at' | 'updated_at' | 'due_date' | 'title';
const fieldOf = (sort: TaskSort): SortField => sort.replace('-', '') as SortField;

const keyTests: Readonly<Record<SortField, (at: string) => boolean>> = {
  created_at: isTime,
  updated_at: isTime,
  due_date: (at) => at === noDate || isTime(at),
  // Whatever comes is compared as text; a forged one has at worst another place.
  title: (at) => at.isWellFormed() && at.length <= 700,
};

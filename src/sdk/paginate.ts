/** Walks lists by cursor. */
import type { CallOptions } from './operations.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly page: { readonly next_cursor: string | null };
}

/**
 * Every item of a list, page after page, each page fetched when its first item is asked for.
 *
 *     for await (const task of paginate(api.listTasks, { path: { project_id } })) …
 *
 * @param list an operation that answers `{items, page}`
 * @param input as for the operation; `query.limit` is the size of a page (200 when absent), offset and cursor are not given
 */
export async function* paginate<Item, Input extends { readonly query?: object | undefined } | undefined>(
  list: (input: Input, options?: CallOptions) => Promise<Page<Item>>,
  input: NoInfer<NonNullable<Input>>,
  options: CallOptions = {},
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | null = null;
  do {
    const query: object = { limit: 200, ...input.query, ...(cursor === null ? {} : { cursor }) };
    const page: Page<Item> = await list({ ...input, query }, options);
    yield* page.items;
    cursor = page.page.next_cursor;
  } while (cursor !== null);
}

import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { SearchService } from './service.ts';

export const searchHandlers = (search: SearchService): Pick<Handlers, 'search'> => ({
  search: async ({ query }, call) => ({ status: 200, body: await search.search(call, query) }),
});

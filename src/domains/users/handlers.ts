import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { PeopleService } from './people-service.ts';
import type { PreferenceService } from './preference-service.ts';
import type { UserService } from './service.ts';
import type { UsageService } from './usage-service.ts';

type Operations = 'getMe' | 'updateMe' | 'getPreferences' | 'updatePreferences' | 'getUsage' | 'searchUsers';

export interface UserServices {
  readonly users: UserService;
  readonly preferences: PreferenceService;
  readonly usage: UsageService;
  readonly people: PeopleService;
}

export const userHandlers = ({ users, preferences, usage, people }: UserServices): Pick<Handlers, Operations> => ({
  getMe: async (_request, call) => {
    const { entity, etag } = await users.me(call);
    return { status: 200, body: entity, etag };
  },
  updateMe: async ({ body }, call) => {
    const { entity, etag } = await users.update(call, body);
    return { status: 200, body: entity, etag };
  },
  getPreferences: async (_request, call) => {
    const { entity, etag } = await preferences.get(call);
    return { status: 200, body: entity, etag };
  },
  updatePreferences: async ({ body }, call) => {
    const { entity, etag } = await preferences.update(call, body);
    return { status: 200, body: entity, etag };
  },
  getUsage: async (_request, call) => ({ status: 200, body: await usage.get(call) }),
  searchUsers: async ({ query }, call) => ({ status: 200, body: await people.search(call, query) }),
});

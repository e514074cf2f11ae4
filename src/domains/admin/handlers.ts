import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { StandingService } from './standing-service.ts';
import type { AdminUserService } from './users-service.ts';

type Operations = 'listUsers' | 'getUser' | 'setUserTier' | 'suspendUser' | 'unsuspendUser';

export const adminHandlers = (users: AdminUserService, standing: StandingService): Pick<Handlers, Operations> => ({
  listUsers: async ({ query }, call) => ({ status: 200, body: await users.list(call, query) }),
  getUser: async ({ path }, call) => {
    const { entity, etag } = await users.get(call, path.user_id);
    return { status: 200, body: entity, etag };
  },
  setUserTier: async ({ path, body }, call) => ({ status: 200, body: await standing.setTier(call, path.user_id, body) }),
  suspendUser: async ({ path, body }, call) => ({ status: 200, body: await standing.suspend(call, path.user_id, body) }),
  unsuspendUser: async ({ path }, call) => ({ status: 200, body: await standing.unsuspend(call, path.user_id) }),
});

import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { UserService } from './service.ts';

export const userHandlers = (users: UserService): Pick<Handlers, 'getMe'> => ({
  getMe: async (_request, call) => {
    const { entity, etag } = await users.me(call);
    return { status: 200, body: entity, etag };
  },
});

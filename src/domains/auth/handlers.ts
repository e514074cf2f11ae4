import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { RefreshService } from './refresh-service.ts';
import type { AuthService } from './service.ts';
import type { SessionService } from './session-service.ts';

type Operations = 'registerUser' | 'loginUser' | 'refreshTokens' | 'logoutUser';

export const authHandlers = (auth: AuthService, refreshes: RefreshService, sessions: SessionService): Pick<Handlers, Operations> => ({
  registerUser: async ({ body }, call) => ({ status: 201, body: await auth.register(call, body), headers: { Location: '/api/v1/users/me' } }),
  loginUser: async ({ body }, call) => ({ status: 200, body: await auth.login(call, body) }),
  refreshTokens: async ({ body }, call) => ({ status: 200, body: await refreshes.refresh(call, body) }),
  logoutUser: async (_request, call) => {
    await sessions.logout(call);
    return { status: 204 };
  },
});

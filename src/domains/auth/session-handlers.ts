import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { SessionService } from './session-service.ts';

type Operations = 'listSessions' | 'revokeSession' | 'revokeOtherSessions' | 'listDevices' | 'removeDevice';

export const sessionHandlers = (sessions: SessionService): Pick<Handlers, Operations> => ({
  listSessions: async ({ query }, call) => ({ status: 200, body: await sessions.list(call, query) }),
  revokeSession: async ({ path }, call) => {
    await sessions.revoke(call, path.session_id);
    return { status: 204 };
  },
  revokeOtherSessions: async (_request, call) => {
    await sessions.revokeOthers(call);
    return { status: 204 };
  },
  listDevices: async ({ query }, call) => ({ status: 200, body: await sessions.listDevices(call, query) }),
  removeDevice: async ({ path }, call) => {
    await sessions.removeDevice(call, path.device_id);
    return { status: 204 };
  },
});

import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { DeviceLinkService } from './device-link-service.ts';
import type { SessionTokenService } from './session-token-service.ts';

type Operations =
  | 'createSessionToken' | 'consumeSessionToken'
  | 'createDeviceLink' | 'pollDeviceLink' | 'getDeviceLink' | 'approveDeviceLink' | 'denyDeviceLink';

/** Sessions that come of another session: the website's, and a linked device's. */
export const linkHandlers = (tokens: SessionTokenService, links: DeviceLinkService): Pick<Handlers, Operations> => ({
  createSessionToken: async (_request, call) => ({ status: 200, body: await tokens.create(call) }),
  consumeSessionToken: async ({ body }, call) => ({ status: 200, body: await tokens.consume(call, body) }),
  createDeviceLink: async ({ body }, call) => ({ status: 200, body: await links.create(call, body) }),
  pollDeviceLink: async ({ body }, call) => ({ status: 200, body: await links.poll(call, body) }),
  getDeviceLink: async ({ path }, call) => ({ status: 200, body: await links.get(call, path.user_code) }),
  approveDeviceLink: async ({ path }, call) => ({ status: 200, body: await links.approve(call, path.user_code) }),
  denyDeviceLink: async ({ path }, call) => ({ status: 200, body: await links.deny(call, path.user_code) }),
});

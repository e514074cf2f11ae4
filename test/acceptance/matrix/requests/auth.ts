import { randomUUID } from 'node:crypto';
import type { Recipe } from '../requests.ts';
import { canAct, password, type Person, type World } from '../world.ts';

const at = (path: string): Recipe => ({ ask: () => Promise.resolve({ path }) });

/** Of an owner whom nothing lets in there is nothing to be had: any id does. */
const sessionOf = async (world: World, owner: Person): Promise<string> => (canAct(owner) ? (await world.signIn(owner)).sessionId : randomUUID());

async function deviceOf(world: World, owner: Person): Promise<string> {
  if (!canAct(owner)) return randomUUID();
  const { sessionId } = await world.signIn(owner, { device: { device_id: randomUUID(), name: 'A phone', platform: 'ios' } });
  const [row] = await world.sql<{ id: string }>('select device_session_id as id from sessions where id = $1', [sessionId]);
  return row?.id ?? '';
}

interface Link { readonly user_code: string; readonly device_code: string }
const link = (world: World): Promise<Link> => world.data('POST', '/auth/device-links', { json: { client_name: 'A plugin' } });

const ofLink = (below: string): Recipe => ({ ask: async (world) => ({ path: `/auth/device-links/${(await link(world)).user_code}${below}` }) });

export const authRequests: Readonly<Record<string, Recipe>> = {
  registerUser: {
    ask: () => {
      const username = `new${randomUUID().slice(0, 8)}`;
      return Promise.resolve({ path: '/auth/register', json: { email: `${username}@example.com`, username, password } });
    },
  },
  loginUser: { ask: (world) => Promise.resolve({ path: '/auth/login', json: { email: world.visitor.email, password: world.visitor.password } }) },
  refreshTokens: { ask: async (world) => ({ path: '/auth/refresh', json: { refresh_token: (await world.signIn(world.visitor)).refreshToken } }) },
  logoutUser: { isSpending: true, ...at('/auth/logout') },

  listSessions: at('/auth/sessions'),
  revokeOtherSessions: at('/auth/sessions'),
  revokeSession: {
    ask: async (world, { owner }) => {
      const id = await sessionOf(world, owner);
      return { path: `/auth/sessions/${id}`, target: id };
    },
  },
  listDevices: at('/auth/devices'),
  removeDevice: {
    ask: async (world, { owner }) => {
      const id = await deviceOf(world, owner);
      return { path: `/auth/devices/${id}`, target: id };
    },
  },

  createSessionToken: at('/auth/session-tokens'),
  consumeSessionToken: {
    ask: async (world) => {
      const { token } = await world.data<{ token: string }>('POST', '/auth/session-tokens', { as: world.visitor });
      return { path: '/auth/session-tokens/consume', json: { token } };
    },
  },
  createDeviceLink: { ask: () => Promise.resolve({ path: '/auth/device-links', json: { client_name: 'A plugin' } }) },
  pollDeviceLink: {
    ask: async (world) => {
      const { user_code, device_code } = await link(world);
      await world.data('POST', `/auth/device-links/${user_code}/approve`, { as: world.visitor });
      return { path: '/auth/device-links/token', json: { device_code } };
    },
  },
  getDeviceLink: ofLink(''),
  approveDeviceLink: ofLink('/approve'),
  denyDeviceLink: ofLink('/deny'),
};

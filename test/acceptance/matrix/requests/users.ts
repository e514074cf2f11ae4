import { randomInt, randomUUID } from 'node:crypto';
import type { Recipe } from '../requests.ts';
import { canAct, type Person, type World } from '../world.ts';

/** A number that was not there before, most likely. */
const some = (): number => randomInt(1_000, 10_000_000);
const at = (path: string): Recipe => ({ ask: () => Promise.resolve({ path }) });

/** An account has one export under way at most. */
const exported = new Map<string, Promise<string>>();

/** The export of the owner's, asked for by a session that is recent; an id of nothing where nothing lets the owner in. */
function exportOf(world: World, owner: Person): Promise<string> {
  if (!canAct(owner)) return Promise.resolve(randomUUID());
  const known = exported.get(owner.id) ?? world.signIn(owner).then((as) => world.data<{ id: string }>('POST', '/users/me/exports', { as })).then(({ id }) => id);
  exported.set(owner.id, known);
  return known;
}

/** A request about an account made for it. */
const ofAccount = (below: string, json?: unknown, make: (world: World) => Promise<Person> = (world) => world.person()): Recipe => ({
  ask: async (world) => {
    const { id } = await make(world);
    return { path: `/admin/users/${id}${below}`, target: id, ...(json === undefined ? {} : { json }) };
  },
});

export const userRequests: Readonly<Record<string, Recipe>> = {
  getMe: at('/users/me'),
  updateMe: { ask: () => Promise.resolve({ path: '/users/me', json: { display_name: `Ada ${randomUUID().slice(0, 8)}` } }) },
  requestAccountDeletion: {
    isSpending: true,
    ask: async (world, { self }) => {
      // Nobody depends on who goes: there is another Owner, and another administrator.
      await world.join(await world.person(), 'Owner');
      await world.person({ tier: 'admin' });
      return { path: '/users/me/deletion', json: { password: self.password } };
    },
  },
  requestDataExport: { isSpending: true, ...at('/users/me/exports') },
  getDataExport: {
    ask: async (world, { owner }) => {
      const id = await exportOf(world, owner);
      return { path: `/users/me/exports/${id}`, target: id };
    },
  },
  getPreferences: at('/users/me/preferences'),
  updatePreferences: { ask: () => Promise.resolve({ path: '/users/me/preferences', json: { preferences: { theme: randomUUID() } } }) },
  getUsage: at('/users/me/usage'),
  searchUsers: at('/users/search?q=nobody-of-this-name'),

  listUsers: at('/admin/users'),
  getUser: ofAccount(''),
  setUserTier: ofAccount('/tier', { tier: 'pro', reason: 'Beta programme.' }),
  suspendUser: ofAccount('/suspend', { reason: 'Sends spam.' }),
  unsuspendUser: ofAccount('/unsuspend', undefined, (world) => world.person({ standing: 'suspended' })),
  listTierLimits: at('/admin/tiers'),
  // A limit that nothing here comes near.
  updateTierLimits: { ask: () => Promise.resolve({ path: '/admin/tiers/free', json: { refactor_files: some() }, other: { json: { refactor_files: some() } } }) },
};

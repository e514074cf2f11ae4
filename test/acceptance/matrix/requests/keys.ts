import { randomUUID } from 'node:crypto';
import type { Asked, Recipe } from '../requests.ts';
import type { Scene, World } from '../world.ts';

/** A request about one API key of the owner, made for it. */
const about = (below: string, json?: unknown, other?: unknown): Recipe => ({
  ask: async (world: World, { owner }: Scene): Promise<Asked> => {
    const id = await keyOf(world, owner.id);
    const path = `/api-keys/${id}${below}`;
    return { path, target: id, ...(json === undefined ? {} : { json }), ...(other === undefined ? {} : { other: { json: other } }) };
  },
});

async function keyOf(world: World, userId: string): Promise<string> {
  const name = `Key ${randomUUID()}`;
  await world.apiKey({ id: userId }, ['projects:read'], null, name);
  const [row] = await world.sql<{ id: string }>('select id from api_keys where user_id = $1 and name = $2', [userId, name]);
  return row?.id ?? '';
}

export const keyRequests: Readonly<Record<string, Recipe>> = {
  listApiKeys: { ask: () => Promise.resolve({ path: '/api-keys' }) },
  createApiKey: {
    ask: () => Promise.resolve({ path: '/api-keys', json: { name: 'CI', scopes: ['projects:read'] }, other: { json: { name: 'CI', scopes: ['projects:write'] } } }),
  },
  updateApiKey: { ask: (world, scene) => about('', { name: `CI ${randomUUID()}` }, { name: `CI ${randomUUID()}` }).ask(world, scene) },
  revokeApiKey: about(''),
  rotateApiKey: about('/rotate', { overlap_seconds: 60 }, { overlap_seconds: 120 }),
};

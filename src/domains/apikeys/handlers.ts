import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { ApiKeyService } from './service.ts';

type Operations = 'listApiKeys' | 'createApiKey' | 'updateApiKey' | 'revokeApiKey' | 'rotateApiKey';

const placeOf = (keyId: string): string => `/api/v1/api-keys/${keyId}`;

export const apiKeyHandlers = (keys: ApiKeyService): Pick<Handlers, Operations> => ({
  listApiKeys: async ({ query }, call) => ({ status: 200, body: await keys.list(call, query) }),
  createApiKey: async ({ body }, call) => {
    const { entity, etag } = await keys.create(call, body);
    return { status: 201, body: entity, etag, headers: { Location: placeOf(entity.api_key.id) } };
  },
  updateApiKey: async ({ path, body }, call) => {
    const { entity, etag } = await keys.update(call, path.key_id, body);
    return { status: 200, body: entity, etag };
  },
  revokeApiKey: async ({ path }, call) => {
    await keys.revoke(call, path.key_id);
    return { status: 204 };
  },
  rotateApiKey: async ({ path, body }, call) => {
    const { entity, etag } = await keys.rotate(call, path.key_id, body);
    return { status: 201, body: entity, etag, headers: { Location: placeOf(entity.api_key.id) } };
  },
});

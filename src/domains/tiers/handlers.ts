import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { TierService } from './service.ts';

export const tierHandlers = (tiers: TierService): Pick<Handlers, 'listTiers' | 'listTierLimits' | 'updateTierLimits'> => ({
  listTiers: async ({ query }, _call) => ({ status: 200, body: await tiers.offered(query) }),
  listTierLimits: async ({ query }, call) => ({ status: 200, body: await tiers.all(call, query) }),
  updateTierLimits: async ({ path, body }, call) => {
    const { entity, etag } = await tiers.update(call, path.tier, body);
    return { status: 200, body: entity, etag };
  },
});

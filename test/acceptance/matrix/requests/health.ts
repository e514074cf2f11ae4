import type { Recipe } from '../requests.ts';
import { sign } from './workers.ts';

const at = (path: string): Recipe => ({ ask: () => Promise.resolve({ path }) });

export const healthRequests: Readonly<Record<string, Recipe>> = {
  getHealth: at('/health'),
  getDeepHealth: {
    ask: async (world) => {
      // Without a worker that lives the service counts as down.
      await world.asNode('/workers/heartbeat', sign);
      return { path: '/health/deep' };
    },
  },
  getDbHealth: at('/health/db'),
  getRedisHealth: at('/health/redis'),
  listTiers: at('/tiers'),
};

import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { HealthService } from './service.ts';

type Operations = 'getHealth' | 'getDeepHealth' | 'getDbHealth' | 'getRedisHealth';

export const healthHandlers = (health: HealthService): Pick<Handlers, Operations> => ({
  getHealth: async () => ({ status: 200, body: health.shallow() }),
  getDeepHealth: async (_request, call) => ({ status: 200, body: await health.deep(call) }),
  getDbHealth: async () => ({ status: 200, body: await health.database() }),
  getRedisHealth: async () => ({ status: 200, body: await health.redis() }),
});

import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { PreviewStatisticsService } from '../previews/statistics-service.ts';
import type { DeadJobService } from './dead-jobs-service.ts';
import type { WorkerNodeService } from './nodes-service.ts';
import type { QueueService } from './queues-service.ts';
import type { ScalingService } from './scaling-service.ts';

type Operations =
  | 'listWorkers' | 'getQueueStats' | 'getPreviewStats' | 'listDeadJobs' | 'retryDeadJob'
  | 'getScalingRules' | 'updateScalingRules' | 'listScalingEvents';

interface Services {
  readonly nodes: WorkerNodeService;
  readonly queues: QueueService;
  readonly deadJobs: DeadJobService;
  readonly previews: PreviewStatisticsService;
  readonly scaling: ScalingService;
}

/** Workers, queues and their jobs as administrators see them. */
export const jobAdminHandlers = ({ nodes, queues, deadJobs, previews, scaling }: Services): Pick<Handlers, Operations> => ({
  listWorkers: async ({ query }, call) => ({ status: 200, body: await nodes.list(call, query) }),
  getQueueStats: async (_request, call) => ({ status: 200, body: await queues.stats(call) }),
  getPreviewStats: async ({ query }, call) => ({ status: 200, body: await previews.stats(call, query) }),
  listDeadJobs: async ({ query }, call) => ({ status: 200, body: await deadJobs.list(call, query) }),
  retryDeadJob: async ({ path }, call) => ({
    status: 202, body: await deadJobs.retry(call, path.job_id), headers: { Location: '/api/v1/admin/dead-jobs' },
  }),
  getScalingRules: async (_request, call) => ({ status: 200, body: await scaling.state(call) }),
  updateScalingRules: async ({ body }, call) => ({ status: 200, body: await scaling.update(call, body) }),
  listScalingEvents: async ({ query }, call) => ({ status: 200, body: await scaling.events(call, query) }),
});

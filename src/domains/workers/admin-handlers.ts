import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { PreviewStatisticsService } from '../previews/statistics-service.ts';
import type { DeadJobService } from './dead-jobs-service.ts';
import type { WorkerNodeService } from './nodes-service.ts';
import type { QueueService } from './queues-service.ts';

type Operations = 'listWorkers' | 'getQueueStats' | 'getPreviewStats' | 'listDeadJobs' | 'retryDeadJob';

interface Services {
  readonly nodes: WorkerNodeService;
  readonly queues: QueueService;
  readonly deadJobs: DeadJobService;
  readonly previews: PreviewStatisticsService;
}

/** Workers, queues and their jobs as administrators see them. */
export const jobAdminHandlers = ({ nodes, queues, deadJobs, previews }: Services): Pick<Handlers, Operations> => ({
  listWorkers: async ({ query }, call) => ({ status: 200, body: await nodes.list(call, query) }),
  getQueueStats: async (_request, call) => ({ status: 200, body: await queues.stats(call) }),
  getPreviewStats: async ({ query }, call) => ({ status: 200, body: await previews.stats(call, query) }),
  listDeadJobs: async ({ query }, call) => ({ status: 200, body: await deadJobs.list(call, query) }),
  retryDeadJob: async ({ path }, call) => ({
    status: 202, body: await deadJobs.retry(call, path.job_id), headers: { Location: '/api/v1/admin/dead-jobs' },
  }),
});

import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { DeadJobService } from './dead-jobs-service.ts';
import type { WorkerNodeService } from './nodes-service.ts';

type Operations = 'listWorkers' | 'listDeadJobs' | 'retryDeadJob';

interface Services {
  readonly nodes: WorkerNodeService;
  readonly deadJobs: DeadJobService;
}

/** Workers, queues and their jobs as administrators see them. */
export const jobAdminHandlers = ({ nodes, deadJobs }: Services): Pick<Handlers, Operations> => ({
  listWorkers: async ({ query }, call) => ({ status: 200, body: await nodes.list(call, query) }),
  listDeadJobs: async ({ query }, call) => ({ status: 200, body: await deadJobs.list(call, query) }),
  retryDeadJob: async ({ path }, call) => ({
    status: 202, body: await deadJobs.retry(call, path.job_id), headers: { Location: '/api/v1/admin/dead-jobs' },
  }),
});

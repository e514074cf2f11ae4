import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { WorkerService } from './service.ts';

type Operations =
  | 'registerWorker' | 'reportHeartbeat' | 'claimJob' | 'reportJobProgress' | 'createJobUploads'
  | 'reportJobResult' | 'reportPreviewResult' | 'reportAiResult' | 'reportRepoSync';

export const workerHandlers = (workers: WorkerService): Pick<Handlers, Operations> => ({
  registerWorker: async ({ body }, call) => ({ status: 200, body: await workers.register(call, body) }),
  reportHeartbeat: async ({ body }, call) => ({ status: 200, body: await workers.heartbeat(call, body) }),
  claimJob: async ({ path, body }, call) => ({ status: 200, body: await workers.claim(call, path.job_id, body) }),
  reportJobProgress: async ({ path, body }, call) => ({ status: 200, body: await workers.progress(call, path.job_id, body) }),
  createJobUploads: async ({ path, body }, call) => ({ status: 200, body: await workers.uploads(call, path.job_id, body) }),
  reportJobResult: async ({ body }, call) => ({ status: 200, body: await workers.report(call, body) }),
  reportPreviewResult: async ({ body }, call) => ({ status: 200, body: await workers.report(call, body) }),
  reportAiResult: async ({ body }, call) => ({ status: 200, body: await workers.report(call, body) }),
  reportRepoSync: async ({ body }, call) => ({ status: 200, body: await workers.report(call, body) }),
});

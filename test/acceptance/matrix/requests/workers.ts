import { epochOf, queuedJob, runningJob, source, success } from '../previews.ts';
import type { Asked, Recipe } from '../requests.ts';
import { newNode, registration, type Scene, type World } from '../world.ts';

/** What a node that is well says of itself. */
export const sign = { status: 'active', metrics: { cpu_percent: 41.5, memory_bytes: 419_430_400, running: 0, free_slots: 1, uptime_seconds: 3600 }, running_job_ids: [] } as const;

const report = (path: string): Recipe => ({
  ask: async (world, scene) => {
    const { jobId, lease } = await runningJob(world, await world.project(scene));
    return { path, json: await success(world, jobId, lease) };
  },
});

const ofRunning = (path: (jobId: string) => string, json: (lease: string) => unknown): Recipe => ({
  ask: async (world: World, scene: Scene): Promise<Asked> => {
    const { jobId, lease } = await runningJob(world, await world.project(scene));
    return { path: path(jobId), json: json(lease) };
  },
});

export const workerRequests: Readonly<Record<string, Recipe>> = {
  registerWorker: {
    ask: () => {
      const node = newNode();
      return Promise.resolve({ path: '/workers/register', json: registration(node.id), node });
    },
  },
  reportHeartbeat: { ask: () => Promise.resolve({ path: '/workers/heartbeat', json: sign }) },
  claimJob: {
    ask: async (world, scene) => {
      const jobId = await queuedJob(world, await world.project(scene));
      return { path: `/workers/jobs/${jobId}/claim`, json: { epoch: await epochOf(world, jobId) } };
    },
  },
  reportJobProgress: ofRunning((jobId) => `/workers/jobs/${jobId}/progress`, (lease) => ({ lease_token: lease, stage: 'bundling', progress: 40 })),
  createJobUploads: ofRunning((jobId) => `/workers/jobs/${jobId}/uploads`, (lease) => ({
    lease_token: lease, objects: [{ ...source, content_type: 'application/javascript', content_encoding: 'identity' }],
  })),
  reportPreviewResult: report('/preview/callback'),
  reportJobResult: report('/workers/callback'),
};

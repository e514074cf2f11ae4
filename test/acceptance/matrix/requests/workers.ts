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

/** A job that was given up after its last attempt. */
async function deadJob(world: World, scene: Scene): Promise<string> {
  const jobId = await queuedJob(world, await world.project(scene));
  await world.sql("update preview_jobs set status = 'failed', attempt = 3, error_code = 'INTERNAL_ERROR', completed_at = now(), died_at = now() where id = $1", [jobId]);
  return jobId;
}

const at = (path: string): Recipe => ({ ask: () => Promise.resolve({ path }) });
const retryAt = (jobId: string): string => `/admin/dead-jobs/${jobId}/retry`;

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
  reportAiResult: report('/ai/callback'),
  reportRepoSync: report('/repos/callback'),
  reportJobResult: report('/workers/callback'),
  listWorkers: at('/admin/workers'),
  getQueueStats: at('/admin/queues'),
  getPreviewStats: at('/admin/stats/previews'),
  getScalingRules: at('/admin/scaling'),
  updateScalingRules: { ask: () => Promise.resolve({ path: '/admin/scaling', json: { type: 'gpu', max: 4 } }) },
  listScalingEvents: at('/admin/scaling/events'),
  listDeadJobs: at('/admin/dead-jobs'),
  retryDeadJob: {
    ask: async (world, scene) => {
      const jobId = await deadJob(world, scene);
      return { path: retryAt(jobId), target: jobId, other: { path: retryAt(await deadJob(world, scene)) } };
    },
  },
};

/**
 * A worker process: takes jobs of one class from the queues and knows the backend only by its worker operations. Needs
 * BASE_URL, REDIS_* and WORKER_SHARED_SECRET; no database, no storage credentials. Any number may run, anywhere.
 *
 *     node src/worker.ts [--class cpu|gpu] [--concurrency N] [--name X]
 *
 * Under a supervisor it sends `{type: 'sdk-progress', version, stage, done, total}` while it makes an SDK set ready, and
 * `{type: 'ready'}` when it takes jobs.
 */
import { readFileSync } from 'node:fs';
import { homedir, hostname, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { JobKind, WorkerCapabilities } from '#generated/sdk/types.gen.ts';
import { readEnvironment } from '#config/environment.ts';
import { pause } from '#platform/deadline.ts';
import { openLog } from '#platform/log.ts';
import { openRedis, redisOptions, redisReady } from '#platform/redis.ts';
import { createShutdown, shutdownOnSignals } from '#platform/shutdown.ts';
import { WorkerBackend } from '#workers/backend.ts';
import { BlobCache } from '#workers/blob-cache.ts';
import type { JobHandler } from '#workers/job-handler.ts';
import { UsageMeter } from '#workers/metrics.ts';
import { previewHandler } from '#workers/preview/job.ts';
import { ProjectCaches } from '#workers/preview/project-caches.ts';
import { sandboxKind } from '#workers/preview/builder.ts';
import { liveSessionHandler } from '#workers/preview/live.ts';
import { liveSessionsAtOnce, SdkShelf, warmProcesses } from '#workers/preview/sdk-shelf.ts';
import { WorkerRuntime } from '#workers/runtime.ts';
import { takeWorkDir } from '#workers/work-dir.ts';

const blobCacheBytes = 2 * 1024 ** 3;
const projectCacheBounds = { projects: 200, bytes: 2 * 1024 ** 3 };
/** A supervisor gives ten seconds from SIGTERM to SIGKILL; the last word must be out before. */
const supervisedShutdownMs = 9_000;
/** Of a shutdown, what the steps after the drain may need. */
const afterDrainMs = 5_500;
const redisRetryMs = 2_000;
/** The most that a tier's limit can be set to; each job comes with its own. */
const longestBuildMs = 120 * 60_000;

const { values } = parseArgs({
  // The last is the supervisor's mark, read by shutdownOnSignals.
  options: { class: { type: 'string' }, concurrency: { type: 'string' }, name: { type: 'string' }, supervised: { type: 'boolean' } },
  strict: true,
});
const env = readEnvironment(
  {
    ...process.env,
    ...(values.class === undefined ? {} : { WORKER_CLASS: values.class }),
    ...(values.concurrency === undefined ? {} : { WORKER_CONCURRENCY: values.concurrency }),
  },
  { role: 'worker' },
);
if (values.name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/u.test(values.name)) {
  throw new Error('--name takes letters, digits, dots, hyphens and underscores, 96 at most.');
}
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
const log = openLog(env, `worker-${env.workerClass}`);

const sandbox = sandboxKind() === 'bubblewrap' ? 'bubblewrap' : 'node_permissions';
if (sandbox !== 'bubblewrap') {
  if (env.production && !env.workerAllowWeakSandbox) {
    log.error('worker.sandbox_weak', 'bubblewrap does not work here, and a production worker does not build without it. Install it and allow user namespaces, or set WORKER_ALLOW_WEAK_SANDBOX=true.');
    await log.flush();
    process.exit(1);
  }
  log.warn('worker.sandbox_weak', 'bubblewrap does not work here: uploaded code is built behind Node\'s permission model alone, with the network open to it');
}

const isSupervised = values.supervised === true || process.connected === true;
const shutdownMs = isSupervised ? Math.min(env.shutdownTimeoutMs, supervisedShutdownMs) : env.shutdownTimeoutMs;
const shutdown = createShutdown(log, shutdownMs);
shutdownOnSignals(shutdown);

const redis = redisOptions(env, 'worker');
const defaultName = `${hostname().replaceAll(/[^A-Za-z0-9._-]/gu, '-').replace(/^[^A-Za-z0-9]+/u, '').slice(0, 80) || 'worker'}-${env.workerClass}`;
const workDir = await takeWorkDir(env.dataDir, values.name ?? defaultName, values.name !== undefined);
const blobs = await BlobCache.open(workDir.blobsDir, blobCacheBytes);
const caches = new ProjectCaches(workDir.projectsDir, projectCacheBounds);
await caches.trim();
const shelf = new SdkShelf({
  dataDir: env.dataDir,
  versions: env.previewSdkVersions,
  // Previews travel by the cpu class: a gpu worker can build one and keeps no memory ready for it.
  warm: env.workerClass === 'cpu' ? warmProcesses(env.workerConcurrency, Math.min(totalmem(), process.constrainedMemory() || Infinity)) : 0,
  maxBuildMs: longestBuildMs,
  log,
  onProgress: (progress) => tell({ type: 'sdk-progress', ...progress }),
});
const handlers = new Map<JobKind, JobHandler>([
  ['preview', previewHandler({ builderOf: (sdk) => shelf.get(sdk), blobs, caches })],
  ['live_session', liveSessionHandler({ builderOf: (sdk) => shelf.get(sdk), blobs, atOnce: liveSessionsAtOnce(Math.min(totalmem(), process.constrainedMemory() || Infinity)) })],
]);
const capabilities = (): WorkerCapabilities => ({ kinds: [...handlers.keys()], sdk_versions: shelf.versions, sandbox, local_model: false });
const runtime = new WorkerRuntime({
  backend: new WorkerBackend({ baseUrl: env.baseUrl, name: workDir.name, sharedSecret: env.workerSharedSecret }),
  name: workDir.name,
  queueClass: env.workerClass,
  concurrency: env.workerConcurrency,
  version,
  redis,
  handlers,
  capabilities,
  blobCacheBytes: () => blobs.totalBytes,
  usage: new UsageMeter(),
  jobsDir: workDir.jobsDir,
  hostPaths: [workDir.jobsDir, env.dataDir, process.cwd(), homedir()].filter((path) => path.length > 1),
  log,
  onDrain: () => void drain(),
  onShutOut: (error) => void giveUp('worker.shut_out', 'The backend does not take this worker', error),
});

// Within a phase the last one added runs first.
shutdown.add('flush', 'the log', 1_000, () => log.flush());
shutdown.add('close', 'the work folder', 500, () => workDir.release());
shutdown.add('close', 'the queues', 1_500, () => runtime.close(1_000));
shutdown.add('close', 'the builders', 2_000, () => shelf.close());
shutdown.add('release', 'the jobs', 4_500, () => runtime.release());
shutdown.add('drain', 'the jobs', shutdownMs, async () => { await runtime.finish(Math.max(500, shutdownMs - afterDrainMs)); });
shutdown.add('refuse', 'new jobs', 1_000, () => runtime.refuse());

try {
  shelf.takeInstalled();
  await Promise.all([
    runtime.start(),
    shelf.versions.includes(shelf.defaultVersion) ? takeJobs() : undefined,
    shelf.prepare(shutdown.signal, async (sdkVersion) => {
      // Not before the first registration is over: it may have left without this set.
      await runtime.registered();
      await runtime.register();
      if (sdkVersion === shelf.defaultVersion) await takeJobs();
    }),
  ]);
} catch (error) {
  if (!shutdown.signal.aborted) await giveUp('worker.start_failed', 'The worker could not start', error);
}

async function takeJobs(): Promise<void> {
  await awaitRedis();
  await runtime.registered();
  await runtime.takeJobs();
  tell({ type: 'ready' });
}

/** bee-queue's client ends the process on a wrong password: ask with one that does not, until Redis is there. */
async function awaitRedis(): Promise<void> {
  const probe = openRedis(env, log);
  try {
    for (;;) {
      shutdown.signal.throwIfAborted();
      try {
        await redisReady(probe);
        return;
      } catch (error) {
        if (error instanceof Error && error.message === 'Redis refused the password.') throw error;
        await pause(redisRetryMs, shutdown.signal);
      }
    }
  } finally {
    probe.disconnect();
  }
}

/** The backend's wish: finish what runs, however long it may take, and end well. */
async function drain(): Promise<void> {
  log.info('worker.drains', 'The backend asked this worker to drain', { running: runtime.runningJobs });
  runtime.refuse();
  await runtime.finish(null);
  process.exit((await shutdown.begin('drained')) ? 0 : 1);
}

async function giveUp(eventType: string, message: string, error: unknown): Promise<void> {
  log.error(eventType, message, { error });
  await shutdown.begin(eventType);
  process.exit(1);
}

function tell(message: Readonly<Record<string, unknown>>): void {
  if (process.connected === true) process.send?.(message, undefined, undefined, () => undefined);
}

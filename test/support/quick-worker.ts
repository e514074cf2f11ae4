/**
 * A worker that is whole but for Metro: queues, claims, leases, sources, packaging, uploads and reports are the real ones, and
 * its builder copies the entry file. Hundreds of jobs a minute run through it. Started by test/support/system.ts, with the
 * arguments and the word of readiness of src/worker.ts.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readEnvironment } from '#config/environment.ts';
import { pause } from '#platform/deadline.ts';
import { openLog } from '#platform/log.ts';
import { redisOptions } from '#platform/redis.ts';
import { defaultSdkVersion } from '#platform/sdk-sets.ts';
import { WorkerBackend } from '#workers/backend.ts';
import { BlobCache } from '#workers/blob-cache.ts';
import { UsageMeter } from '#workers/metrics.ts';
import type { Builder, BuildResult } from '#workers/preview/builder.ts';
import { previewHandler } from '#workers/preview/job.ts';
import { ProjectCaches } from '#workers/preview/project-caches.ts';
import { WorkerRuntime } from '#workers/runtime.ts';
import { takeWorkDir } from '#workers/work-dir.ts';

/** So long each build takes, that a fault finds some at work. */
const buildMs = 300;
const steps = 3;

const { values } = parseArgs({
  options: { class: { type: 'string' }, concurrency: { type: 'string', default: '4' }, name: { type: 'string', default: 'quick' } },
});
const env = readEnvironment({ ...process.env, WORKER_CONCURRENCY: values.concurrency }, { role: 'worker' });
const log = openLog(env, 'worker-cpu');

const copying: Pick<Builder, 'build'> = {
  build: async ({ sourceDir, outDir, entryFile, signal, onProgress }) => {
    for (let done = 1; done <= steps; done += 1) {
      await pause(buildMs / steps, signal);
      onProgress?.({ stage: 'bundling', done, total: steps });
    }
    const bundle = await readFile(join(sourceDir, entryFile));
    await mkdir(outDir, { recursive: true });
    await writeFile(join(outDir, 'bundle.js'), bundle);
    // What the handler does not read (metadata, timings) is left out.
    return {
      ok: true, files: [{ kind: 'bundle', path: 'bundle.js', sizeBytes: bundle.length, sha256: createHash('sha256').update(bundle).digest('hex') }],
    } as unknown as BuildResult;
  },
};

const workDir = await takeWorkDir(env.dataDir, values.name, true);
const blobs = await BlobCache.open(workDir.blobsDir, 64 * 1024 ** 2);
const caches = new ProjectCaches(workDir.projectsDir, { projects: 50, bytes: 64 * 1024 ** 2 });
const runtime = new WorkerRuntime({
  backend: new WorkerBackend({ baseUrl: env.baseUrl, name: workDir.name, sharedSecret: env.workerSharedSecret }),
  name: workDir.name, queueClass: 'cpu', concurrency: env.workerConcurrency, version: '0.0.0',
  redis: redisOptions(env, 'worker'),
  handlers: new Map([['preview', previewHandler({ builderOf: () => ({ builder: copying as Builder, platforms: ['ios', 'android', 'web'] }), blobs, caches })]]),
  capabilities: () => ({ kinds: ['preview'], sdk_versions: [defaultSdkVersion()], sandbox: 'node_permissions', local_model: false }),
  blobCacheBytes: () => blobs.totalBytes,
  usage: new UsageMeter(),
  jobsDir: workDir.jobsDir,
  hostPaths: [workDir.jobsDir],
  log,
  onDrain: () => undefined,
  onShutOut: (error) => { throw error; },
});
process.once('SIGTERM', () => {
  runtime.refuse();
  void runtime.finish(5_000)
    .then(() => runtime.release())
    .then(() => runtime.close(1_000))
    .then(() => log.flush())
    .then(() => process.exit(0));
});
await runtime.start();
await runtime.takeJobs();
process.send?.({ type: 'ready' });

/** A worker whose jobs end at once, as builds that fail: everything of a job's way but the work. Started by bench/enqueue.ts. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from '#config/environment.ts';
import { openLog } from '#platform/log.ts';
import { redisOptions } from '#platform/redis.ts';
import { WorkerBackend } from '#workers/backend.ts';
import type { JobHandler } from '#workers/job-handler.ts';
import { UsageMeter } from '#workers/metrics.ts';
import { WorkerRuntime } from '#workers/runtime.ts';

const env = readEnvironment(process.env, { role: 'worker' });
const log = openLog(env, 'bench-worker');
const failing: JobHandler = {
  run: () => Promise.resolve({ status: 'FAIL', failure: { kind: 'build_error', message: 'Nothing is built here.', retryable: false } }),
};
const runtime = new WorkerRuntime({
  backend: new WorkerBackend({ baseUrl: env.baseUrl, name: 'bench', sharedSecret: env.workerSharedSecret }),
  name: 'bench', queueClass: 'cpu', concurrency: env.workerConcurrency, version: '0.0.0',
  redis: redisOptions(env, 'worker'),
  handlers: new Map([['preview', failing]]),
  capabilities: () => ({ kinds: ['preview'], sdk_versions: ['0.88.1'], sandbox: 'none', local_model: false }),
  blobCacheBytes: () => 0,
  usage: new UsageMeter(),
  jobsDir: join(tmpdir(), `hivesync-bench-jobs-${process.pid}`),
  hostPaths: [],
  log,
  onDrain: () => undefined,
  onShutOut: (error) => { throw error; },
});
process.once('SIGTERM', () => {
  runtime.refuse();
  void runtime.finish(5_000).then(() => runtime.close(1_000)).then(() => process.exit(0));
});
await runtime.start();
await runtime.registered();
await runtime.takeJobs();
process.send?.('ready');

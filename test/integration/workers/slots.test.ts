import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PreviewJobInput } from '#generated/sdk/types.gen.ts';
import { newId } from '#platform/ids.ts';
import { createLogger } from '#platform/log.ts';
import { JobProducer } from '#platform/queue.ts';
import { redisOptions } from '#platform/redis.ts';
import { WorkerBackend } from '#workers/backend.ts';
import type { JobContext, JobOutcome } from '#workers/job-handler.ts';
import { UsageMeter } from '#workers/metrics.ts';
import { WorkerRuntime } from '#workers/runtime.ts';
import { useRedis } from '../../support/redis.ts';
import { until } from '../../support/system.ts';
import { FixtureBackend, sharedSecret } from './fixture-backend.ts';

const input: PreviewJobInput = {
  kind: 'preview', project_id: newId(), sdk_version: '0.88.1', target_platform: 'ios', entry_file: 'index.js', environment: 'development', env: {}, dev: false,
  sources: { count: 0, bytes: 0, items: [], url: null },
  limits: { max_bundle_bytes: 1000, max_artifact_bytes: 1000, max_artifacts: 10, max_memory_bytes: 2 ** 30, max_log_lines: 450 },
};
const success: JobOutcome = { status: 'SUCCESS', result: { kind: 'preview', bundle_bytes: 1, timings: { fetching_ms: 1, bundling_ms: 1, packaging_ms: 1, uploading_ms: 1 } } };

describe('the one slot of a worker', () => {
  const redis = useRedis();
  const silent = createLogger({ level: 'silent', sinks: [] });
  let fixture: FixtureBackend;
  let producer: JobProducer;
  let jobsDir: string;
  let runtimes: WorkerRuntime[] = [];
  let work: (context: JobContext) => Promise<JobOutcome>;

  const begin = async (): Promise<WorkerRuntime> => {
    // Two of one name that start within a second would sign alike.
    const name = `builder-${runtimes.length}-${newId().slice(-4)}`;
    const runtime = new WorkerRuntime({
      backend: new WorkerBackend({ baseUrl: fixture.baseUrl, name, sharedSecret }),
      name, queueClass: 'cpu', concurrency: 1, version: '0.1.0',
      redis: redisOptions(redis.current.env, 'worker'),
      handlers: new Map([['preview', { run: (context) => work(context) }]]),
      capabilities: () => ({ kinds: ['preview'], sdk_versions: ['0.88.1'], sandbox: 'bubblewrap', local_model: false }),
      blobCacheBytes: () => 0, usage: new UsageMeter(), jobsDir, hostPaths: [jobsDir], log: silent,
      onDrain: () => undefined,
      onShutOut: () => undefined,
    });
    runtimes.push(runtime);
    await runtime.start();
    await runtime.takeJobs();
    return runtime;
  };
  const send = async (job: { job_id: string; epoch: number }, priority: 'high' | 'normal' | 'low' = 'normal'): Promise<void> => {
    await producer.send('cpu', priority, [{ jobId: job.job_id, epoch: job.epoch }]);
  };

  beforeEach(async () => {
    await redis.current.redis.flushdb();
    fixture = new FixtureBackend();
    await fixture.listen();
    jobsDir = await mkdtemp(join(tmpdir(), 'hivesync-jobs-'));
    producer = new JobProducer(redisOptions(redis.current.env, 'producer'), silent);
    runtimes = [];
  });
  afterEach(async () => {
    await Promise.all(runtimes.map((runtime) => runtime.release()));
    await Promise.all(runtimes.map((runtime) => runtime.close(2_000)));
    await producer.close();
    await fixture.close();
    await rm(jobsDir, { recursive: true, force: true });
  });

  it('is shared 6:3:1 among real queues that are all busy, whoever fetches first', async () => {
    const { promise: mayGo, resolve: go } = Promise.withResolvers<void>();
    work = async () => {
      await mayGo;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return success;
    };
    const priorities = new Map<string, string>();
    for (let count = 0; count < 35; count += 1) {
      for (const priority of ['low', 'normal', 'high'] as const) {
        const job = fixture.addJob(input);
        priorities.set(job.job_id, priority);
        await send(job, priority);
      }
    }
    const runtime = await begin();
    await until('the first job', () => runtime.runningJobs === 1);
    go();
    await until('half of them', () => fixture.reports.length >= 51, 15_000);
    const begun = fixture.claims.slice(1, 51).map(({ jobId }) => priorities.get(jobId));
    const shares = ['high', 'normal', 'low'].map((priority) => begun.filter((one) => one === priority).length);
    // The first job went to whoever was there first, and leaves its trace in the credits.
    expect(shares[0]).to.be.within(28, 31);
    expect(shares[1]).to.be.within(14, 16);
    expect(shares[2]).to.be.within(5, 6);
  });

  it('holds nothing that it cannot work on: another worker does what comes while it is busy, at once and in order', async () => {
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    const begun: string[] = [];
    work = async (context) => {
      begun.push(context.job.job_id);
      if (begun.length === 1) await mayEnd;
      return success;
    };
    await begin();
    const [long, first, second, third] = [fixture.addJob(input), fixture.addJob(input), fixture.addJob(input), fixture.addJob(input)];
    await send(long);
    await until('the long job', () => begun.length === 1);
    await send(first, 'high');
    await until('the first to be back', async () => { const { waiting, active } = await producer.depth('cpu', 'high'); return waiting === 1 && active === 0; });
    await send(second, 'high');
    await send(third, 'high');
    expect(await producer.depth('cpu', 'high')).to.deep.equal({ waiting: 3, active: 0 });
    await begin();
    await until('all to be done while the first worker is busy', () => fixture.reports.length === 3);
    expect(begun).to.deep.equal([long.job_id, first.job_id, second.job_id, third.job_id]);
    letEnd();
    await until('the long job to end', () => fixture.reports.length === 4);
  });

  it('is out of nobody\'s way, however many workers are busy: the one that is free gets what comes in less time than a job takes', async () => {
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    const begun: string[] = [];
    work = async (context) => {
      begun.push(context.job.job_id);
      if (begun.length <= 6) await mayEnd;
      return success;
    };
    await Promise.all(Array.from({ length: 7 }, () => begin()));
    for (let one = 0; one < 6; one += 1) await send(fixture.addJob(input), 'low');
    await until('six to be busy', () => begun.length === 6);
    // Each of the six still waits for a first message of the other queues, and they asked before the seventh.
    const sentAt = performance.now();
    await send(fixture.addJob(input), 'high');
    await until('it to be done', () => fixture.reports.length === 1);
    expect(performance.now() - sentAt).to.be.lessThan(500);
    letEnd();
    await until('the others', () => fixture.reports.length === 7);
  });
});

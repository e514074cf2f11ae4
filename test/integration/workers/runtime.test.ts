import { expect } from 'chai';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClaimedJob, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import { createLogger, type Logger } from '#platform/log.ts';
import { JobProducer } from '#platform/queue.ts';
import { redisOptions } from '#platform/redis.ts';
import { newId } from '#platform/ids.ts';
import { WorkerBackend } from '#workers/backend.ts';
import { type JobContext, type JobOutcome, JobStopped } from '#workers/job-handler.ts';
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

/** Resolves when the work is to end, with the reason. */
const stopOf = (context: JobContext): Promise<string> => new Promise((resolve) => {
  const told = (): void => resolve(context.signal.reason instanceof JobStopped ? context.signal.reason.reason : 'unknown');
  if (context.signal.aborted) told();
  else context.signal.addEventListener('abort', told, { once: true });
});

describe('the worker runtime', () => {
  const redis = useRedis();
  const silent: Logger = createLogger({ level: 'silent', sinks: [] });
  let fixture: FixtureBackend;
  let producer: JobProducer;
  let runtime: WorkerRuntime;
  let jobsDir: string;
  let drains: number;
  let shutOut: Error | null;
  /** What the handler does; a test puts in its own. */
  let work: (context: JobContext) => Promise<JobOutcome>;

  const create = (concurrency = 2): WorkerRuntime => new WorkerRuntime({
    backend: new WorkerBackend({ baseUrl: fixture.baseUrl, name: 'builder-1', sharedSecret }),
    name: 'builder-1', queueClass: 'cpu', concurrency, version: '0.1.0',
    redis: redisOptions(redis.current.env, 'worker'),
    handlers: new Map([['preview', { run: (context) => work(context) }]]),
    capabilities: () => ({ kinds: ['preview'], sdk_versions: ['0.88.1'], sandbox: 'bubblewrap', local_model: false }),
    blobCacheBytes: () => 0, usage: new UsageMeter(), jobsDir, hostPaths: [jobsDir], log: silent,
    onDrain: () => { drains += 1; },
    onShutOut: (error) => { shutOut = error; },
  });
  const begin = async (): Promise<void> => {
    await runtime.start();
    await runtime.takeJobs();
  };
  const send = async (job: ClaimedJob, priority: 'high' | 'normal' | 'low' = 'normal'): Promise<void> => {
    await producer.send('cpu', priority, [{ jobId: job.job_id, epoch: job.epoch }]);
  };
  const queued = async (): Promise<number> => {
    const depths = await Promise.all((['high', 'normal', 'low'] as const).map((priority) => producer.depth('cpu', priority)));
    return depths.reduce((sum, { waiting, active }) => sum + waiting + active, 0);
  };

  beforeEach(async () => {
    await redis.current.redis.flushdb();
    fixture = new FixtureBackend();
    await fixture.listen();
    jobsDir = await mkdtemp(join(tmpdir(), 'hivesync-jobs-'));
    producer = new JobProducer(redisOptions(redis.current.env, 'producer'), silent);
    drains = 0;
    shutOut = null;
    work = async () => success;
    runtime = create();
  });
  afterEach(async () => {
    await runtime.release();
    await runtime.close(2_000);
    await producer.close();
    await fixture.close();
    await rm(jobsDir, { recursive: true, force: true });
  });

  it('claims what a message names, works in a folder of its own, reports the result and leaves nothing behind', async () => {
    let folder = '';
    work = async (context) => {
      folder = context.workDir;
      await writeFile(join(folder, 'file'), 'x');
      return success;
    };
    await begin();
    const job = fixture.addJob(input);
    await send(job);
    await until('the result', () => fixture.reports.length === 1);
    expect(fixture.reports[0]).to.include({ job_id: job.job_id, status: 'SUCCESS', lease_token: job.lease_token });
    expect(folder.startsWith(jobsDir)).to.equal(true);
    await until('the folder to be gone', async () => (await readdir(jobsDir)).length === 0);
    await until('the message to be gone', async () => (await queued()) === 0);
    expect(fixture.unsigned).to.deep.equal([]);
  });

  it('drops a message in silence when there is nothing to claim', async () => {
    await begin();
    await producer.send('cpu', 'high', [{ jobId: newId(), epoch: 0 }]);
    await until('the claim', () => fixture.claims.length === 1);
    await until('the message to be gone', async () => (await queued()) === 0);
    expect(fixture.reports).to.deep.equal([]);
  });

  it('runs no more jobs at once than it has slots, whatever the priorities', async () => {
    let running = 0;
    let most = 0;
    work = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
      return success;
    };
    await begin();
    const jobs = Array.from({ length: 12 }, () => fixture.addJob(input));
    await Promise.all(jobs.map((job, index) => send(job, (['high', 'normal', 'low'] as const)[index % 3] ?? 'low')));
    await until('all results', () => fixture.reports.length === 12);
    expect(most).to.equal(2);
    expect(new Set(fixture.reports.map(({ job_id: id }) => id)).size).to.equal(12);
  });

  it('keeps asking for a job while the backend is away, and does it then', async () => {
    let asked = 0;
    const job = fixture.addJob(input);
    fixture.answerClaim = (_body, jobId) => ((asked += 1) <= 3 ? 'cut' : (fixture.jobs.get(jobId) ?? { status: 409, code: 'CONFLICT' }));
    await begin();
    await send(job);
    await until('the result', () => fixture.reports.length === 1);
    expect(asked).to.equal(4);
  });

  it('repeats a result until it is heard', async () => {
    let told = 0;
    fixture.answerReport = () => ((told += 1) < 3 ? 'cut' : { accepted: true, job_status: 'succeeded', reason: null });
    await begin();
    await send(fixture.addJob(input));
    await until('the result', () => told === 3);
  });

  it('sends every log line once and in order, bounded, without paths of this machine', async () => {
    work = async (context) => {
      for (let line = 0; line < 600; line += 1) context.logLine('info', `line ${line} of ${context.workDir}/src/App.tsx`);
      return success;
    };
    let cuts = 0;
    const extended = fixture.answerProgress;
    fixture.answerProgress = (body, jobId) => (body.log !== undefined && (cuts += 1) === 2 ? 'cut' : extended(body, jobId));
    await begin();
    await send(fixture.addJob(input));
    await until('the result', () => fixture.reports.length === 1);
    const lines: string[] = [];
    for (const { body } of fixture.progress) {
      // As the backend does: a line that is there already changes nothing.
      (body.log ?? []).forEach((line, index) => { lines[(body.log_offset ?? 0) + index] ??= line.message; });
    }
    expect(lines).to.have.length(450);
    expect(lines[0]).to.equal('line 0 of src/App.tsx');
    expect(lines[448]).to.equal('line 448 of src/App.tsx');
    expect(lines[449]).to.contain('left out');
  });

  it('brings the last lines of a log also where the backend refuses them for a second, and does not ask it without a pause', async () => {
    let refused = 0;
    let mayPassAt = Infinity;
    work = async (context) => {
      context.logLine('info', 'the last line');
      mayPassAt = performance.now() + 1_000;
      return success;
    };
    fixture.answerProgress = () => {
      if (performance.now() >= mayPassAt) return fixture.extended();
      refused += 1;
      return { status: 503, code: 'SERVICE_UNAVAILABLE' };
    };
    await begin();
    await send(fixture.addJob(input));
    await until('the result', () => fixture.reports.length === 1);
    expect(fixture.progress.at(-1)?.body.log?.map(({ message }) => message)).to.deep.equal(['the last line']);
    expect(refused).to.be.within(1, 8);
  });

  it('shows progress that never falls, and keeps the lease without any', async () => {
    fixture.leaseMs = 1_600;
    work = async (context) => {
      context.progress({ stage: 'fetching', percent: 30, done: 3, total: 10 });
      context.progress({ stage: 'bundling', percent: 20 });
      await until('the lease to be kept', () => fixture.progress.length >= 5);
      return success;
    };
    await begin();
    await send(fixture.addJob(input));
    await until('the result', () => fixture.reports.length === 1);
    expect(fixture.reports[0]?.status).to.equal('SUCCESS');
    const shown = fixture.progress.map(({ body }) => body.progress);
    expect(shown).to.deep.equal([...shown].sort((a, b) => a - b));
    expect(fixture.progress.at(-1)?.body).to.include({ stage: 'bundling', progress: 30 });
  });

  it('ends the work and reports nothing when the lease is lost', async () => {
    let reason = '';
    work = async (context) => {
      reason = await stopOf(context);
      throw context.signal.reason as Error;
    };
    fixture.answerProgress = () => ({ status: 409, code: 'CONFLICT' });
    await begin();
    const job = fixture.addJob(input);
    await send(job);
    await until('the end', () => reason !== '');
    expect(reason).to.equal('lease_lost');
    await until('the folder to be gone', async () => (await readdir(jobsDir)).length === 0);
    expect(fixture.reports).to.deep.equal([]);
  });

  it('ends the work when the backend cannot be told of progress for as long as the lease lasts', async () => {
    fixture.leaseMs = 1_200;
    let reason = '';
    work = async (context) => {
      reason = await stopOf(context);
      throw context.signal.reason as Error;
    };
    fixture.answerProgress = () => 'cut';
    await begin();
    await send(fixture.addJob(input));
    await until('the end', () => reason !== '', 10_000);
    expect(reason).to.equal('lease_lost');
    expect(fixture.reports).to.deep.equal([]);
  });

  it('ends a job that the answer to a heartbeat names', async () => {
    let reason = '';
    work = async (context) => {
      reason = await stopOf(context);
      throw context.signal.reason as Error;
    };
    fixture.answerHeartbeat = (body) => ({ drain: false, stop_job_ids: body.running_job_ids, heartbeat_seconds: 1, server_time: new Date().toISOString() });
    await begin();
    await send(fixture.addJob(input));
    await until('the end', () => reason !== '', 10_000);
    expect(reason).to.equal('cancelled');
  });

  it('reports a timeout that is not tried again when the backend says the job is overdue', async () => {
    work = async (context) => {
      await stopOf(context);
      throw context.signal.reason as Error;
    };
    fixture.answerProgress = () => ({ ...fixture.extended(), stop: true, reason: 'deadline' });
    await begin();
    await send(fixture.addJob(input));
    await until('the result', () => fixture.reports.length === 1);
    expect(fixture.reports[0]?.failure).to.include({ kind: 'timeout', retryable: false });
  });

  it('tells a failure of its own as one that another attempt may mend, without its words', async () => {
    work = async () => { throw new Error('ENOENT: no such file, open /srv/secret/place'); };
    await begin();
    await send(fixture.addJob(input));
    await until('the result', () => fixture.reports.length === 1);
    expect(fixture.reports[0]?.failure).to.include({ kind: 'internal', retryable: true });
    expect(JSON.stringify(fixture.reports[0])).not.to.contain('/srv/secret');
  });

  it('reports what the backend refused as a failure that is tried again', async () => {
    fixture.answerReport = (body) => (body.status === 'SUCCESS' ? { status: 400, code: 'VALIDATION_ERROR' } : { accepted: true, job_status: 'queued', reason: null });
    await begin();
    await send(fixture.addJob(input));
    await until('both reports', () => fixture.reports.length === 2);
    expect(fixture.reports[1]).to.deep.include({ status: 'FAIL' });
    expect(fixture.reports[1]?.failure?.retryable).to.equal(true);
  });

  it('stops in order: what runs is ended and not reported, what waits goes back to its queue, the last word is "stopped"', async () => {
    await runtime.release();
    runtime = create(1);
    let begun = 0;
    work = async (context) => {
      begun += 1;
      await stopOf(context);
      throw context.signal.reason as Error;
    };
    await begin();
    const [first, second] = [fixture.addJob(input), fixture.addJob(input)];
    await send(first);
    await until('the first job', () => begun === 1);
    await send(second, 'high');
    runtime.refuse();
    await until('the second message to be back', async () => { const { waiting, active } = await producer.depth('cpu', 'high'); return waiting === 1 && active === 0; });
    expect(await runtime.finish(50)).to.equal(false);
    await runtime.release();
    expect(runtime.runningJobs).to.equal(0);
    expect(begun).to.equal(1);
    expect(fixture.reports).to.deep.equal([]);
    expect(fixture.heartbeats.at(-1)).to.include({ status: 'stopped' });
    expect(fixture.heartbeats.at(-1)?.running_job_ids).to.deep.equal([]);
  });

  it('lets what runs finish when it is to drain, and takes nothing new', async () => {
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    let begun = 0;
    work = async () => {
      begun += 1;
      await mayEnd;
      return success;
    };
    await begin();
    await send(fixture.addJob(input));
    await until('the job', () => begun === 1);
    fixture.answerHeartbeat = () => ({ drain: true, stop_job_ids: [], heartbeat_seconds: 1, server_time: new Date().toISOString() });
    await until('the wish to drain', () => drains > 0);
    runtime.refuse();
    await send(fixture.addJob(input));
    letEnd();
    expect(await runtime.finish(null)).to.equal(true);
    expect(fixture.reports.map(({ status }) => status)).to.deep.equal(['SUCCESS']);
    expect(begun).to.equal(1);
  });

  it('registers again when the backend does not know its key any more', async () => {
    await begin();
    fixture.changeNodeKey();
    await until('the second registration', () => fixture.registrations.length === 2, 10_000);
    await send(fixture.addJob(input));
    await until('the result', () => fixture.reports.length === 1);
    expect(shutOut).to.equal(null);
  });

  it('says so when it was shut out', async () => {
    await begin();
    fixture.answerRegistration = () => ({ status: 403, code: 'FORBIDDEN' });
    fixture.changeNodeKey();
    await until('to be told', () => shutOut !== null, 10_000);
  });

  it('waits for a backend that is not there yet', async () => {
    let asked = 0;
    const registered = fixture.answerRegistration;
    fixture.answerRegistration = (body, none) => ((asked += 1) < 3 ? 'cut' : registered(body, none));
    await begin();
    expect(asked).to.equal(3);
  });

  it('tells real figures of itself with each heartbeat', async () => {
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    work = async () => {
      await mayEnd;
      return success;
    };
    await begin();
    const job = fixture.addJob(input);
    await send(job);
    await until('a heartbeat that names the job', () => fixture.heartbeats.some((beat) => beat.running_job_ids.includes(job.job_id)), 10_000);
    letEnd();
    await until('a heartbeat that counts it', () => fixture.heartbeats.some((beat) => beat.metrics.jobs_succeeded === 1), 10_000);
    const { metrics } = fixture.heartbeats.find((beat) => beat.running_job_ids.includes(job.job_id)) ?? fixture.heartbeats[0] ?? expect.fail('no heartbeat');
    expect(metrics.running).to.equal(1);
    expect(metrics.free_slots).to.equal(1);
    expect(metrics.memory_bytes).to.be.within(20_000_000, 20_000_000_000);
    expect(metrics.cpu_percent).to.be.within(0, 100);
  });
});

import { expect } from 'chai';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { OutboxRelay } from '#jobs/relay.ts';
import type { WorkerCaller } from '#platform/call.ts';
import type { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { redisOptions } from '#platform/redis.ts';
import { WorkerBackend } from '#workers/backend.ts';
import type { JobOutcome } from '#workers/job-handler.ts';
import { UsageMeter } from '#workers/metrics.ts';
import { WorkerRuntime } from '#workers/runtime.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { claim, epochOf, queuedJob, request, sourceOf, uploadMissing } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { testFolder } from '../../support/services.ts';
import { until } from '../../support/until.ts';

const [first, second] = ['0.88.1', '57.0.26'];

describe('the SDK set a job is built with', () => {
  const backend = useBackend();
  const runtimes: WorkerRuntime[] = [];
  const relays: OutboxRelay[] = [];
  let ada: Person;
  let project: string;

  beforeEach(async () => {
    const { sql, redis, person } = backend.current;
    await sql("update preview_jobs set status = 'cancelled', completed_at = now(), lease_token_hash = null, lease_expires_at = null where status in ('queued', 'running')");
    await sql("update worker_nodes set status = 'stopped'");
    await sql('delete from outbox');
    await redis.redis.flushdb();
    await redis.redis.set('queue:sentinel', '1');
    ada = await person();
    project = await backend.current.project(ada);
  });
  afterEach(async () => {
    await Promise.all(runtimes.map((runtime) => runtime.release()));
    await Promise.all(runtimes.splice(0).map((runtime) => runtime.close(2_000)));
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  });

  const node = async (sets: readonly string[]): Promise<WorkerCaller> => {
    const name = `node-${newId().slice(-8)}`;
    const { data } = await backend.current.run('registerWorker', { kind: 'worker', nodeId: name }, {
      body: { name, type: 'cpu', concurrency: 1, version: '1', capabilities: { kinds: ['preview', 'live_session'], sdk_versions: [...sets], sandbox: 'none', local_model: false } },
    });
    return { kind: 'worker', nodeId: data.worker.id };
  };
  const jobOf = async (sdkVersion: string, text = 'export default 1;'): Promise<string> => {
    const sources = [sourceOf('index.js', text)];
    const { data } = await request(backend.current, ada, project, sources, { sdk_version: sdkVersion });
    if (data.missing.length === 0) return data.job.id;
    await uploadMissing(data, sources);
    await backend.current.run('startPreviewJob', ada, { path: { job_id: data.job.id } });
    return data.job.id;
  };
  const attemptsOf = async (jobId: string): Promise<number | undefined> => (await backend.current.sql<{ attempt: number }>('select attempt from preview_jobs where id = ?', [jobId]))[0]?.attempt;
  const refusalOf = async (worker: WorkerCaller, jobId: string): Promise<ServiceError> => {
    try {
      await claim(backend.current, worker, jobId);
    } catch (error) {
      return error as ServiceError;
    }
    throw new Error('It was claimed.');
  };

  it('is asked of a node in the claim itself: one without it is told that the job is another\'s, no attempt is counted, and one with it gets the job', async () => {
    const [able, unable] = [await node([first, second]), await node([first])];
    const jobId = await jobOf(second);
    const refusal = await refusalOf(unable, jobId);
    expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { reason: 'another_worker' }]);
    expect(await attemptsOf(jobId)).to.equal(0);
    expect((await claim(backend.current, able, jobId)).attempt).to.equal(1);
    const late = await refusalOf(unable, jobId);
    expect([late.code, late.details], 'of a job that is taken').to.deep.equal(['CONFLICT', null]);
  });

  it('is asked of a node by its last registration', async () => {
    const name = `node-${newId().slice(-8)}`;
    const register = (sets: string[]) => backend.current.run('registerWorker', { kind: 'worker', nodeId: name }, {
      body: { name, type: 'cpu', concurrency: 1, version: '1', capabilities: { kinds: ['preview'], sdk_versions: sets, sandbox: 'none', local_model: false } },
    });
    const { data } = await register([]);
    const worker: WorkerCaller = { kind: 'worker', nodeId: data.worker.id };
    const jobId = await queuedJob(backend.current, ada, project);
    expect((await refusalOf(worker, jobId)).details).to.deep.equal({ reason: 'another_worker' });
    await register([first]);
    expect((await claim(backend.current, worker, jobId)).attempt).to.equal(1);
  });

  it('is asked of a live session as of the preview it began with', async () => {
    const [able, unable] = [await node([first]), await node([second])];
    const previewId = await queuedJob(backend.current, ada, project);
    await backend.current.sql("update preview_jobs set status = 'succeeded', completed_at = now() where id = ?", [previewId]);
    const liveId = (await backend.current.run('createLiveSession', ada, { body: { job_id: previewId } })).data.live_session.id;
    const asked = (worker: WorkerCaller) => backend.current.run('claimJob', worker, { path: { job_id: liveId }, body: { epoch: 0 } });
    expect(await codeOf(asked(unable))).to.equal('CONFLICT');
    expect((await asked(able)).data.kind).to.equal('live_session');
  });

  it('is no reason to let a node claim that was shut out: it is refused from that moment on, with every kind of claim', async () => {
    const worker = await node([first]);
    const [mine, other] = [await queuedJob(backend.current, ada, project), await queuedJob(backend.current, ada, project, 'export default 2;')];
    const body = { epoch: await epochOf(backend.current, mine), claim_key: 'k'.repeat(32) };
    const again = () => backend.current.run('claimJob', worker, { path: { job_id: mine }, body });
    await again();
    await backend.current.sql("update worker_nodes set status = 'revoked' where id = ?", [worker.nodeId]);
    expect(await codeOf(claim(backend.current, worker, other))).to.equal('AUTH_INVALID');
    expect(await codeOf(again()), 'the claim it made before').to.equal('AUTH_INVALID');
    await backend.current.sql('update preview_jobs set attempt = 1 where id = ?', [other]);
    expect(await codeOf(claim(backend.current, worker, other)), 'a later attempt').to.equal('AUTH_INVALID');
    expect(await attemptsOf(other)).to.equal(1);
  });

  it('brings each job to a worker that holds it, over real queues, in one attempt, whoever fetches its message first', async () => {
    await node([second]);
    const { env, url, log, sql } = backend.current;
    const worked: { readonly by: string; readonly sdkVersion: string }[] = [];
    const begin = async (sdkVersion: string): Promise<void> => {
      const name = `builder-${newId().slice(-8)}`;
      const runtime = new WorkerRuntime({
        backend: new WorkerBackend({ baseUrl: url, name, sharedSecret: env.workerSharedSecret }),
        name, queueClass: 'cpu', concurrency: 1, version: '0.1.0', redis: redisOptions(env, 'worker'),
        handlers: new Map([['preview', {
          run: ({ job }): Promise<JobOutcome> => {
            if (job.input.kind === 'preview') worked.push({ by: sdkVersion, sdkVersion: job.input.sdk_version });
            return Promise.resolve({ status: 'FAIL', failure: { kind: 'build_error', message: 'Nothing is built here.', retryable: false } });
          },
        }]]),
        capabilities: () => ({ kinds: ['preview'], sdk_versions: [sdkVersion], sandbox: 'none', local_model: false }),
        blobCacheBytes: () => 0, usage: new UsageMeter(), jobsDir: mkdtempSync(join(testFolder(), 'jobs-')), hostPaths: [], log,
        onDrain: () => undefined, onShutOut: () => undefined,
      });
      runtimes.push(runtime);
      await runtime.start();
      await runtime.takeJobs();
    };
    const relay = backend.current.relay();
    relays.push(relay);
    relay.start();
    await begin(first);
    const ofSecond = [await jobOf(second), await jobOf(second, 'export default 2;')];
    await until('both to be known as another\'s', async () => (await backend.current.producer.depth('cpu', 'high')).waiting === 2);
    // Another's: of one account no more than those two are sent before they are taken up.
    ada = await backend.current.person();
    project = await backend.current.project(ada);
    const ofFirst = await jobOf(first);
    await until('its own, behind them', () => worked.length === 1);
    expect(await attemptsOf(ofFirst)).to.equal(1);
    await begin(second);
    await until('all of them', () => worked.length === 3);
    for (const jobId of ofSecond) expect(await attemptsOf(jobId)).to.equal(1);
    for (const { by, sdkVersion } of worked) expect(by).to.equal(sdkVersion);
    await until('the queue to be empty', async () => { const { waiting, active } = await backend.current.producer.depth('cpu', 'high'); return waiting + active === 0; });
    expect(await sql("select from preview_jobs where status = 'queued'")).to.deep.equal([]);
  }).timeout(40_000);

  it('is waited for ten minutes where workers live and none holds it, and without end where none lives', async () => {
    const holder = await node([second]);
    const jobId = await jobOf(second);
    const fresh = await jobOf(second, 'export default 2;');
    await backend.current.sql("update preview_jobs set queued_at = now() - interval '11 minutes' where id = ?", [jobId]);
    const statusOf = async (id: string): Promise<unknown> => {
      await backend.current.reconciler().reconcile();
      return (await backend.current.sql<{ status: string }>('select status from preview_jobs where id = ?', [id]))[0]?.status;
    };
    expect(await statusOf(jobId), 'held').to.equal('queued');
    await backend.current.sql("update worker_nodes set status = 'stopped' where id = ?", [holder.nodeId]);
    expect(await statusOf(jobId), 'nobody lives').to.equal('queued');
    await node([first]);
    expect(await statusOf(jobId), 'nobody holds it').to.equal('failed');
    expect(await statusOf(fresh), 'asked for just now').to.equal('queued');
    const [{ dead, failure } = { dead: false, failure: null }] = await backend.current.sql<{ dead: boolean; failure: { kind: string } | null }>('select died_at is not null as dead, failure from preview_jobs where id = ?', [jobId]);
    expect([dead, failure?.kind]).to.deep.equal([true, 'sdk_unavailable']);
  });
});

import { expect } from 'chai';
import { failureOf } from '../support/failures.ts';
import { type Person, until, useSystem } from '../support/system.ts';

describe('the job platform as administrators meet it', function () {
  this.timeout(120_000);
  const system = useSystem({ apis: 2, workers: 1, variables: { METRICS_TOKEN: 'a-token-of-the-monitoring' } });
  let admin: Person;
  before(async () => { admin = await system.current.person('admin'); });

  it('shows its workers with what they say of themselves', async () => {
    let shown: Awaited<ReturnType<typeof admin.hive.api.listWorkers>>['items'] = [];
    await until('a worker with its metrics', async () => {
      shown = (await admin.hive.api.listWorkers({ query: { type: 'cpu', status: 'active' } })).items;
      return shown.some(({ metrics }) => metrics !== null);
    });
    expect(shown[0]).to.include({ type: 'cpu', status: 'active', running_jobs: 0 });
    expect(shown[0]?.metrics?.memory_bytes).to.be.greaterThan(10_000_000);
    const ada = await system.current.person('premium');
    expect(await failureOf(ada.hive.api.listWorkers({}))).to.include({ code: 'FORBIDDEN', status: 403 });
  });

  it('keeps what died of its attempts, and gives it another round when it is asked to', async () => {
    for (const worker of system.current.workers()) await worker.kill();
    const ada = await system.current.person('pro');
    const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const files = [{ path: 'index.js', content: Buffer.from("import { AppRegistry } from 'react-native'; AppRegistry.registerComponent('main', () => () => null);") }];
    const building = ada.hive.previews.build(files, { projectId, platform: 'ios', entryFile: 'index.js' }).then(() => 'built', () => 'failed');
    let jobId = '';
    await until('the job to be queued', async () => {
      const [job] = (await ada.hive.api.listPreviewJobs({ query: { status: 'queued' } })).items;
      jobId = job?.awaiting_upload === false ? job.id : '';
      return jobId !== '';
    });
    // As it stands after the last of three workers was lost with it.
    await system.current.sql(`update preview_jobs set status = 'failed', attempt = 3, error_code = 'INTERNAL_ERROR', completed_at = now(), died_at = now(),
      failure = '{"code":"INTERNAL_ERROR","kind":"worker_lost","message":"The worker was lost in each of 3 attempts.","file":null,"line":null,"column":null,"code_frame":null,"import_name":null}' where id = $1`, [jobId]);
    expect(await building).to.equal('failed');
    const { items } = await admin.hive.api.listDeadJobs({ query: { project_id: projectId } });
    expect(items.map(({ job_id: id, failure_kind: kind }) => [id, kind])).to.deep.equal([[jobId, 'worker_lost']]);
    const retried = await admin.hive.api.retryDeadJob({ path: { job_id: jobId } });
    expect(retried.retried_at).not.to.equal(null);
    expect((await admin.hive.api.listDeadJobs({ query: { kind: 'preview', project_id: projectId } })).items).to.deep.equal([]);
    expect(await failureOf(admin.hive.api.retryDeadJob({ path: { job_id: jobId } }))).to.include({ code: 'CONFLICT' });
    await system.current.startWorker();
    const ended = await ada.hive.previews.wait(jobId);
    expect(ended).to.include({ status: 'succeeded', attempt: 4 });
  });

  it('tells how its queues and previews are, and monitors that hold the token', async () => {
    const { queues, taken_at } = await admin.hive.api.getQueueStats({});
    expect(queues.find(({ name }) => name === 'cpu_tasks_normal')?.succeeded_1h).to.equal(1);
    expect(Date.now() - Date.parse(taken_at)).to.be.lessThan(15_000);
    const previews = await admin.hive.api.getPreviewStats({ query: { interval: 'hour' } });
    expect(previews.total).to.include({ requested: 1, succeeded: 1, success_rate: 1 });
    expect(previews.total.duration_p50_ms).to.be.greaterThan(0);
    const metrics = (headers: Record<string, string>): Promise<Response> => fetch(`${system.current.baseUrl}/metrics`, { headers });
    expect((await metrics({})).status).to.equal(401);
    const told = await (await metrics({ authorization: 'Bearer a-token-of-the-monitoring' })).text();
    expect(told).to.contain('hivesync_queue_succeeded_1h{queue="cpu_tasks_normal",class="cpu",priority="normal"} 1');
  });
});

import { expect } from 'chai';
import type { WorkerCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { claim, make, queuedJob, request, sourceOf, uploadBundle } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';

describe('preview jobs', () => {
  const backend = useBackend();
  let ada: Person;
  let ben: Person;
  let projectId: string;
  let worker: WorkerCaller;
  before(async () => {
    worker = await backend.current.worker();
  });
  beforeEach(async () => {
    [ada, ben] = [await backend.current.person(), await backend.current.person()];
    projectId = await backend.current.project(ada);
    await backend.current.database.db.knex('project_members').insert({ id: newId(), project_id: projectId, user_id: ben.userId, role: 'Member' });
  });
  const get = (jobId: string, who = ada) => backend.current.run('getPreviewJob', who, { path: { job_id: jobId } });
  const cancel = (jobId: string, who = ada) => backend.current.run('cancelPreviewJob', who, { path: { job_id: jobId } });
  const remove = (jobId: string, who = ada, ifMatch?: string) =>
    backend.current.run('deletePreviewJob', who, { path: { job_id: jobId } }, ifMatch === undefined ? {} : { ifMatch });

  describe('being cancelled', () => {
    it('end at once: the worker is told at its next word, and its result changes nothing', async () => {
      const { run, sql } = backend.current;
      const jobId = await queuedJob(backend.current, ada, projectId);
      const claimed = await claim(backend.current, worker, jobId);
      const report = await uploadBundle(backend.current, worker, claimed);
      const { data: cancelled } = await cancel(jobId);
      expect(cancelled).to.include({ status: 'cancelled', stage: null, error: null });
      expect(cancelled.completed_at).to.be.a('string');
      expect(await codeOf(run('reportJobProgress', worker, { path: { job_id: jobId }, body: { lease_token: claimed.lease_token, stage: 'bundling', progress: 50 } }))).to.equal('CONFLICT');
      expect((await run('reportJobResult', worker, { body: report })).data).to.deep.equal({ accepted: false, job_status: 'cancelled', reason: 'cancelled' });
      expect((await get(jobId)).data).to.deep.equal(cancelled);
      expect(await sql("select user_id from audit_logs where entity_id = ? and event_type = 'preview.cancelled'", [jobId])).to.deep.equal([{ user_id: ada.userId }]);
      expect(await sql("select count(*) as told from outbox where topic = 'preview.cancelled' and payload ->> 'entityId' = ?", [jobId])).to.deep.equal([{ told: 1 }]);
    });

    it('are not claimed any more, and a second cancelling is answered as the first', async () => {
      const jobId = await queuedJob(backend.current, ada, projectId);
      const first = await cancel(jobId);
      expect((await cancel(jobId)).data).to.deep.equal(first.data);
      expect(await codeOf(claim(backend.current, worker, jobId))).to.equal('CONFLICT');
    });

    it('refuse it when they have ended, and from whoever neither asked for them nor owns the project', async () => {
      const asked = await queuedJob(backend.current, ada, projectId);
      expect(await codeOf(cancel(asked, ben))).to.equal('FORBIDDEN');
      expect(await codeOf(cancel(asked, await backend.current.person()))).to.equal('NOT_FOUND');
      await make(backend.current, worker, asked);
      expect(await codeOf(cancel(asked))).to.equal('CONFLICT');
      expect((await cancel(await queuedJob(backend.current, ben, projectId), ada)).data.status).to.equal('cancelled');
    });
  });

  describe('being deleted', () => {
    it('are gone at once, cancelled first where they still ran', async () => {
      const { run, sql } = backend.current;
      const jobId = await queuedJob(backend.current, ada, projectId);
      const claimed = await claim(backend.current, worker, jobId);
      expect((await remove(jobId)).status).to.equal(204);
      expect(await codeOf(get(jobId))).to.equal('NOT_FOUND');
      expect(await codeOf(remove(jobId))).to.equal('NOT_FOUND');
      expect((await run('listPreviewJobs', ada, { query: { project_id: projectId } })).data.items).to.deep.equal([]);
      expect(await sql('select status from preview_jobs where id = ?', [jobId])).to.deep.equal([{ status: 'cancelled' }]);
      expect(await codeOf(run('reportJobProgress', worker, { path: { job_id: jobId }, body: { lease_token: claimed.lease_token, stage: 'bundling', progress: 1 } }))).to.equal('CONFLICT');
    });

    it('keep what they were where their version has moved', async () => {
      const jobId = await queuedJob(backend.current, ada, projectId);
      const { etag } = await get(jobId);
      await claim(backend.current, worker, jobId);
      expect(await codeOf(remove(jobId, ada, etag ?? ''))).to.equal('PRECONDITION_FAILED');
      expect((await get(jobId)).data.status).to.equal('running');
      await remove(jobId, ada, (await get(jobId)).etag ?? '');
    });

    it('leave a succeeded one what it was, for the figures', async () => {
      const jobId = await queuedJob(backend.current, ada, projectId);
      await make(backend.current, worker, jobId);
      await remove(jobId);
      expect(await backend.current.sql('select status from preview_jobs where id = ?', [jobId])).to.deep.equal([{ status: 'succeeded' }]);
    });
  });

  it('are listed newest first to members only, by filter and by cursor', async () => {
    const { run, project } = backend.current;
    const other = await project(ada);
    const jobs = [await queuedJob(backend.current, ada, projectId), await queuedJob(backend.current, ben, projectId), await queuedJob(backend.current, ada, other)];
    await cancel(jobs[0] ?? '');
    const idsOf = async (who: Person, query: Record<string, unknown> = {}): Promise<string[]> => (await run('listPreviewJobs', who, { query })).data.items.map(({ id }) => id);
    expect(await idsOf(ada)).to.deep.equal([...jobs].reverse());
    expect(await idsOf(ben)).to.deep.equal([jobs[1], jobs[0]]);
    expect(await idsOf(await backend.current.person())).to.deep.equal([]);
    expect(await idsOf(ada, { project_id: other })).to.deep.equal([jobs[2]]);
    expect(await idsOf(ada, { status: 'cancelled' })).to.deep.equal([jobs[0]]);
    expect(await idsOf(ada, { mine: true })).to.deep.equal([jobs[2], jobs[0]]);
    expect(await idsOf(ada, { target_platform: 'android' })).to.deep.equal([]);
    const first = await run('listPreviewJobs', ada, { query: { limit: 2 } });
    expect(first.data.page.total).to.equal(3);
    const rest = await run('listPreviewJobs', ada, { query: { limit: 2, cursor: first.data.page.next_cursor ?? '' } });
    expect(rest.data.items.map(({ id }) => id)).to.deep.equal([jobs[0]]);
    expect(await codeOf(run('listPreviewJobs', ada, { query: { limit: 2, mine: true, cursor: first.data.page.next_cursor ?? '' } }))).to.equal('VALIDATION_ERROR');
    const key = { kind: 'api_key', userId: ada.userId, keyId: newId(), tier: 'premium', isVerified: true, scopes: ['previews:read'], projectIds: [other] } as const;
    expect((await run('listPreviewJobs', key)).data.items.map(({ id }) => id)).to.deep.equal([jobs[2]]);
  });

  it('tell their times and stages as they go', async () => {
    const jobId = await queuedJob(backend.current, ada, projectId);
    const waiting = await get(jobId);
    expect(waiting.data).to.deep.include({ status: 'queued', stage: null, progress: 0, started_at: null, worker_id: null });
    const claimed = await claim(backend.current, worker, jobId);
    const running = await get(jobId);
    expect(running.data).to.include({ status: 'running', stage: 'fetching', attempt: 1, worker_id: worker.nodeId });
    expect(running.etag).not.to.equal(waiting.etag);
    await backend.current.run('reportJobResult', worker, { body: await uploadBundle(backend.current, worker, claimed) });
    const { data } = await get(jobId);
    expect(data).to.include({ status: 'succeeded', stage: null, progress: 100, bundle_bytes: 24, error: null });
    expect(data.timings).to.include({ fetching_ms: 1, bundling_ms: 2, packaging_ms: 3, uploading_ms: 4 });
    expect(data.timings.queued_ms).to.be.a('number');
    expect(Date.parse(data.artifacts_expire_at ?? '') - Date.parse(data.completed_at ?? '')).to.be.within(180 * 86_400_000 - 1_000, 180 * 86_400_000 + 1_000);
  });

  it('tell of a build that failed how long the stages took that it reached, and nothing of those it did not', async () => {
    const { run } = backend.current;
    const jobId = await queuedJob(backend.current, ada, projectId);
    const claimed = await claim(backend.current, worker, jobId);
    const failure = { kind: 'build_error', message: 'no', retryable: false, timings: { fetching_ms: 12, bundling_ms: 0 } } as const;
    await run('reportJobResult', worker, { body: { job_id: jobId, status: 'FAIL', bundle_url: null, logs_url: null, error: 'no', lease_token: claimed.lease_token, failure } });
    const { data } = await get(jobId);
    expect(data.timings).to.include({ fetching_ms: 12, bundling_ms: 0, packaging_ms: null, uploading_ms: null });
    expect([data.timings.queued_ms, data.timings.total_ms].map((ms) => typeof ms)).to.deep.equal(['number', 'number']);
  });

  it('give the lines of their log by page', async () => {
    const { run } = backend.current;
    const jobId = await queuedJob(backend.current, ada, projectId);
    const claimed = await claim(backend.current, worker, jobId);
    const log = Array.from({ length: 7 }, (_, index) => ({ at: '2026-03-02T09:00:00.000Z', level: 'info' as const, message: `line ${index}` }));
    await run('reportJobProgress', worker, { path: { job_id: jobId }, body: { lease_token: claimed.lease_token, stage: 'bundling', progress: 10, log_offset: 0, log } });
    const path = { job_id: jobId };
    const first = await run('getPreviewLogs', ada, { path, query: { limit: 4 } });
    const second = await run('getPreviewLogs', ada, { path, query: { limit: 4, cursor: first.data.page.next_cursor ?? '' } });
    expect(first.data.page.total).to.equal(7);
    expect([...first.data.items, ...second.data.items].map(({ seq, message }) => `${seq} ${message}`)).to.deep.equal(log.map(({ message }, index) => `${index + 1} ${message}`));
    expect((await run('getPreviewLogs', ada, { path, query: { limit: 4, offset: 6 } })).data.items).to.have.length(1);
  });

  it('hand out what they made by URLs that read one object each, until it expires', async () => {
    const { run, sql } = backend.current;
    const jobId = await queuedJob(backend.current, ada, projectId);
    const path = { job_id: jobId };
    expect((await run('listPreviewArtifacts', ada, { path })).data.items).to.deep.equal([]);
    await make(backend.current, worker, jobId);
    const { data } = await run('listPreviewArtifacts', ada, { path });
    expect(data.items).to.have.length(1);
    const [bundle] = data.items;
    expect(bundle).to.include({ kind: 'bundle', path: 'bundle.js', encoding: 'identity', size: 24 });
    expect(await (await fetch(bundle?.url ?? '')).text()).to.equal('console.log("a bundle");');
    expect((await run('listPreviewArtifacts', ada, { path, query: { kind: 'asset' } })).data.items).to.deep.equal([]);
    expect((await run('listPreviewArtifacts', ada, { path, query: { encoding: 'br' } })).data.page.total).to.equal(0);
    await sql("update preview_jobs set artifacts_expire_at = now() - interval '1 second' where id = ?", [jobId]);
    expect(await codeOf(run('listPreviewArtifacts', ada, { path }))).to.equal('GONE');
    expect(await codeOf(run('createPreviewToken', ada, { path }))).to.equal('GONE');
  });

  it('give view tokens that are logged by their hash alone', async () => {
    const { run, services, sql } = backend.current;
    const jobId = await queuedJob(backend.current, ada, projectId);
    const { status, data } = await run('createPreviewToken', ben, { path: { job_id: jobId } });
    expect([status, data.expires_in]).to.deep.equal([201, 600]);
    expect(data.view_url).to.equal(`${backend.current.env.baseUrl}/api/v1/preview/view/${data.token}`);
    expect(services.previewTokens.verify(data.token).caller).to.include({ purpose: 'view', jobId, projectId, sessionId: null, shareId: null });
    const rows = JSON.stringify(await sql("select *, encode(token_hash, 'hex') from preview_sessions where job_id = ?", [jobId]));
    expect(rows).to.contain(services.previewTokens.verify(data.token).caller.tokenHash).and.not.to.contain(data.token);
    expect(await codeOf(run('createPreviewToken', await backend.current.person(), { path: { job_id: jobId } }))).to.equal('NOT_FOUND');
  });

  it('know which SDK sets a living worker holds', async () => {
    const { run, sql } = backend.current;
    const statusNow = async (): Promise<string | undefined> => (await run('listPreviewSdks', ada)).data.items.find(({ is_default }) => is_default)?.status;
    await sql("update worker_nodes set last_heartbeat_at = now() - interval '1 minute'");
    expect(await statusNow()).to.equal('unavailable');
    await sql(`update worker_nodes set last_heartbeat_at = now(), capabilities = jsonb_set(capabilities, '{sdk_versions}', '[]') where id = ?`, [worker.nodeId]);
    expect(await statusNow()).to.equal('installing');
    await sql(`update worker_nodes set capabilities = jsonb_set(capabilities, '{sdk_versions}', '["0.88.1"]') where id = ?`, [worker.nodeId]);
    expect(await statusNow()).to.equal('ready');
  });

  it('waiting for their sources are seen and counted as such', async () => {
    const { data } = await request(backend.current, ada, projectId, [sourceOf('index.js', `waiting ${projectId}`)]);
    const { data: job } = await get(data.job.id);
    expect(job).to.include({ status: 'queued', awaiting_upload: true, missing_count: 1, queued_at: null });
    expect(await codeOf(claim(backend.current, worker, data.job.id))).to.equal('CONFLICT');
  });
});

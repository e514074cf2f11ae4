import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { JobLogLine, JobResultReport } from '#generated/sdk/types.gen.ts';
import { signedText } from '#http/authenticate/worker.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { hmacSha256 } from '#platform/crypto.ts';
import { StorageError } from '#platform/storage/storage.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { claim, epochOf, failureReport, put, queuedJob, request, sourceOf, uploadBundle, uploadMissing } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';

const metrics = { cpu_percent: 10, memory_bytes: 1_000_000, running: 1, free_slots: 1, uptime_seconds: 60 };

describe('workers', () => {
  const backend = useBackend();
  let ada: Person;
  let projectId: string;
  let worker: WorkerCaller;
  let jobId: string;
  beforeEach(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada);
    worker = await backend.current.worker();
    jobId = await queuedJob(backend.current, ada, projectId);
  });
  const jobNow = async (id = jobId): Promise<Record<string, unknown>> => (await backend.current.sql('select * from preview_jobs where id = ?', [id]))[0] ?? {};
  const claimAs = (who: WorkerCaller, epoch: number, id = jobId) => backend.current.run('claimJob', who, { path: { job_id: id }, body: { epoch } });
  const beat = async (who: WorkerCaller, status: 'active' | 'draining' | 'stopped', running: string[] = []) =>
    (await backend.current.run('reportHeartbeat', who, { body: { status, metrics, running_job_ids: running } })).data;
  const progress = async (leaseToken: string, more: Record<string, unknown> = {}) => (await backend.current.run('reportJobProgress', worker, {
    path: { job_id: jobId }, body: { lease_token: leaseToken, stage: 'bundling', progress: 30, ...more },
  })).data;
  const reportOf = async (body: JobResultReport) =>
    (await backend.current.run('reportJobResult', worker, { body })).data;

  describe('registering', () => {
    const register = (name: string, more: Record<string, unknown> = {}, as = name) => backend.current.run('registerWorker', { kind: 'worker', nodeId: as }, {
      body: { name, type: 'cpu', concurrency: 2, version: '1.0.0', capabilities: { kinds: ['preview', 'live_session'], sdk_versions: ['0.88.1', '57.0.26'], sandbox: 'none', local_model: false }, ...more },
    });

    it('makes a node with a key of its own, the same one when it comes again with new particulars', async () => {
      const first = await register('node-a');
      const again = await register('node-a', { concurrency: 8, version: '2.0.0' });
      expect(again.data.worker).to.include({ id: first.data.worker.id, name: 'node-a', concurrency: 8, version: '2.0.0', status: 'active' });
      expect(again.data.node_key).to.equal(first.data.node_key);
      const other = await register('node-b');
      expect(other.data.node_key).not.to.equal(first.data.node_key);
      expect(await backend.current.sql("select count(*) as nodes from worker_nodes where name like 'node-a'")).to.deep.equal([{ nodes: 1 }]);
      expect(JSON.stringify(await backend.current.sql('select * from worker_nodes'))).not.to.contain(first.data.node_key);
    });

    it('brings a stopped node back, and never one that was shut out', async () => {
      const { data } = await register('node-c');
      await beat({ kind: 'worker', nodeId: data.worker.id }, 'stopped');
      expect((await register('node-c')).data.worker.status).to.equal('active');
      await backend.current.sql("update worker_nodes set status = 'revoked' where name = 'node-c'");
      expect(await codeOf(register('node-c'))).to.equal('FORBIDDEN');
      expect(await backend.current.sql("select status from worker_nodes where name = 'node-c'")).to.deep.equal([{ status: 'revoked' }]);
      expect(await backend.current.services.nodeKeys.signingKey(data.worker.id, 'claimJob')).to.equal(null);
      expect(await codeOf(beat({ kind: 'worker', nodeId: data.worker.id }, 'active'))).to.equal('AUTH_INVALID');
    });

    it('is for the name that signs', async () => {
      expect(await codeOf(register('node-d', {}, 'node-e'))).to.equal('FORBIDDEN');
    });
  });

  describe('heartbeats', () => {
    it('keep a node alive, with a row of history each', async () => {
      const reply = await beat(worker, 'active');
      expect(reply).to.deep.include({ drain: false, stop_job_ids: [], heartbeat_seconds: 10 });
      await beat(worker, 'active');
      expect(await backend.current.sql('select count(*) as beats from worker_heartbeats where node_id = ?', [worker.nodeId])).to.deep.equal([{ beats: 2 }]);
    });

    it('name what to stop: what was cancelled, ended, or is another\'s by now', async () => {
      const { run, project } = backend.current;
      const held = await claim(backend.current, worker, jobId);
      const cancelled = await queuedJob(backend.current, ada, await project(ada));
      await claim(backend.current, worker, cancelled);
      await run('cancelPreviewJob', ada, { path: { job_id: cancelled } });
      const taken = await queuedJob(backend.current, ada, await project(ada));
      await claim(backend.current, await backend.current.worker(), taken);
      const unknown = newId();
      expect((await beat(worker, 'active', [held.job_id, cancelled, taken, unknown])).stop_job_ids.sort()).to.deep.equal([cancelled, taken, unknown].sort());
    });

    it('tell a node to drain, until it has stopped', async () => {
      await backend.current.sql("update worker_nodes set status = 'draining' where id = ?", [worker.nodeId]);
      expect((await beat(worker, 'active')).drain).to.equal(true);
      expect((await beat(worker, 'draining')).drain).to.equal(true);
      expect((await beat(worker, 'stopped')).drain).to.equal(false);
      expect(await backend.current.sql('select status from worker_nodes where id = ?', [worker.nodeId])).to.deep.equal([{ status: 'stopped' }]);
    });

    it('that say stopped put back what the node still holds, at once and for anybody', async () => {
      const claimed = await claim(backend.current, worker, jobId);
      await beat(worker, 'stopped', [jobId]);
      expect(await jobNow()).to.include({ status: 'queued', epoch: claimed.epoch + 1, worker_id: null, stage: null });
      expect(await backend.current.sql("select count(*) as sent from outbox where kind = 'job' and payload ->> 'jobId' = ? and (payload ->> 'epoch')::int = ?", [jobId, claimed.epoch + 1]))
        .to.deep.equal([{ sent: 1 }]);
      expect((await claim(backend.current, await backend.current.worker(), jobId)).attempt).to.equal(2);
    });
  });

  describe('claiming', () => {
    it('gives the job to exactly one of fifty at once', async () => {
      const others = await Promise.all(Array.from({ length: 5 }, () => backend.current.worker()));
      const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => claimAs(others[index % 5] ?? worker, 0)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      const codes = await Promise.all(outcomes.filter(({ status }) => status === 'rejected').map((outcome) => codeOf(Promise.reject((outcome as PromiseRejectedResult).reason as Error))));
      expect(new Set(codes)).to.deep.equal(new Set(['CONFLICT']));
      expect(await jobNow()).to.include({ status: 'running', attempt: 1 });
    });

    it('answers everything that is needed, and keeps of the lease its hash alone', async () => {
      const { data } = await claimAs(worker, 0);
      expect(data).to.deep.include({ job_id: jobId, kind: 'preview', attempt: 1, max_attempts: 3, epoch: 0, timeout_ms: 900_000 });
      expect(Date.parse(data.lease_expires_at) - Date.now()).to.be.within(10_000, 21_000);
      if (data.input.kind !== 'preview') throw new Error('It is no preview.');
      expect(data.input).to.deep.include({ project_id: projectId, sdk_version: '0.88.1', target_platform: 'ios', entry_file: 'index.js', env: {}, dev: false });
      expect(data.input.sources).to.deep.include({ count: 1, bytes: 17, url: null });
      expect(await (await fetch(data.input.sources.items?.[0]?.url ?? '')).text()).to.equal('export default 1;');
      expect(JSON.stringify(await jobNow())).not.to.contain(data.lease_token);
      expect((await jobNow())['lease_token_hash']).to.deep.equal(createHash('sha256').update(data.lease_token).digest());
    });

    it('sends more sources than fit as a document of their own', async () => {
      const sources = Array.from({ length: 2_001 }, (_, index) => sourceOf(index === 0 ? 'index.js' : `f${String(index).padStart(4, '0')}.js`, 'export default 1;'));
      const { data: requested } = await request(backend.current, ada, projectId, sources);
      const { data } = await claimAs(worker, 0, requested.job.id);
      if (data.input.kind !== 'preview') throw new Error('It is no preview.');
      expect(data.input.sources).to.deep.include({ count: 2_001, items: null });
      const lines = (await (await fetch(data.input.sources.url ?? '')).text()).split('\n').map((line) => JSON.parse(line) as { path: string; url: string });
      expect(lines).to.have.length(2_001);
      expect(lines.at(-1)?.path).to.equal('index.js');
    });

    it('puts a job back whose input cannot be had, and counts no attempt', async () => {
      // More sources than fit stand in a document of their own, which storage has to take.
      const sources = Array.from({ length: 2_001 }, (_, index) => sourceOf(index === 0 ? 'index.js' : `g${index}.js`, 'export default 1;'));
      const { data: requested } = await request(backend.current, ada, projectId, sources);
      const { storage } = backend.current;
      const put = storage.put.bind(storage);
      storage.put = () => Promise.reject(new StorageError('unavailable', 'away'));
      try {
        expect(await codeOf(claimAs(worker, 0, requested.job.id))).to.equal('SERVICE_UNAVAILABLE');
      } finally {
        storage.put = put;
      }
      expect(await jobNow(requested.job.id)).to.include({ status: 'queued', attempt: 0, epoch: 1, worker_id: null });
      await backend.current.sql('update preview_jobs set run_after = now() where id = ?', [requested.job.id]);
      expect((await claimAs(worker, 1, requested.job.id)).data.attempt).to.equal(1);
    });

    it('refuses another epoch, a job that is not due, waits for sources, or is not there', async () => {
      expect(await codeOf(claimAs(worker, 1))).to.equal('CONFLICT');
      await backend.current.sql("update preview_jobs set run_after = now() + interval '1 minute' where id = ?", [jobId]);
      expect(await codeOf(claimAs(worker, 0))).to.equal('CONFLICT');
      const { data } = await request(backend.current, ada, projectId, [sourceOf('index.js', `unsent ${jobId}`)]);
      expect(await codeOf(claimAs(worker, 0, data.job.id))).to.equal('CONFLICT');
      expect(await codeOf(claimAs(worker, 0, newId()))).to.equal('CONFLICT');
    });
  });

  describe('reporting progress', () => {
    const log = (...messages: string[]): JobLogLine[] => messages.map((message) => ({ at: '2026-03-02T09:00:00.000Z', level: 'info', message }));
    const logNow = async (): Promise<string[]> =>
      (await backend.current.sql<{ line: string }>("select seq || ' ' || message as line from preview_job_logs where job_id = ? order by seq", [jobId])).map(({ line }) => line);

    it('extends the lease and never lets progress go back', async () => {
      const { lease_token } = await claim(backend.current, worker, jobId);
      await backend.current.sql("update preview_jobs set lease_expires_at = now() + interval '1 second' where id = ?", [jobId]);
      const reply = await progress(lease_token);
      expect(reply).to.deep.include({ stop: false, reason: null, live_changes: [] });
      expect(Date.parse(reply.lease_expires_at) - Date.now()).to.be.within(10_000, 21_000);
      await progress(lease_token, { progress: 10 });
      expect(await jobNow()).to.include({ stage: 'bundling', progress: 30 });
    });

    it('adds each line once, however often a report comes, in whatever order', async () => {
      const { lease_token } = await claim(backend.current, worker, jobId);
      await progress(lease_token, { log_offset: 0, log: log('a', 'b') });
      await progress(lease_token, { log_offset: 2, log: log('c') });
      await progress(lease_token, { log_offset: 0, log: log('a', 'b') });
      await progress(lease_token, { log_offset: 1, log: log('b', 'c', 'd') });
      expect(await logNow()).to.deep.equal(['1 a', '2 b', '3 c', '4 d']);
      expect((await jobNow())['log_lines']).to.equal(4);
    });

    it('cuts a log at its bound', async () => {
      const { lease_token } = await claim(backend.current, worker, jobId);
      await progress(lease_token, { log_offset: 9_999, log: log('the last', 'too many') });
      await progress(lease_token, { log_offset: 10_000, log: log('too many') });
      expect(await logNow()).to.deep.equal(['10000 the last']);
    });

    it('is refused without the lease, and after it went to another', async () => {
      const { lease_token } = await claim(backend.current, worker, jobId);
      expect(await codeOf(progress('x'.repeat(lease_token.length)))).to.equal('CONFLICT');
      await beat(worker, 'stopped', []);
      expect(await codeOf(progress(lease_token))).to.equal('CONFLICT');
    });

    it('says stop past the deadline, and extends nothing then, however busily it is reported', async () => {
      const { lease_token } = await claim(backend.current, worker, jobId);
      await backend.current.sql("update preview_jobs set started_at = now() - interval '17 minutes', lease_expires_at = now() + interval '2 seconds' where id = ?", [jobId]);
      const before = (await jobNow())['lease_expires_at'];
      for (let asked = 0; asked < 3; asked += 1) expect(await progress(lease_token)).to.include({ stop: true, reason: 'deadline' });
      expect((await jobNow())['lease_expires_at']).to.equal(before);
    });
  });

  describe('uploading', () => {
    const uploads = (leaseToken: string, path: string, more: Record<string, unknown> = {}) => backend.current.run('createJobUploads', worker, {
      path: { job_id: jobId },
      body: { lease_token: leaseToken, objects: [{ path, size: 3, sha256: 'a'.repeat(64), content_type: 'text/plain', content_encoding: 'gzip', ...more }] },
    });

    it('goes under the job\'s own prefix, and nowhere else', async () => {
      const { lease_token } = await claim(backend.current, worker, jobId);
      const { data } = await uploads(lease_token, 'assets/a.png');
      expect(data.uploads[0]?.object_key).to.equal(`projects/${projectId}/previews/${jobId}/1/gzip/assets/a.png`);
      for (const path of ['../x', 'a/../../x', 'a/./b', 'a//b', '/x']) {
        expect(await codeOf(uploads(lease_token, path)).catch((error: unknown) => String(error)), path).to.match(/VALIDATION_ERROR|contract refuses/);
      }
      expect(await codeOf(uploads(lease_token, 'a'.repeat(64), { purpose: 'source_blob' }))).to.equal('VALIDATION_ERROR');
    });

    it('changes nothing of a later attempt, however late an earlier one sends what it had URLs for', async () => {
      const lost = await claim(backend.current, worker, jobId);
      const old = Buffer.from('console.log("an older bundle");');
      const { data } = await uploads(lost.lease_token, 'bundle.js', {
        size: old.length, sha256: createHash('sha256').update(old).digest('hex'), content_type: 'application/javascript', content_encoding: 'identity',
      });
      await beat(worker, 'stopped');
      const claimed = await claim(backend.current, worker, jobId);
      const report = await uploadBundle(backend.current, worker, claimed);
      expect(await put(data.uploads[0]?.upload_url ?? '', data.uploads[0]?.headers ?? {}, old)).to.equal(200);
      expect((await reportOf(report)).accepted).to.equal(true);
      const { data: made } = await backend.current.run('listPreviewArtifacts', ada, { path: { job_id: jobId } });
      expect(await (await fetch(made.items[0]?.url ?? '')).text()).to.equal('console.log("a bundle");');
    });

    it('takes nothing but what was announced, and needs the lease', async () => {
      const { lease_token } = await claim(backend.current, worker, jobId);
      const { data } = await uploads(lease_token, 'bundle.js');
      expect(await put(data.uploads[0]?.upload_url ?? '', data.uploads[0]?.headers ?? {}, Buffer.from('abc'))).to.equal(400);
      expect(await codeOf(uploads('x'.repeat(lease_token.length), 'bundle.js'))).to.equal('CONFLICT');
    });
  });

  describe('reporting a result', () => {
    it('ends the job once; its repeat is answered alike, and makes nothing twice', async () => {
      const claimed = await claim(backend.current, worker, jobId);
      const report = await uploadBundle(backend.current, worker, claimed);
      const replies = await Promise.all([reportOf(report), reportOf(report), reportOf(report)]);
      for (const reply of [...replies, await reportOf(report)]) expect(reply).to.deep.equal({ accepted: true, job_status: 'succeeded', reason: null });
      expect(await backend.current.sql('select count(*) as kept from preview_artifacts where job_id = ?', [jobId])).to.deep.equal([{ kept: 1 }]);
      expect(await backend.current.sql("select count(*) as told from outbox where topic = 'preview.succeeded' and payload ->> 'entityId' = ?", [jobId])).to.deep.equal([{ told: 1 }]);
    });

    it('refuses, of either status, objects that are another\'s, not there, of another size, or named twice', async () => {
      const foreign = await queuedJob(backend.current, ada, await backend.current.project(ada), 'foreign');
      const foreignReport = await uploadBundle(backend.current, worker, await claim(backend.current, worker, foreign));
      const claimed = await claim(backend.current, worker, jobId);
      const report = await uploadBundle(backend.current, worker, claimed);
      const [artifact] = report.artifacts ?? [];
      if (artifact === undefined) throw new Error('There is no artifact.');
      const key = foreignReport.artifacts?.[0]?.object_key ?? '';
      const wrong = [
        [{ ...artifact, object_key: key }],
        [{ ...artifact, object_key: artifact.object_key.replace('bundle.js', 'nowhere.js'), path: 'nowhere.js' }],
        [{ ...artifact, size: artifact.size + 1 }],
        [artifact, artifact],
        [{ ...artifact, path: 'other.js' }],
      ];
      for (const artifacts of wrong) {
        expect(await codeOf(reportOf({ ...report, artifacts })), JSON.stringify(artifacts)).to.equal('VALIDATION_ERROR');
        const failed = { ...failureReport(claimed), artifacts: artifacts.map((one) => ({ ...one, kind: 'log' as const })) };
        expect(await codeOf(reportOf(failed)), JSON.stringify(artifacts)).to.equal('VALIDATION_ERROR');
      }
      const bare = await refusalOf(reportOf({ ...report, artifacts: [] }));
      expect((bare.details as { pointer: string }[])[0]?.pointer).to.equal('#/body/artifacts');
      expect(await codeOf(reportOf({ ...report, result: null }))).to.equal('VALIDATION_ERROR');
      expect((await jobNow())['status']).to.equal('running');
      expect((await reportOf(report)).accepted).to.equal(true);
    });

    it('tells a failure to whoever asked, whole', async () => {
      const claimed = await claim(backend.current, worker, jobId);
      expect(await reportOf(failureReport(claimed))).to.deep.equal({ accepted: true, job_status: 'failed', reason: null });
      const { data } = await backend.current.run('getPreviewJob', ada, { path: { job_id: jobId } });
      expect(data.error).to.deep.equal({
        code: 'PREVIEW_BUILD_FAILED', kind: 'build_error', message: 'Unexpected token', file: 'index.js', line: 3, column: 7, code_frame: null, import_name: null,
      });
      expect((await reportOf(failureReport(claimed))).accepted).to.equal(true);
    });

    it('calls a build that ran out of time timed out, and a failure nobody knows our own', async () => {
      const claimed = await claim(backend.current, worker, jobId);
      await reportOf(failureReport(claimed, { kind: 'timeout', message: 'Too slow.' }));
      expect(await jobNow()).to.include({ status: 'timed_out', error_code: 'PREVIEW_TIMEOUT' });
      const second = await queuedJob(backend.current, ada, projectId);
      const other = await claim(backend.current, worker, second);
      await reportOf(failureReport(other, { kind: 'internal', message: 'Oops.' }));
      expect(await jobNow(second)).to.include({ status: 'failed', error_code: 'INTERNAL_ERROR' });
    });

    it('tries again after a wait where another attempt may do better, and is failed after the last', async () => {
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        const claimed = await claim(backend.current, worker, jobId);
        expect(claimed.attempt).to.equal(attempt);
        const report = failureReport(claimed, { kind: 'storage_unavailable', retryable: true });
        const expected = { accepted: true, job_status: attempt < 3 ? 'queued' : 'failed', reason: null };
        expect(await reportOf(report)).to.deep.equal(expected);
        expect(await reportOf(report), 'a repeat').to.deep.equal(expected);
        if (attempt === 3) break;
        expect(await epochOf(backend.current, jobId)).to.equal(attempt);
        expect(await codeOf(claim(backend.current, worker, jobId)), 'too early').to.equal('CONFLICT');
        await backend.current.sql('update preview_jobs set run_after = now() where id = ?', [jobId]);
      }
      expect(await jobNow()).to.include({ status: 'failed', error_code: 'STORAGE_ERROR', attempt: 3 });
    });

    it('comes too late when the job went to another: nothing changes, and it is said why', async () => {
      const first = await claim(backend.current, worker, jobId);
      const late = await uploadBundle(backend.current, worker, first);
      await backend.current.sql("update preview_jobs set lease_expires_at = now() - interval '1 second' where id = ?", [jobId]);
      await backend.current.reconciler().reconcile();
      expect(await reportOf(late)).to.deep.equal({ accepted: false, job_status: 'queued', reason: 'lease_lost' });
      const other = await backend.current.worker();
      const second = await claim(backend.current, other, jobId);
      expect(await reportOf(late)).to.deep.equal({ accepted: false, job_status: 'running', reason: 'lease_lost' });
      expect(await reportOf(failureReport(first))).to.deep.equal({ accepted: false, job_status: 'running', reason: 'lease_lost' });
      await backend.current.run('reportJobResult', other, { body: await uploadBundle(backend.current, other, second) });
      expect(await reportOf(late)).to.deep.equal({ accepted: false, job_status: 'succeeded', reason: 'already_ended' });
    });

    for (const name of ['reportJobResult', 'reportPreviewResult', 'reportAiResult', 'reportRepoSync'] as const) {
      it(`is taken by each of its names: ${name}`, async () => {
        const claimed = await claim(backend.current, worker, jobId);
        const { data } = await backend.current.run(name, worker, { body: await uploadBundle(backend.current, worker, claimed) });
        expect(data).to.deep.equal({ accepted: true, job_status: 'succeeded', reason: null });
        expect((await backend.current.run(name, worker, { body: failureReport(claimed) })).data.accepted, 'a repeat').to.equal(true);
        expect(await codeOf(backend.current.run(name, worker, { body: { ...failureReport(claimed), job_id: newId() } }))).to.equal('NOT_FOUND');
      });
    }
  });

  it('do their whole round over the wire, each request signed', async () => {
    const { http, env } = backend.current;
    const signedPost = (path: string, node: string, key: Buffer | string, json: unknown): Promise<Reply> => {
      const timestamp = String(Math.floor(backend.current.clock.now() / 1000));
      const body = Buffer.from(JSON.stringify(json));
      const signature = hmacSha256(Buffer.from(key), signedText('POST', `/api/v1${path}`, node, timestamp, body)).toString('hex');
      return http('POST', path, {
        body, headers: { 'content-type': 'application/json', 'x-hivesync-node': node, 'x-hivesync-timestamp': timestamp, 'x-hivesync-signature': `v1=${signature}` },
      });
    };
    const registered = await signedPost('/workers/register', 'node-w', env.workerSharedSecret.reveal(), {
      name: 'node-w', type: 'cpu', concurrency: 1, version: '1', capabilities: { kinds: ['preview', 'live_session'], sdk_versions: ['0.88.1', '57.0.26'], sandbox: 'none', local_model: false },
    });
    expect(registered.status).to.equal(200);
    const node = (registered.data['worker'] as { id: string }).id;
    const key = Buffer.from(String(registered.data['node_key']), 'base64url');
    const claimed = await signedPost(`/workers/jobs/${jobId}/claim`, node, key, { epoch: 0 });
    expect(claimed.status).to.equal(200);
    const lease = claimed.data['lease_token'];
    expect((await signedPost(`/workers/jobs/${jobId}/progress`, node, key, { lease_token: lease, stage: 'bundling', progress: 5 })).status).to.equal(200);
    const content = Buffer.from('bundle');
    const sha256 = createHash('sha256').update(content).digest('hex');
    const wanted = { path: 'bundle.js', size: content.length, sha256, content_type: 'application/javascript', content_encoding: 'identity' };
    const uploads = await signedPost(`/workers/jobs/${jobId}/uploads`, node, key, { lease_token: lease, objects: [wanted] });
    const [upload] = uploads.data['uploads'] as { upload_url: string; object_key: string; headers: Record<string, string> }[];
    expect(await put(upload?.upload_url ?? '', upload?.headers ?? {}, content)).to.equal(200);
    const done = await signedPost('/workers/callback', node, key, {
      job_id: jobId, status: 'SUCCESS', lease_token: lease,
      artifacts: [{ kind: 'bundle', path: 'bundle.js', object_key: upload?.object_key, size: content.length, sha256, encoding: 'identity' }],
      result: { kind: 'preview', bundle_bytes: content.length, timings: { fetching_ms: 1, bundling_ms: 1, packaging_ms: 1, uploading_ms: 1 } },
    });
    expect([done.status, done.data]).to.deep.equal([200, { accepted: true, job_status: 'succeeded', reason: null }]);
    // The shared secret signs registrations alone.
    expect((await signedPost('/workers/heartbeat', node, env.workerSharedSecret.reveal(), { status: 'active', metrics, running_job_ids: [] })).status).to.equal(401);
    expect((await signedPost('/workers/heartbeat', node, key, { status: 'active', metrics, running_job_ids: [] })).status).to.equal(200);
  });

  it('have uploads that wait no longer than their job', async () => {
    const sources = [sourceOf('index.js', `late ${jobId}`)];
    const { data } = await request(backend.current, ada, projectId, sources);
    await backend.current.run('deletePreviewJob', ada, { path: { job_id: data.job.id } });
    await uploadMissing(data, sources);
    expect(await codeOf(backend.current.run('startPreviewJob', ada, { path: { job_id: data.job.id } }))).to.equal('NOT_FOUND');
  });
});

/** The worker callback as the requirements give it: `{job_id, status, bundle_url, logs_url, error}`, proved by a secret. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { ClaimedJob, JobArtifact, JobResultReport } from '#generated/sdk/types.gen.ts';
import { signedText } from '#http/authenticate/worker.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { hmacSha256 } from '#platform/crypto.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { claim, put, queuedJob, uploadBundle } from '../../support/preview-jobs.ts';
import { refusalOf } from '../../support/refusals.ts';

describe('the worker callback', () => {
  const backend = useBackend();
  let ada: Person;
  let projectId: string;
  let worker: WorkerCaller;
  let jobId: string;
  let claimed: ClaimedJob;
  beforeEach(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada);
    worker = await backend.current.worker();
    jobId = await queuedJob(backend.current, ada, projectId);
    claimed = await claim(backend.current, worker, jobId);
  });
  const report = async (body: JobResultReport) => (await backend.current.run('reportJobResult', worker, { body })).data;
  const statusNow = async (): Promise<unknown> => (await backend.current.sql('select status from preview_jobs where id = ?', [jobId]))[0]?.['status'];
  const log = async (): Promise<{ artifact: JobArtifact; url: string }> => {
    const content = Buffer.from('a log');
    const sha256 = createHash('sha256').update(content).digest('hex');
    const { data: { uploads: [upload] } } = await backend.current.run('createJobUploads', worker, {
      path: { job_id: jobId },
      body: { lease_token: claimed.lease_token, objects: [{ path: 'build.log', size: content.length, sha256, content_type: 'text/plain', content_encoding: 'identity' }] },
    });
    if (upload?.upload_url == null) throw new Error('There is nowhere to upload to.');
    await put(upload.upload_url, upload.headers, content);
    return { artifact: { kind: 'log', path: 'build.log', object_key: upload.object_key, size: content.length, sha256, encoding: 'identity' }, url: upload.upload_url };
  };

  it('takes a bundle and a log by their keys, or by the URLs they were uploaded to', async () => {
    const made = await uploadBundle(backend.current, worker, claimed);
    const { artifact, url } = await log();
    const whole: JobResultReport = { ...made, error: null, bundle_url: made.artifacts?.[0]?.object_key ?? '', logs_url: url, artifacts: [...made.artifacts ?? [], artifact] };
    expect(await report(whole)).to.deep.equal({ accepted: true, job_status: 'succeeded', reason: null });
    expect(await report(whole), 'a repeat').to.deep.equal({ accepted: true, job_status: 'succeeded', reason: null });
  });

  it('refuses a bundle or a log that lies elsewhere, of either status, and leaves the job as it was', async () => {
    const made = await uploadBundle(backend.current, worker, claimed);
    const key = made.artifacts?.[0]?.object_key ?? '';
    const { artifact } = await log();
    const wrong: Partial<JobResultReport>[] = [
      { bundle_url: key.replace(jobId, projectId) }, { bundle_url: `https://elsewhere.example/${key}x` }, { bundle_url: '../bundle.js' }, { bundle_url: artifact.object_key },
      { logs_url: key }, { logs_url: 'http://%' },
    ];
    for (const names of wrong) {
      for (const body of [{ ...made, artifacts: [...made.artifacts ?? [], artifact], ...names }, { ...made, status: 'FAIL' as const, result: null, artifacts: [artifact], error: 'x', ...names }]) {
        const refusal = await refusalOf(report(body));
        expect([refusal.code, (refusal.details as { pointer: string }[])[0]?.pointer], JSON.stringify(names)).to.deep.equal(['VALIDATION_ERROR', `#/body/${Object.keys(names)[0] ?? ''}`]);
      }
    }
    expect(await statusNow()).to.equal('running');
  });

  it('takes a failure that is told in words alone for one that another attempt may mend', async () => {
    expect(await report({ job_id: jobId, status: 'FAIL', bundle_url: null, logs_url: null, error: 'The disk is full.', lease_token: claimed.lease_token }))
      .to.deep.equal({ accepted: true, job_status: 'queued', reason: null });
  });

  it('takes nothing from another node, though it knows the lease: no report, no progress, no upload', async () => {
    const other = await backend.current.worker();
    const { run } = backend.current;
    const stolen = { job_id: jobId, lease_token: claimed.lease_token };
    for (const status of ['FAIL', 'SUCCESS'] as const) {
      expect((await run('reportJobResult', other, { body: { ...stolen, status, error: 'It broke.' } })).data).to.deep.equal({ accepted: false, job_status: 'running', reason: 'lease_lost' });
    }
    const progress = { lease_token: claimed.lease_token, stage: 'bundling', progress: 50, log_offset: 0, log: [{ at: new Date().toISOString(), level: 'info', message: 'not its own' }] } as const;
    expect((await refusalOf(run('reportJobProgress', other, { path: { job_id: jobId }, body: { ...progress, log: [...progress.log] } }))).code).to.equal('CONFLICT');
    expect((await refusalOf(run('createJobUploads', other, {
      path: { job_id: jobId }, body: { lease_token: claimed.lease_token, objects: [{ path: 'bundle.js', size: 1, sha256: 'a'.repeat(64), content_type: 'text/plain', content_encoding: 'identity' }] },
    }))).code).to.equal('CONFLICT');
    expect(await backend.current.sql('select status, worker_id from preview_jobs where id = ?', [jobId])).to.deep.equal([{ status: 'running', worker_id: worker.nodeId }]);
    expect(await backend.current.sql('select * from preview_job_logs where job_id = ?', [jobId])).to.deep.equal([]);
    expect(await report({ ...stolen, status: 'FAIL', error: 'It broke.' })).to.deep.equal({ accepted: true, job_status: 'queued', reason: null });
  });

  it('takes a signed report once: the same bytes again are refused, whoever sends them, and change nothing', async () => {
    const body = Buffer.from(JSON.stringify({ job_id: jobId, status: 'FAIL', error: 'It broke.', lease_token: claimed.lease_token }));
    const key = Buffer.from(backend.current.services.nodeKeys.of(worker.nodeId), 'base64url');
    const send = (path: string, signedWith = key, node = worker.nodeId): Promise<Reply> => {
      const timestamp = String(Math.floor(backend.current.clock.now() / 1000));
      const signature = hmacSha256(signedWith, signedText('POST', `/api/v1${path}`, node, timestamp, body)).toString('hex');
      return backend.current.http('POST', path, { body, headers: { 'content-type': 'application/json', 'x-hivesync-node': node, 'x-hivesync-timestamp': timestamp, 'x-hivesync-signature': `v1=${signature}` } });
    };
    const other = await backend.current.worker();
    expect((await send('/workers/callback', Buffer.from(backend.current.services.nodeKeys.of(other.nodeId), 'base64url'))).status, 'signed by another node').to.equal(401);
    const answers = await Promise.all([send('/workers/callback'), send('/workers/callback'), send('/workers/callback')]);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 401, 401]);
    expect((await send('/preview/callback')).data, 'by its other name it is another request, and a repeat').to.deep.equal({ accepted: true, job_status: 'queued', reason: null });
    expect(await backend.current.sql('select attempt, epoch from preview_jobs where id = ?', [jobId])).to.deep.equal([{ attempt: 1, epoch: 1 }]);
  });
});

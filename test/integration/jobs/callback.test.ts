/** The worker callback as the requirements give it: `{job_id, status, bundle_url, logs_url, error}`, proved by a secret. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { ClaimedJob, JobArtifact, JobResultReport, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import { signedText } from '#http/authenticate/worker.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { hmacSha256 } from '#platform/crypto.ts';
import { type Backend, type Person, type Reply, startBackend, useBackend } from '../../support/backend.ts';
import { claim, failureReport, put, queuedJob, uploadBundle } from '../../support/preview-jobs.ts';
import { refusalOf } from '../../support/refusals.ts';
import { type S3Server, startS3Server } from '../../support/s3-server/start.ts';
import { until } from '../../support/until.ts';

/** One operation, by four names. */
const names = ['reportJobResult', 'reportPreviewResult', 'reportAiResult', 'reportRepoSync'] as const;

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

  it('tells who watches of an end once it is one: an attempt that another follows has only changed the job', async () => {
    const told: string[] = [];
    // What the claim told before is out when this is answered.
    await backend.current.redis.redis.ping();
    const leave = await backend.current.subscriber.subscribe(`events:${jobId}`, (how) => told.push(how));
    await report(failureReport(claimed, { kind: 'storage_unavailable', retryable: true }));
    await backend.current.sql('update preview_jobs set run_after = now() where id = ?', [jobId]);
    await report(failureReport(await claim(backend.current, worker, jobId)));
    await until('the end to be told', () => told.includes('ended'));
    // The first report, and the claim after it.
    expect(told).to.deep.equal(['changed', 'changed', 'ended']);
    await leave();
  });

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
    for (const path of ['/preview/callback', '/ai/callback', '/repos/callback']) {
      expect((await send(path)).data, 'by its other name it is another request, and a repeat').to.deep.equal({ accepted: true, job_status: 'queued', reason: null });
    }
    expect(await backend.current.sql('select attempt, epoch from preview_jobs where id = ?', [jobId])).to.deep.equal([{ attempt: 1, epoch: 1 }]);
  });
});

for (const store of ['files', 'S3'] as const) {
  describe(`the worker callback with six fields alone (${store})`, () => {
    let s3: S3Server | null = null;
    let backend: Backend;
    let ada: Person;
    let projectId: string;
    let worker: WorkerCaller;
    let claimed: ClaimedJob;
    before(async () => {
      s3 = store === 'S3' ? await startS3Server() : null;
      backend = await startBackend(s3 === null ? {} : {
        R2_ENDPOINT: s3.endpoint, R2_BUCKET: s3.bucket, R2_ACCESS_KEY: s3.accessKey, R2_SECRET_KEY: s3.secretKey, R2_REGION: s3.region,
      });
    });
    after(async () => {
      await backend.close();
      await s3?.stop();
    });
    beforeEach(async () => {
      ada = await backend.person();
      projectId = await backend.project(ada);
      worker = await backend.worker();
      claimed = await claim(backend, worker, await queuedJob(backend, ada, projectId));
    });
    type Fields = Partial<JobResultReport>;
    const six = (more: Fields): JobResultReport => ({ job_id: claimed.job_id, status: 'SUCCESS', bundle_url: null, logs_url: null, error: null, lease_token: claimed.lease_token, ...more });
    const report = async (more: Fields, by: (typeof names)[number] = 'reportJobResult') => (await backend.run(by, worker, { body: six(more) })).data;
    const upload = async (path: string, text: string, encoding: 'identity' | 'gzip' = 'identity'): Promise<{ key: string; url: string; size: number; sha256: string }> => {
      const content = Buffer.from(text);
      const sha256 = createHash('sha256').update(content).digest('hex');
      const { data: { uploads: [made] } } = await backend.run('createJobUploads', worker, {
        path: { job_id: claimed.job_id },
        body: { lease_token: claimed.lease_token, objects: [{ path, size: content.length, sha256, content_type: 'text/plain', content_encoding: encoding }] },
      });
      if (made?.upload_url == null) throw new Error('There is nowhere to upload to.');
      expect(await put(made.upload_url, made.headers, content)).to.equal(200);
      return { key: made.object_key, url: made.upload_url, size: content.length, sha256 };
    };
    const kept = (): Promise<Record<string, unknown>[]> => backend.sql(
      "select kind, path, object_key as key, size, encode(sha256, 'hex') as sha256, encoding from preview_artifacts where job_id = ? order by kind", [claimed.job_id],
    );
    const job = async () => (await backend.run('getPreviewJob', ada, { path: { job_id: claimed.job_id } })).data;
    const placeOf = (key: string): string => key.slice(0, -'identity/bundle.js'.length);

    for (const by of names) {
      it(`keep the bundle and the log that are named, as they lie in storage, and their repeat is answered alike (${by})`, async () => {
        const [bundle, log] = [await upload('bundle.js', 'console.log("short");'), await upload('build log.txt', 'a log')];
        for (let time = 1; time <= 2; time += 1) {
          expect(await report({ bundle_url: bundle.key, logs_url: log.url }, by), `time ${time}`).to.deep.equal({ accepted: true, job_status: 'succeeded', reason: null });
        }
        const asKept = ({ url: _, ...object }: typeof bundle) => ({ ...object, encoding: 'identity' });
        expect(await kept()).to.deep.equal([{ kind: 'bundle', path: 'bundle.js', ...asKept(bundle) }, { kind: 'log', path: 'build log.txt', ...asKept(log) }]);
        const { status, bundle_bytes: bytes, timings, error } = await job();
        expect({ status, bytes, error }).to.deep.equal({ status: 'succeeded', bytes: bundle.size, error: null });
        expect([timings.fetching_ms, timings.bundling_ms, timings.packaging_ms, timings.uploading_ms]).to.deep.equal([null, null, null, null]);
        const { data: { items } } = await backend.run('listPreviewArtifacts', ada, { path: { job_id: claimed.job_id } });
        const [shown] = items.filter(({ kind }) => kind === 'bundle');
        expect(await (await fetch(shown?.url ?? '')).text()).to.equal('console.log("short");');
      });
    }

    it('take the bundle by the URL it was uploaded to, and what else the worker says of it', async () => {
      const bundle = await upload('bundle.js', 'console.log("by its URL");');
      const timings = { fetching_ms: 1, bundling_ms: 2, packaging_ms: 3, uploading_ms: 4 };
      expect((await report({ bundle_url: bundle.url, result: { kind: 'preview', bundle_bytes: 5, timings } })).accepted).to.equal(true);
      const now = await job();
      expect(now.bundle_bytes, 'as it lies in storage').to.equal(bundle.size);
      expect(now.timings).to.include(timings);
      expect((await kept()).map(({ kind }) => kind)).to.deep.equal(['bundle']);
    });

    it('are refused with what was not stored by this attempt, without encoding, once; and leave the job as it was', async () => {
      const [bundle, encoded] = [await upload('bundle.js', 'console.log("x");'), await upload('encoded.js', 'x', 'gzip')];
      const place = placeOf(bundle.key);
      const own = claimed;
      claimed = await claim(backend, worker, await queuedJob(backend, ada, await backend.project(ada), 'foreign'));
      const foreign = await upload('bundle.js', 'another project\'s');
      claimed = own;
      const elsewhere = [
        foreign.key, foreign.url, encoded.key, encoded.url, `${place}identity/none.js`, `${place}identity/`, `${place}identity/../identity/bundle.js`, `${place}identity//bundle.js`,
        `${place}identity/${'x'.repeat(251)}`, `${place}identity/\u0001`, `http://x/${place}identity/%00`, place.replace(/1\/$/, '2/identity/bundle.js'), `x/${bundle.key}`, `${bundle.key}?x`, 'bundle.js', '', 'http://%', 'https://elsewhere.example/bundle.js',
      ];
      for (const name of elsewhere) {
        const wrong: [string, Fields][] = [
          ['bundle_url', { bundle_url: name }], ['logs_url', { bundle_url: bundle.key, logs_url: name }], ['logs_url', { status: 'FAIL', error: 'It broke.', logs_url: name }],
        ];
        for (const [field, fields] of wrong) {
          const { code, details } = await refusalOf(report(fields));
          expect([code, (details as { pointer: string }[]).map(({ pointer }) => pointer)], JSON.stringify(fields)).to.deep.equal(['VALIDATION_ERROR', [`#/body/${field}`]]);
        }
      }
      const twice = await refusalOf(report({ bundle_url: bundle.key, logs_url: bundle.url }));
      expect((twice.details as { pointer: string }[])[0]?.pointer, 'one object is not both').to.equal('#/body/logs_url');
      expect(await kept()).to.deep.equal([]);
      expect((await job()).status).to.equal('running');
      expect((await report({ bundle_url: bundle.key })).accepted).to.equal(true);
    });

    it('are refused, told where, without a bundle, or with the result of another kind of job', async () => {
      const log = await upload('build.log', 'a log');
      for (const fields of [{}, { logs_url: log.key }]) {
        const { code, details } = await refusalOf(report(fields));
        expect([code, (details as { pointer: string }[])[0]?.pointer]).to.deep.equal(['VALIDATION_ERROR', '#/body/bundle_url']);
      }
      const bundle = await upload('bundle.js', 'console.log("x");');
      const other = { kind: 'ai_doc', provider: 'local', model: 'm', input_tokens: 1, output_tokens: 1, summary: '', diff: null, snippet: null, output_text: null } as const;
      const { details } = await refusalOf(report({ bundle_url: bundle.key, result: other }));
      expect((details as { pointer: string }[])[0]?.pointer).to.equal('#/body/result');
      expect((await job()).status).to.equal('running');
    });

    it('keep the log of a failure that ends the job, and no bundle', async () => {
      const [bundle, log] = [await upload('bundle.js', 'half of it'), await upload('build.log', 'It broke here.')];
      expect((await report({ ...failureReport(claimed), bundle_url: bundle.key, logs_url: log.url })).job_status).to.equal('failed');
      expect((await kept()).map(({ kind, path, sha256 }) => ({ kind, path, sha256 }))).to.deep.equal([{ kind: 'log', path: 'build.log', sha256: log.sha256 }]);
    });

    it('keep the log of a failure told in words alone once no attempt is left', async () => {
      await backend.sql('update preview_jobs set max_attempts = attempt where id = ?', [claimed.job_id]);
      const log = await upload('build.log', 'The last words.');
      expect(await report({ status: 'FAIL', error: 'The disk is full.', logs_url: log.key })).to.deep.equal({ accepted: true, job_status: 'failed', reason: null });
      expect((await kept()).map(({ kind, path }) => ({ kind, path }))).to.deep.equal([{ kind: 'log', path: 'build.log' }]);
    });

    it('come too late like any other, whatever they name', async () => {
      const bundle = await upload('bundle.js', 'console.log("late");');
      await backend.run('cancelPreviewJob', ada, { path: { job_id: claimed.job_id } });
      expect(await report({ bundle_url: bundle.key })).to.deep.equal({ accepted: false, job_status: 'cancelled', reason: 'cancelled' });
      expect(await kept()).to.deep.equal([]);
    });

    it('are refused with a bundle that is larger than a bundle may be', async () => {
      const { max_bundle_bytes: most } = (claimed.input as PreviewJobInput).limits;
      const { key } = await upload('bundle.js', 'to be replaced');
      const { url, headers } = await backend.storage.presignPut(key, { expiresSeconds: 60, sizeBytes: most + 1, contentType: 'application/javascript' });
      expect(await put(url, headers, Buffer.alloc(most + 1))).to.equal(200);
      const { code, details } = await refusalOf(report({ bundle_url: key }));
      expect([code, details]).to.deep.equal(['VALIDATION_ERROR', [{ pointer: '#/body/bundle_url', message: `names an object of more than ${most} bytes`, rule: 'size' }]]);
    });

    if (store === 'S3') {
      it('read an object whose hash the store did not keep, and keep the hash of what is there', async () => {
        const { key } = await upload('bundle.js', 'to be replaced');
        const content = Buffer.from('console.log("stored without a checksum");');
        const { url, headers } = await backend.storage.presignPut(key, { expiresSeconds: 60, sizeBytes: content.length, contentType: 'application/javascript' });
        expect(await put(url, headers, content)).to.equal(200);
        expect((await backend.storage.head(key)).sha256).to.equal(null);
        expect((await report({ bundle_url: key })).accepted).to.equal(true);
        expect(await kept()).to.deep.equal([{
          kind: 'bundle', path: 'bundle.js', key, size: content.length, sha256: createHash('sha256').update(content).digest('hex'), encoding: 'identity',
        }]);
      });

      it('are answered STORAGE_ERROR while storage is away, and taken when they come again', async () => {
        const { key } = await upload('bundle.js', 'console.log("again");');
        await s3?.setFault({ mode: 'status', status: 500, operation: 'HeadObject' });
        try {
          expect((await refusalOf(report({ bundle_url: key }))).code).to.equal('STORAGE_ERROR');
        } finally {
          await s3?.setFault(null);
        }
        expect((await report({ bundle_url: key })).accepted).to.equal(true);
      });
    }
  });
}

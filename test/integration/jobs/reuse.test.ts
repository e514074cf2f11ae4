/** What a worker has made and the project holds already is copied inside storage, where the worker asks for it. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { sweepBlobs } from '#domains/previews/blobs-clean-up.ts';
import { expirySweeps } from '#domains/previews/expiry-clean-up.ts';
import { attemptPrefix, blobKey, jobPrefix } from '#domains/previews/keys.ts';
import { reusableSql } from '#domains/previews/queries.ts';
import { sweepStrays } from '#domains/previews/stray-objects.ts';
import type { ClaimedJob, JobArtifact, JobUpload, JobUploadSpec } from '#generated/sdk/types.gen.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { eachObject } from '#platform/storage/storage.ts';
import { type Backend, type Person, startBackend } from '../../support/backend.ts';
import { planOf } from '../../support/plans.ts';
import { claim, failureReport, put, queuedJob } from '../../support/preview-jobs.ts';
import { type S3Server, startS3Server } from '../../support/s3-server/start.ts';
import { countStatements } from '../../support/statements.ts';

interface Made extends JobUploadSpec { readonly content: Buffer; readonly kind: JobArtifact['kind'] }

const made = (kind: Made['kind'], path: string, content: Buffer | string, more: Partial<JobUploadSpec> = {}): Made => {
  const bytes = Buffer.from(content);
  return { kind, path, content: bytes, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), content_type: 'text/plain', content_encoding: 'identity', ...more };
};
const specOf = ({ content: _, kind: _kind, ...spec }: Made): JobUploadSpec => spec;

for (const store of ['files', 'S3'] as const) {
  describe(`uploads that a copy spares (${store})`, function () {
    this.timeout(30_000);
    let s3: S3Server | null = null;
    let backend: Backend;
    let ada: Person;
    let projectId: string;
    let worker: WorkerCaller;
    let texts = 0;
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
      ada = await backend.person('pro');
      projectId = await backend.project(ada);
      worker = await backend.worker();
    });

    /** A job that runs, of a project whose source is `text`. */
    const running = async (text = `export default ${texts += 1};`, project = projectId): Promise<ClaimedJob> => claim(backend, worker, await queuedJob(backend, ada, project, text));
    const uploads = async (job: ClaimedJob, objects: readonly Made[], reuse = true): Promise<JobUpload[]> => (await backend.run('createJobUploads', worker, {
      path: { job_id: job.job_id }, body: { lease_token: job.lease_token, objects: objects.map((object) => ({ ...specOf(object), ...(reuse ? { reuse } : {}) })) },
    })).data.uploads;
    const isThere = async (job: ClaimedJob, object: Made): Promise<boolean> => {
      const [upload] = await uploads(job, [object]);
      if (upload === undefined) throw new Error('nothing was answered');
      const lies = await backend.storage.head(upload.object_key).then(() => true, () => false);
      expect(lies, 'nothing is there but what needs no upload').to.equal(upload.upload_url === null);
      return lies;
    };
    /** Sends what is asked for, and reports; answers how many were sent. */
    const finish = async (job: ClaimedJob, objects: readonly Made[]): Promise<number> => {
      const targets = await uploads(job, objects);
      let sent = 0;
      for (const [index, { upload_url: url, headers }] of targets.entries()) {
        if (url === null) continue;
        expect(await put(url, headers, objects[index]?.content ?? Buffer.alloc(0))).to.equal(200);
        sent += 1;
      }
      const artifacts = objects.map(({ kind, path, size, sha256, content_encoding: encoding }, index): JobArtifact => (
        { kind, path, size, sha256, encoding, object_key: targets[index]?.object_key ?? '' }));
      const { data } = await backend.run('reportJobResult', worker, { body: {
        job_id: job.job_id, status: 'SUCCESS', lease_token: job.lease_token, artifacts,
        result: { kind: 'preview', bundle_bytes: 1, timings: { fetching_ms: 1, bundling_ms: 2, packaging_ms: 3, uploading_ms: 4 } },
      } });
      expect(data).to.deep.equal({ accepted: true, job_status: 'succeeded', reason: null });
      return sent;
    };
    const keysBelow = async (prefix: string): Promise<string[]> => {
      const keys = [];
      for await (const { key } of eachObject(backend.storage, prefix)) keys.push(key);
      return keys;
    };
    const bundle = made('bundle', 'bundle.js', 'console.log("a bundle");', { content_type: 'application/javascript' });
    const packed = made('bundle', 'bundle.js', gzipSync(bundle.content), { content_type: 'application/javascript', content_encoding: 'gzip' });

    it('takes sources of the project and what its earlier previews made, each stored as an upload would be', async () => {
      const picture = made('asset', 'assets/logo.png', 'what passes for a picture', { content_type: 'image/png' });
      const first = await running(picture.content.toString());
      expect(await finish(first, [bundle, packed, picture]), 'the picture is a source').to.equal(2);
      const second = await running();
      const log = made('log', 'build.log', 'what is new');
      expect(await finish(second, [bundle, log, packed, picture]), 'the log alone').to.equal(1);
      const { data: { items } } = await backend.run('listPreviewArtifacts', ada, { path: { job_id: second.job_id } });
      for (const one of [bundle, packed, picture]) {
        const key = `${attemptPrefix(projectId, second.job_id, 1)}${one.content_encoding}/${one.path}`;
        const head = await backend.storage.head(key);
        expect(head).to.include({
          sizeBytes: one.size, sha256: one.sha256, contentType: one.content_type, contentEncoding: one.content_encoding === 'identity' ? null : one.content_encoding,
        });
        const url = items.find(({ path, encoding }) => path === one.path && encoding === one.content_encoding)?.url ?? '';
        expect(await (await fetch(url)).text()).to.equal((one === packed ? bundle : one).content.toString());
      }
    });

    it('is asked for object by object: a worker that does not know of it uploads everything', async () => {
      await finish(await running(), [bundle]);
      const job = await running();
      const [upload] = await uploads(job, [bundle], false);
      expect(upload?.upload_url).to.be.a('string');
      expect(await keysBelow(jobPrefix(projectId, job.job_id))).to.deep.equal([]);
      const other = made('asset', 'other.txt', 'nobody has this');
      expect((await uploads(job, [other, bundle])).map(({ path, upload_url: url }) => [path, url === null])).to.deep.equal([['other.txt', false], ['bundle.js', true]]);
    });

    it('knows nothing of another project\'s objects, sources or artifacts', async () => {
      const text = `a source of somebody else ${texts += 1}`;
      const elsewhere = await backend.project(ada);
      await finish(await running(text, elsewhere), [bundle, made('asset', 'assets/a.txt', text)]);
      const job = await running();
      expect(await isThere(job, bundle)).to.equal(false);
      expect(await isThere(job, made('asset', 'assets/a.txt', text))).to.equal(false);
    });

    it('copies nothing under a wrong size, name or encoding of what was made', async () => {
      const text = `a source ${texts += 1}`;
      await finish(await running(text), [bundle]);
      const job = await running();
      expect(await isThere(job, { ...made('asset', 'assets/a.txt', text), size: text.length + 1 })).to.equal(false);
      expect(await isThere(job, { ...bundle, size: bundle.size - 1 })).to.equal(false);
      expect(await isThere(job, { ...bundle, path: 'other.js' })).to.equal(false);
      expect(await isThere(job, { ...bundle, content_encoding: 'br' })).to.equal(false);
      expect(await isThere(job, { ...made('asset', 'assets/a.txt', text), content_encoding: 'gzip' }), 'a source is not encoded').to.equal(false);
      expect(await isThere(job, bundle)).to.equal(true);
    });

    it('believes the store, and no worker, of what an artifact holds', async () => {
      const [told, stored] = [made('asset', 'assets/a.txt', 'told'), made('asset', 'assets/a.txt', 'lied')];
      const liar = await running();
      const [upload, main] = await uploads(liar, [stored, bundle]);
      for (const [target, { content }] of [[upload, stored], [main, bundle]] as const) {
        expect(await put(target?.upload_url ?? '', target?.headers ?? {}, content)).to.equal(200);
      }
      const artifact = ({ kind, path, size, sha256, content_encoding: encoding }: Made, target: JobUpload | undefined): JobArtifact => ({ kind, path, size, sha256, encoding, object_key: target?.object_key ?? '' });
      await backend.run('reportJobResult', worker, { body: {
        job_id: liar.job_id, status: 'SUCCESS', lease_token: liar.lease_token, artifacts: [artifact(told, upload), artifact(bundle, main)],
        result: { kind: 'preview', bundle_bytes: 1, timings: { fetching_ms: 1, bundling_ms: 2, packaging_ms: 3, uploading_ms: 4 } },
      } });
      expect(await backend.sql("select encode(sha256, 'hex') as sha256 from preview_artifacts where job_id = ? and kind = 'asset'", [liar.job_id])).to.deep.equal([{ sha256: told.sha256 }]);
      expect(await isThere(await running(), told)).to.equal(false);
    });

    it('answers a URL for what is gone by then: a source that was swept, an artifact that was lost, a preview that was deleted', async () => {
      const text = `a source ${texts += 1}`;
      const source = made('asset', 'assets/a.txt', text);
      const earlier = await running(text);
      await finish(earlier, [bundle, packed]);
      await backend.storage.delete(blobKey(projectId, source.sha256));
      await backend.storage.delete(`${attemptPrefix(projectId, earlier.job_id, 1)}identity/bundle.js`);
      const job = await running();
      expect([await isThere(job, source), await isThere(job, bundle), await isThere(job, packed)]).to.deep.equal([false, false, true]);
      await backend.run('deletePreviewJob', ada, { path: { job_id: earlier.job_id } });
      expect(await isThere(await running(), packed)).to.equal(false);
      const condemned = made('asset', 'assets/b.txt', `a source ${texts += 1}`);
      await running(condemned.content.toString());
      await backend.sql("update source_blobs set condemned_at = now() where project_id = ? and sha256 = decode(?, 'hex')", [projectId, condemned.sha256]);
      expect(await isThere(job, condemned)).to.equal(false);
    });

    it('makes copies that live and go with their own job, whatever becomes of what they were made from', async () => {
      const signal = new AbortController().signal;
      const sweep = async (): Promise<void> => {
        for (const { run } of expirySweeps(backend.database.db, backend.storage)) await run(signal);
        await backend.sql("update preview_jobs set unlinked_at = unlinked_at - interval '4 hours' where unlinked_at is not null and objects_erased_at is null");
        for (const { run } of expirySweeps(backend.database.db, backend.storage)) await run(signal);
      };
      const text = `a source ${texts += 1}`;
      const objects = [bundle, packed, made('asset', 'assets/a.txt', text, { content_type: 'application/octet-stream' })];
      const first = await running(text);
      await finish(first, objects);
      const [second, failing] = [await running(), await running()];
      await uploads(failing, objects);
      expect(await finish(second, objects)).to.equal(0);
      await backend.run('reportJobResult', worker, { body: failureReport(failing) });
      expect(await keysBelow(jobPrefix(projectId, failing.job_id)), 'copies of a job that failed').to.have.length(3);

      await backend.run('deletePreviewJob', ada, { path: { job_id: first.job_id } });
      await backend.sql("update preview_jobs set artifacts_expire_at = null, completed_at = now() - interval '400 days' where id = ?", [failing.job_id]);
      await backend.sql('delete from preview_job_files where job_id in (select id from preview_jobs where project_id = ?)', [projectId]);
      await backend.sql("update source_blobs set last_used_at = now() - interval '25 hours' where project_id = ?", [projectId]);
      await sweepBlobs(backend.database.db, backend.storage).run(signal);
      await backend.sql("update source_blobs set condemned_at = now() - interval '3 hours' where condemned_at is not null");
      await sweepBlobs(backend.database.db, backend.storage).run(signal);
      await sweep();
      expect(await keysBelow(`projects/${projectId}/`)).to.deep.equal(objects.map((one) => `${attemptPrefix(projectId, second.job_id, 1)}${one.content_encoding}/${one.path}`).sort());
      const { data: { items } } = await backend.run('listPreviewArtifacts', ada, { path: { job_id: second.job_id } });
      for (const { url } of items) expect(['console.log("a bundle");', text]).to.include(await (await fetch(url)).text());
    });

    it('makes copies that the walk for strays leaves alone while their job runs, however old what they were made from', async () => {
      const strays = (): Promise<number> => sweepStrays({ db: backend.database.db, storage: backend.storage, clock: { now: () => Date.now() + 48 * 3_600_000 } }).run(new AbortController().signal);
      await finish(await running(), [bundle]);
      const job = await running();
      const [upload] = await uploads(job, [bundle]);
      expect(upload?.upload_url).to.equal(null);
      await backend.sql('delete from object_walks');
      await strays();
      expect(await keysBelow(jobPrefix(projectId, job.job_id))).to.deep.equal([upload?.object_key]);
      await backend.run('cancelPreviewJob', ada, { path: { job_id: job.job_id } });
      await backend.sql('delete from object_walks');
      await strays();
      expect(await keysBelow(jobPrefix(projectId, job.job_id))).to.deep.equal([]);
    });

    it('asks the database twice, however many objects there are', async () => {
      const text = `a source ${texts += 1}`;
      const many = Array.from({ length: 200 }, (_, index) => made('asset', `assets/${index}.txt`, index % 2 === 0 ? text : `made ${index}`));
      await finish(await running(text), [bundle, ...many]);
      const job = await running();
      const asked = async (count: number, reuse: boolean): Promise<number> => countStatements(() => uploads(job, many.slice(0, count), reuse));
      await asked(1, true);
      expect([await asked(1, false), await asked(1, true), await asked(200, false), await asked(200, true)]).to.deep.equal([1, 2, 1, 2]);
    });

    it('looks up each object by its key, in however many jobs and artifacts', async () => {
      const elsewhere = await running('somewhere else', await backend.project(ada));
      await backend.sql(`insert into preview_jobs select (jsonb_populate_record(j, jsonb_build_object('id', gen_random_uuid(), 'request_key_hash', null))).*
        from preview_jobs j cross join generate_series(1, 500) where j.id = ?`, [elsewhere.job_id]);
      await backend.sql(`insert into preview_artifacts (id, job_id, object_key, kind, path, size, sha256, content_type)
        select gen_random_uuid(), j.id, j.id || '/' || n, 'asset', 'assets/' || n, 1, sha256(n::text::bytea), 'text/plain' from preview_jobs j cross join generate_series(1, 40) as n`);
      await backend.sql("insert into source_blobs (project_id, sha256, size) select ?, sha256(n::text::bytea), 1 from generate_series(1, 20000) as n", [projectId]);
      await backend.sql('analyze preview_jobs');
      await backend.sql('analyze preview_artifacts');
      await backend.sql('analyze source_blobs');
      const values = [projectId, ['assets/1', 'assets/2'], ['identity', 'identity'], ['0'.repeat(64), '1'.repeat(64)], [1, 1]];
      for (const isGeneric of [false, true]) expect((await planOf(backend.database.db, { text: reusableSql, values }, isGeneric)).readWhole).to.deep.equal([]);
    });

    it('needs the lease, and takes no name outside the job\'s place', async () => {
      await finish(await running(), [bundle]);
      const job = await running();
      const refused = await uploads({ ...job, lease_token: `${job.lease_token}x` }, [bundle]).then(() => null, (error: unknown) => error);
      expect(refused).to.have.property('code', 'CONFLICT');
      for (const path of ['../bundle.js', 'a//b', `${'x'.repeat(260)}`]) {
        expect(await uploads(job, [{ ...bundle, path }]).then(() => null, (error: unknown) => error), path).to.have.property('code', 'VALIDATION_ERROR');
      }
      expect(await keysBelow(jobPrefix(projectId, job.job_id))).to.deep.equal([]);
    });

    if (store === 'S3') {
      it('answers URLs while the store does not copy', async () => {
        await finish(await running(), [bundle, packed]);
        const job = await running();
        for (const operation of ['CopyObject', 'HeadObject']) {
          await s3?.setFault({ mode: 'status', status: 500, operation });
          try {
            expect((await uploads(job, [bundle, packed])).map(({ upload_url: url }) => typeof url), operation).to.deep.equal(['string', 'string']);
          } finally {
            await s3?.setFault(null);
          }
        }
        expect(await isThere(job, bundle)).to.equal(true);
      });

      it('copies no artifact whose hash the store did not keep', async () => {
        const earlier = await running();
        await finish(earlier, [bundle]);
        const key = `${attemptPrefix(projectId, earlier.job_id, 1)}identity/bundle.js`;
        const { url, headers } = await backend.storage.presignPut(key, { expiresSeconds: 60, sizeBytes: bundle.size, contentType: bundle.content_type });
        expect(await put(url, headers, bundle.content)).to.equal(200);
        expect(await isThere(await running(), bundle)).to.equal(false);
      });
    }
  });
}

import { expect } from 'chai';
import { sweepBlobs } from '#domains/previews/blobs-clean-up.ts';
import { expirySweeps } from '#domains/previews/expiry-clean-up.ts';
import { blobKey, jobPrefix, sessionPrefix, stagingPrefix } from '#domains/previews/keys.ts';
import { knownBlobsSql } from '#domains/previews/queries.ts';
import { markSql } from '#domains/previews/clean-up-queries.ts';
import { sweepStrays } from '#domains/previews/stray-objects.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { eachObject, StorageError } from '#platform/storage/storage.ts';
import { type Backend, type Person, startBackend } from '../../support/backend.ts';
import { claim, failureReport, make, queuedJob, request, type Source, sourceOf, uploadMissing } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { startS3Server, type S3Server } from '../../support/s3-server/start.ts';
import { storageWith } from '../../support/storage-with.ts';
import { until } from '../../support/until.ts';

const dayMs = 24 * 3_600_000;

const ofS3 = (server: S3Server): Promise<Backend> =>
  startBackend({ R2_ENDPOINT: server.endpoint, R2_BUCKET: server.bucket, R2_ACCESS_KEY: server.accessKey, R2_SECRET_KEY: server.secretKey, R2_REGION: server.region });

for (const store of ['files', 'S3'] as const) {
  describe(`what previews leave behind (${store})`, function () {
    this.timeout(30_000);
    let s3: S3Server | null = null;
    let backend: Backend;
    let ada: Person;
    let worker: WorkerCaller;
    let projectId = '';
    let texts = 0;
    before(async () => {
      s3 = store === 'S3' ? await startS3Server() : null;
      backend = s3 === null ? await startBackend() : await ofS3(s3);
      worker = await backend.worker();
    });
    after(async () => {
      await backend.close();
      await s3?.stop();
    });
    beforeEach(async () => {
      await backend.sql('update preview_jobs set reduced_at = now(), objects_erased_at = now(), unlinked_at = now() where reduced_at is null and completed_at is not null');
      await backend.sql('delete from source_blobs');
      await backend.sql('delete from object_walks');
      for await (const { key } of eachObject(backend.storage, 'projects/')) await backend.storage.delete(key);
      ada = await backend.person('pro');
      projectId = await backend.project(ada);
    });

    const signal = new AbortController().signal;
    const expiry = (name: string, storage = backend.storage): Promise<number> => {
      const found = expirySweeps(backend.database.db, storage).find((one) => one.name === name);
      if (found === undefined) throw new Error(`There is no sweep ${name}.`);
      return found.run(signal);
    };
    const stages = async (): Promise<number[]> => [await expiry('preview_expiry'), await expiry('preview_objects'), await expiry('preview_rows')];
    const blobs = (storage = backend.storage): Promise<number> => sweepBlobs(backend.database.db, storage).run(signal);
    const strays = (aheadMs = 0): Promise<number> =>
      sweepStrays({ db: backend.database.db, storage: backend.storage, clock: { now: () => Date.now() + aheadMs } }).run(signal);
    const made = async (text = `export default ${texts += 1};`): Promise<string> => {
      const jobId = await queuedJob(backend, ada, projectId, text);
      await make(backend, worker, jobId);
      return jobId;
    };
    const keysBelow = async (prefix: string): Promise<string[]> => {
      const keys = [];
      for await (const { key } of eachObject(backend.storage, prefix)) keys.push(key);
      return keys;
    };
    const leave = (key: string): Promise<unknown> => backend.storage.put(key, Buffer.from('left behind'), { contentType: 'text/plain', maxBytes: 100 });
    const artifacts = (jobId: string) => backend.run('listPreviewArtifacts', ada, { path: { job_id: jobId } });
    const token = (jobId: string) => backend.run('createPreviewToken', ada, { path: { job_id: jobId } });
    const counts = async (jobId: string): Promise<number[]> => Promise.all(['preview_artifacts', 'preview_job_files', 'preview_job_logs'].map(async (table) =>
      Number((await backend.sql<{ count: number }>(`select count(*) as count from ${table} where job_id = ?`, [jobId]))[0]?.count)));
    const expire = (jobId: string): Promise<unknown> => backend.sql("update preview_jobs set artifacts_expire_at = now() - interval '1 second' where id = ?", [jobId]);
    const hoursLater = (hours: number): Promise<unknown> => backend.sql(`update preview_jobs set unlinked_at = unlinked_at - interval '${hours} hours' where unlinked_at is not null and objects_erased_at is null`);
    const known = async (sha256: string): Promise<string[]> =>
      (await backend.sql<{ state: string }>("select case when condemned_at is null then 'kept' else 'condemned' end as state from source_blobs where project_id = ? and sha256 = decode(?, 'hex')", [projectId, sha256])).map(({ state }) => state);
    const unused = (hours = 25): Promise<unknown> => backend.sql(`update source_blobs set last_used_at = now() - interval '${hours} hours' where project_id = ?`, [projectId]);
    const condemnedLongAgo = (): Promise<unknown> => backend.sql("update source_blobs set condemned_at = now() - interval '3 hours' where condemned_at is not null");
    const isStored = (sha256: string): Promise<boolean> => backend.storage.head(blobKey(projectId, sha256)).then(() => true, () => false);
    /** A content of the project that no job refers to: what a buildPreview leaves that failed after it had stored it. */
    const orphan = async (text = `orphan ${texts += 1}`): Promise<Source> => {
      const source = sourceOf('index.js', text);
      await backend.storage.put(blobKey(projectId, source.sha256), source.content, { contentType: 'application/octet-stream', maxBytes: 1_000 });
      await backend.sql("insert into source_blobs (project_id, sha256, size, last_used_at) values (?, decode(?, 'hex'), ?, now() - interval '25 hours')", [projectId, source.sha256, source.size]);
      return source;
    };

    describe('previews', () => {
      it('go in stages when they have expired: 410 at once, their objects hours later, of their rows all but the figures', async () => {
        const [gone, stands] = [await made(), await made()];
        await backend.sql(`update preview_jobs set env = '{"PUBLIC_A": "1"}', timings = '{"bundling_ms": 2}' where id = ?`, [gone]);
        const { data: { token: view } } = await token(gone);
        await leave(`${jobPrefix(projectId, gone)}7/identity/half.js`);
        await expire(gone);
        const expectGone = async (): Promise<void> => {
          expect([await codeOf(artifacts(gone)), await codeOf(token(gone))]).to.deep.equal(['GONE', 'GONE']);
          expect([(await backend.http('GET', `/preview/view/${view}`)).status, (await backend.http('GET', `/preview/manifest?token=${view}`)).status]).to.deep.equal([410, 410]);
        };
        await expectGone();
        expect(await stages()).to.deep.equal([1, 0, 0]);
        await hoursLater(2);
        expect(await stages()).to.deep.equal([0, 0, 0]);
        expect(await keysBelow(jobPrefix(projectId, gone))).to.have.length(2);
        await hoursLater(2);
        const { data: before } = await backend.run('getPreviewJob', ada, { path: { job_id: gone } });
        expect(await stages()).to.deep.equal([0, 1, 1]);
        expect(await keysBelow(jobPrefix(projectId, gone))).to.deep.equal([]);
        expect(await counts(gone)).to.deep.equal([0, 0, 0]);
        expect(await backend.sql('select env from preview_jobs where id = ?', [gone])).to.deep.equal([{ env: {} }]);
        const { updated_at: _, ...figures } = before;
        expect((await backend.run('getPreviewJob', ada, { path: { job_id: gone } })).data).to.deep.include(figures);
        await expectGone();
        expect(await stages()).to.deep.equal([0, 0, 0]);
        const { data: { items } } = await artifacts(stands);
        expect(await (await fetch(items[0]?.url ?? '')).text()).to.equal('console.log("a bundle");');
      });

      it('that were deleted go likewise, with what was uploaded for them and never taken', async () => {
        const built = await made();
        const sources = [sourceOf('index.js', `never started ${texts += 1}`)];
        const { data } = await request(backend, ada, projectId, sources);
        await uploadMissing(data, sources);
        expect(await keysBelow(stagingPrefix(projectId, data.job.id))).to.have.length(1);
        for (const id of [built, data.job.id]) await backend.run('deletePreviewJob', ada, { path: { job_id: id } });
        expect(await stages()).to.deep.equal([2, 0, 0]);
        await hoursLater(4);
        expect(await stages()).to.deep.equal([0, 2, 2]);
        for (const id of [built, data.job.id]) expect([await keysBelow(jobPrefix(projectId, id)), await keysBelow(stagingPrefix(projectId, id)), await counts(id)]).to.deep.equal([[], [], [0, 0, 0]]);
      });

      it('that failed or were given up are kept as long as the tier keeps what they would have made; of the failure the kind stays', async () => {
        const cancelled = await queuedJob(backend, ada, projectId);
        await backend.run('cancelPreviewJob', ada, { path: { job_id: cancelled } });
        const failed = await queuedJob(backend, ada, projectId);
        await backend.run('reportJobResult', worker, { body: failureReport(await claim(backend, worker, failed), { message: 'in src/secret.ts' }) });
        await backend.sql("update preview_jobs set artifacts_expire_at = null, completed_at = now() - interval '29 days' where id = any(?)", [[cancelled, failed]]);
        expect(await stages()).to.deep.equal([0, 0, 0]);
        await backend.sql("update preview_jobs set completed_at = now() - interval '31 days' where id = any(?)", [[cancelled, failed]]);
        expect(await stages()).to.deep.equal([2, 0, 0]);
        await hoursLater(4);
        expect(await stages()).to.deep.equal([0, 2, 2]);
        const { data: { error, status } } = await backend.run('getPreviewJob', ada, { path: { job_id: failed } });
        expect(status).to.equal('failed');
        expect(error).to.deep.include({ code: 'PREVIEW_BUILD_FAILED', kind: 'build_error', file: null, line: null, code_frame: null });
        expect(error?.message).not.to.contain('secret');
      });

      it('that died are not put back once they are out of reach', async () => {
        const jobId = await queuedJob(backend, ada, projectId);
        await backend.sql("update preview_jobs set status = 'failed', completed_at = now() - interval '31 days', died_at = now() where id = ?", [jobId]);
        expect(await expiry('preview_expiry')).to.equal(1);
        expect(await codeOf(backend.run('retryDeadJob', await backend.person('admin'), { path: { job_id: jobId } }))).to.equal('CONFLICT');
      });

      it('of a tier that keeps all stay, and so does one that is built anew at this moment', async () => {
        const [kept, again] = [await made(), await made()];
        await backend.sql('update preview_jobs set artifacts_expire_at = null where id = ?', [kept]);
        await backend.sql("update preview_jobs set artifacts_expire_at = now() - interval '1 second', status = 'queued', completed_at = null where id = ?", [again]);
        expect(await stages()).to.deep.equal([0, 0, 0]);
        await backend.sql("update preview_jobs set status = 'succeeded', completed_at = now() where id = ?", [again]);
      });

      it('wait for a storage that is away, and go on with what is left', async () => {
        const jobs = [await made(), await made(), await made()];
        for (const id of jobs) await expire(id);
        await expiry('preview_expiry');
        await hoursLater(4);
        let deletions = 0;
        const breaking = storageWith(backend.storage, 'deletePrefix', async (prefix, options) => {
          deletions += 1;
          if (deletions > 3) throw new StorageError('unavailable', 'away');
          return backend.storage.deletePrefix(prefix, options);
        });
        const failure = await expiry('preview_objects', breaking).then(() => null, (error: unknown) => error);
        expect(failure).to.be.instanceOf(StorageError);
        expect(await backend.sql('select 1 from preview_jobs where id = any(?) and objects_erased_at is not null', [jobs])).to.deep.equal([]);
        expect(await expiry('preview_rows')).to.equal(0);
        expect(await expiry('preview_objects')).to.equal(3);
        for (const id of jobs) expect(await keysBelow(jobPrefix(projectId, id))).to.deep.equal([]);
      });
    });

    describe('sources', () => {
      it('stay while a build within its retention refers to them, and go a day and two hours after none does', async () => {
        const text = `export default 'referred ${texts += 1}';`;
        const { sha256 } = sourceOf('index.js', text);
        const jobId = await made(text);
        await unused();
        expect([await blobs(), await known(sha256)]).to.deep.equal([0, ['kept']]);
        await expire(jobId);
        await stages();
        await hoursLater(4);
        await stages();
        expect([await blobs(), await known(sha256)], 'used within the day').to.deep.equal([0, ['kept']]);
        await unused();
        expect([await blobs(), await known(sha256), await isStored(sha256)]).to.deep.equal([0, ['condemned'], true]);
        await condemnedLongAgo();
        expect([await blobs(), await known(sha256), await isStored(sha256)]).to.deep.equal([1, [], false]);
        expect(await blobs()).to.equal(0);
      });

      it('stay while a live session has them, and when it was told of them and has not built them yet', async () => {
        const jobId = await made('export default 0;');
        const { data: { live_session: { id } } } = await backend.run('createLiveSession', ada, { body: { job_id: jobId } });
        const pushed = sourceOf('new.js', `pushed ${texts += 1}`);
        await backend.run('pushLiveChanges', ada, { path: { live_id: id }, body: { base_revision: 0, changes: [{ path: 'new.js', content_base64: pushed.content.toString('base64') }] as never } });
        await backend.sql('delete from preview_job_files where job_id = ?', [jobId]);
        await unused();
        await blobs();
        expect([await known(pushed.sha256), await known(sourceOf('index.js', 'export default 0;').sha256)]).to.deep.equal([['kept'], ['kept']]);
        await backend.run('endLiveSession', ada, { path: { live_id: id } });
      });

      it('of a build in one call that failed after it had stored them go', async () => {
        const left = await orphan();
        await blobs();
        await condemnedLongAgo();
        expect([await blobs(), await known(left.sha256), await isStored(left.sha256)]).to.deep.equal([1, [], false]);
      });

      it('of which a request was told that they are there stay, though the sweep comes before its job is written', async () => {
        const source = await orphan();
        const { db } = backend.database;
        // What requestPreview reads, committed; its job is not there yet.
        expect(await db.named('test.known', knownBlobsSql, [projectId, [source.sha256]])).to.deep.equal([{ sha256: source.sha256, size: source.size }]);
        await blobs();
        await condemnedLongAgo();
        await blobs();
        expect([await known(source.sha256), await isStored(source.sha256)]).to.deep.equal([['kept'], true]);
        expect((await request(backend, ada, projectId, [source])).data.missing).to.deep.equal([]);
      });

      it('that the sweep has condemned first count as missing, and are uploaded, built and kept', async () => {
        const source = await orphan();
        await blobs();
        expect(await known(source.sha256)).to.deep.equal(['condemned']);
        const { data } = await request(backend, ada, projectId, [source]);
        expect(data.missing.map(({ sha256 }) => sha256)).to.deep.equal([source.sha256]);
        expect((await backend.run('listMissingBlobs', ada, { path: { job_id: data.job.id } })).data.items).to.have.length(1);
        await uploadMissing(data, [source]);
        await backend.run('startPreviewJob', ada, { path: { job_id: data.job.id } });
        await condemnedLongAgo();
        expect([await blobs(), await known(source.sha256), await isStored(source.sha256)]).to.deep.equal([0, ['kept'], true]);
        await make(backend, worker, data.job.id);
      });

      it('are told of by what was committed, whichever of the two is at the row at the same moment', async () => {
        const { db } = backend.database;
        const waits = (): Promise<boolean> => backend.sql<{ n: number }>("select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").then(([row]) => Number(row?.n) > 0);
        // The sweep first: the request waits for it, and is told that the content is missing.
        const first = await orphan();
        const trx = await db.knex.transaction();
        expect(await db.namedIn(trx, 'test.mark', markSql, [projectId, 10])).to.deep.equal([{ looked: 1, condemned: 1 }]);
        const asking = request(backend, ada, projectId, [first]);
        await until('the request to wait', waits);
        await trx.commit();
        expect((await asking).data.missing).to.have.length(1);
        // The request first: the sweep passes the row over, and afterwards finds it used.
        const second = await orphan();
        const told = await db.knex.transaction();
        expect(await db.namedIn(told, 'test.known', knownBlobsSql, [projectId, [second.sha256]])).to.have.length(1);
        expect(await db.named('test.mark', markSql, [projectId, 10])).to.deep.equal([{ looked: 0, condemned: 0 }]);
        await told.commit();
        expect(await db.named('test.mark', markSql, [projectId, 10])).to.deep.equal([{ looked: 0, condemned: 0 }]);
        // Two requests: the second is told as the first.
        const third = await orphan();
        const one = await db.knex.transaction();
        await db.namedIn(one, 'test.known', knownBlobsSql, [projectId, [third.sha256]]);
        const other = db.named('test.known', knownBlobsSql, [projectId, [third.sha256]]);
        await until('the second request to wait', waits);
        await one.commit();
        expect(await other).to.have.length(1);
      });

      it('that come again while their objects are deleted are stored after that', async () => {
        const source = await orphan();
        await blobs();
        const { data } = await request(backend, ada, projectId, [source]);
        await uploadMissing(data, [source]);
        await condemnedLongAgo();
        const atDelete = Promise.withResolvers<void>();
        const goOn = Promise.withResolvers<void>();
        const sweeping = blobs(storageWith(backend.storage, 'delete', async (key) => {
          atDelete.resolve();
          await goOn.promise;
          await backend.storage.delete(key);
        }));
        await atDelete.promise;
        const starting = backend.run('startPreviewJob', ada, { path: { job_id: data.job.id } });
        await until('the upload to wait for the sweep', async () =>
          (await backend.sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length > 0);
        goOn.resolve();
        expect(await sweeping).to.equal(1);
        expect((await starting).data.awaiting_upload).to.equal(false);
        expect([await known(source.sha256), await isStored(source.sha256)]).to.deep.equal([['kept'], true]);
        await make(backend, worker, data.job.id);
      });

      it('wait for a storage that is away, row and object', async () => {
        const source = await orphan();
        await blobs();
        await condemnedLongAgo();
        const away = storageWith(backend.storage, 'delete', () => Promise.reject(new StorageError('unavailable', 'away')));
        expect(await blobs(away).then(() => null, (error: unknown) => error)).to.be.instanceOf(StorageError);
        expect([await known(source.sha256), await isStored(source.sha256)]).to.deep.equal([['condemned'], true]);
        expect(await blobs()).to.equal(1);
      });
    });

    it('holds the rows of contents until the last of their deletions is over, also where another has failed', async () => {
      const [slow, failing] = [await orphan(), await orphan()];
      await blobs();
      await condemnedLongAgo();
      const failed = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const sweeping = blobs(storageWith(backend.storage, 'delete', async (key) => {
        if (key === blobKey(projectId, failing.sha256)) {
          failed.resolve();
          throw new StorageError('unavailable', 'away');
        }
        await goOn.promise;
      })).then(() => null, (error: unknown) => error);
      await failed.promise;
      const free = (): Promise<unknown[]> => backend.sql("select 1 from source_blobs where sha256 = decode(?, 'hex') for update skip locked", [slow.sha256]);
      expect(await free()).to.deep.equal([]);
      goOn.resolve();
      expect(await sweeping).to.be.instanceOf(StorageError);
      expect(await free()).to.have.length(1);
    });

    describe('objects that nothing knows', () => {
      it('go when they are a day old: late uploads, attempts that came to nothing, bundles without a session', async () => {
        const jobId = await made();
        const standing = await keysBelow(jobPrefix(projectId, jobId));
        const stray = [
          `${jobPrefix(projectId, jobId)}9/identity/bundle.js`, `${jobPrefix(projectId, newId())}1/identity/bundle.js`,
          `${stagingPrefix(projectId, jobId)}pack.tar`, `${sessionPrefix(projectId, newId())}bundle.js`,
        ];
        for (const key of stray) await leave(key);
        expect(await strays()).to.equal(0);
        for (const key of stray) expect(await keysBelow(key)).to.deep.equal([key]);
        await backend.sql('delete from object_walks');
        expect(await strays(25 * 3_600_000)).to.equal(4);
        for (const key of stray) expect(await keysBelow(key)).to.deep.equal([]);
        expect(await keysBelow(jobPrefix(projectId, jobId))).to.deep.equal(standing);
      });

      it('stay of builds that are not over, of projects that this database does not know, and of what others keep', async () => {
        const open = await queuedJob(backend, ada, projectId);
        const stay = [`${jobPrefix(projectId, open)}1/identity/bundle.js`, `${jobPrefix(newId(), newId())}1/x`, `${stagingPrefix(newId(), newId())}x`, `projects/${projectId}/attachments/x`, `projects/${projectId}/live/${newId()}/1/x`];
        for (const key of stay) await leave(key);
        expect(await strays(2 * dayMs)).to.equal(0);
        for (const key of stay) expect(await keysBelow(key)).to.deep.equal([key]);
      });

      it('that are contents are condemned, and go as those do that nothing refers to', async () => {
        const { sha256 } = sourceOf('index.js', `stray ${texts += 1}`);
        await leave(blobKey(projectId, sha256));
        expect([await strays(2 * dayMs), await known(sha256)]).to.deep.equal([1, ['condemned']]);
        await blobs();
        expect(await isStored(sha256)).to.equal(true);
        await condemnedLongAgo();
        expect([await blobs(), await isStored(sha256), await known(sha256)]).to.deep.equal([1, false, []]);
      });

      it('are looked for once a day, and from where the last run was cut off', async () => {
        await leave(`${stagingPrefix(projectId, newId())}x`);
        expect(await strays(2 * dayMs)).to.equal(1);
        const key = `${stagingPrefix(projectId, newId())}x`;
        await leave(key);
        expect(await strays(2 * dayMs)).to.equal(0);
        await backend.sql('update object_walks set after = ?', [key]);
        expect(await strays(2 * dayMs), 'behind it').to.equal(0);
        await backend.sql("update object_walks set begun_at = now() - interval '25 hours'");
        expect(await strays(2 * dayMs)).to.equal(1);
      });
    });

    it('is scheduled', () => {
      expect(backend.services.schedules.map(({ name }) => name)).to.include.members(['sweep.preview_expiry', 'sweep.preview_objects', 'sweep.preview_rows', 'sweep.source_blobs', 'sweep.stray_objects']);
    });

    if (store === 'S3') {
      it('waits for a bucket that refuses, and goes when it answers again', async () => {
        const jobId = await made();
        await expire(jobId);
        await expiry('preview_expiry');
        await hoursLater(4);
        await s3?.setFault({ mode: 'status', status: 503 });
        expect(await expiry('preview_objects').then(() => null, (error: unknown) => error)).to.be.instanceOf(StorageError);
        await s3?.setFault(null);
        expect(await expiry('preview_objects')).to.equal(1);
        expect(await keysBelow(jobPrefix(projectId, jobId))).to.deep.equal([]);
      });
    }
  });
}

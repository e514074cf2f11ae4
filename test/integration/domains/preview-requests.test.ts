import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { PreviewSources } from '#domains/previews/sources.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { described, put, queuedJob, request, type Source, sourceOf, tarOf, uploadMissing } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';

describe('asking for a preview', () => {
  const backend = useBackend();
  let ada: Person;
  let projectId: string;
  let uniques = 0;
  /** Contents nobody has stored yet. */
  const fresh = (count: number): Source[] => Array.from({ length: count }, (_, index) => {
    uniques += 1;
    return sourceOf(index === 0 ? 'index.js' : `src/file${index}.ts`, `// ${uniques}\n`.repeat(index + 1));
  });
  const start = (jobId: string, who = ada) => backend.current.run('startPreviewJob', who, { path: { job_id: jobId } });
  const rowOf = async (jobId: string): Promise<Record<string, unknown>> => (await backend.current.sql('select * from preview_jobs where id = ?', [jobId]))[0] ?? {};
  const messagesOf = async (jobId: string): Promise<number> =>
    (await backend.current.sql<{ sent: number }>("select count(*) as sent from outbox where kind = 'job' and payload ->> 'jobId' = ?", [jobId]))[0]?.sent ?? -1;

  beforeEach(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada);
  });

  it('fills in what was left out from the project\'s settings', async () => {
    const { run } = backend.current;
    await run('updateProjectSettings', ada, {
      path: { project_id: projectId }, body: { preview: { target_platform: 'android', entry_file: 'app.tsx', environment: 'staging', dev: true } },
    });
    const { data: { job } } = await run('requestPreview', ada, { body: { project_id: projectId, files: described([sourceOf('app.tsx', '1')]) } });
    expect(job).to.include({ target_platform: 'android', entry_file: 'app.tsx', environment: 'staging', dev: true, sdk_version: '0.88.1' });
    const { data: { job: other } } = await run('requestPreview', ada, {
      body: { project_id: projectId, entry_file: 'index.js', target_platform: 'ios', environment: 'production', dev: false, files: described([sourceOf('index.js', '1')]) },
    });
    expect(other).to.include({ target_platform: 'ios', entry_file: 'index.js', environment: 'production', dev: false });
  });

  it('names every fault by its pointer, and makes no job of them', async () => {
    const files = [sourceOf('index.js', '1'), sourceOf('../escape.js', '2'), sourceOf('INDEX.js', '3'), sourceOf('node_modules/x/index.js', '4')];
    const refusal = await refusalOf(request(backend.current, ada, projectId, files, { entry_file: 'missing.js', sdk_version: '0.1.0' }));
    expect(refusal.code).to.equal('VALIDATION_ERROR');
    expect((refusal.details as { pointer: string; rule: string }[]).map(({ pointer, rule }) => `${pointer} ${rule}`)).to.deep.equal([
      '#/body/sdk_version sdk_version', '#/body/files/1/path segment', '#/body/files/2/path duplicate', '#/body/files/3/path node_modules', '#/body/entry_file entry_file',
    ]);
    expect(await backend.current.sql('select id from preview_jobs where project_id = ?', [projectId])).to.deep.equal([]);
  });

  it('refuses more files or bytes than the tier allows, and says which tier would', async () => {
    const poor = await backend.current.person('free');
    const theirs = await backend.current.project(poor);
    const many = Array.from({ length: 2_001 }, (_, index) => sourceOf(index === 0 ? 'index.js' : `f${index}.js`, '1'));
    const tooMany = await refusalOf(request(backend.current, poor, theirs, many));
    expect([tooMany.code, tooMany.details]).to.deep.equal(
      ['QUOTA_EXCEEDED', { limit: 'preview_source_files', allowed: 2_000, used: 2_001, tier: 'free', upgrade_to: 'pro' }]);
    const large = [{ ...sourceOf('index.js', '1'), size: 25_000_001 }];
    const tooLarge = await refusalOf(request(backend.current, poor, theirs, large));
    expect([tooLarge.code, tooLarge.details]).to.deep.equal(
      ['QUOTA_EXCEEDED', { limit: 'preview_source_bytes', allowed: 25_000_000, used: 25_000_001, tier: 'free', upgrade_to: 'pro' }]);
  });

  it('with everything missing waits for the uploads, and says where each goes', async () => {
    const sources = [...fresh(3), sourceOf('twice.js', 'the same'), sourceOf('again.js', 'the same')];
    const { status, data } = await request(backend.current, ada, projectId, sources);
    expect(status).to.equal(202);
    expect(data.job).to.include({ status: 'queued', awaiting_upload: true, missing_count: 4, file_count: 5, attempt: 0, queued_at: null });
    expect(data.missing.map(({ sha256 }) => sha256).sort()).to.deep.equal([...new Set(sources.map(({ sha256 }) => sha256))].sort());
    expect(data.pack?.upload_url).to.match(/^http/);
    expect(data.expires_in).to.equal(15 * 60 + 600);
    expect(await messagesOf(data.job.id)).to.equal(0);
    const [log] = await backend.current.sql<{ hash: string }>("select encode(token_hash, 'hex') as hash from preview_sessions where job_id = ?", [data.job.id]);
    expect(backend.current.services.previewTokens.verify(data.token).caller).to.include({ purpose: 'view', jobId: data.job.id, tokenHash: log?.hash });
  });

  it('with nothing missing is on its queue when it is answered, and with some missing asks for those alone', async () => {
    const sources = fresh(3);
    const first = await request(backend.current, ada, projectId, sources);
    await uploadMissing(first.data, sources);
    await start(first.data.job.id);
    const again = await request(backend.current, ada, projectId, sources);
    expect(again.data).to.deep.include({ missing: [], pack: null });
    expect(again.data.job).to.include({ awaiting_upload: false, missing_count: 0 });
    expect(await messagesOf(again.data.job.id)).to.equal(1);
    const [added] = fresh(1);
    const partly = await request(backend.current, ada, projectId, [...sources, { ...(added as Source), path: 'added.js' }]);
    expect(partly.data.missing.map(({ sha256 }) => sha256)).to.deep.equal([added?.sha256]);
  });

  it('knows nothing of contents that another project has', async () => {
    const sources = fresh(2);
    const mine = await request(backend.current, ada, projectId, sources);
    await uploadMissing(mine.data, sources);
    await start(mine.data.job.id);
    const second = await backend.current.project(ada);
    for (const [who, project] of [[ada, second], [await backend.current.person(), null]] as const) {
      const { data } = await request(backend.current, who, project ?? await backend.current.project(who), sources);
      expect(data.missing).to.have.length(2);
      expect(await codeOf(start(data.job.id, who))).to.equal('CONFLICT');
    }
  });

  it('refuses a size that the known content does not have: limits are counted by it', async () => {
    const sources = fresh(1);
    const { data } = await request(backend.current, ada, projectId, sources);
    await uploadMissing(data, sources);
    await start(data.job.id);
    const refusal = await refusalOf(request(backend.current, ada, projectId, sources.map((source) => ({ ...source, size: 1 }))));
    expect([refusal.code, (refusal.details as { pointer: string }[])[0]?.pointer]).to.deep.equal(['VALIDATION_ERROR', '#/body/files/0/size']);
  });

  it('costs the same statements for one file and for a thousand', async () => {
    const count = async (sources: Source[]): Promise<number> => (await statementsOf(() => request(backend.current, ada, projectId, sources))).length;
    await count(fresh(1));
    const one = await count(fresh(1));
    expect(await count(fresh(1_000))).to.equal(one);
    expect(one).to.be.at.most(10);
  });

  it('pages what is missing beyond the answer, without loss or double', async () => {
    const sources = fresh(25);
    const { data: { job } } = await request(backend.current, ada, projectId, sources);
    const path = { job_id: job.id };
    const first = await backend.current.run('listMissingBlobs', ada, { path, query: { limit: 10 } });
    expect(first.data.page).to.include({ total: 25, offset: 0 });
    const second = await backend.current.run('listMissingBlobs', ada, { path, query: { limit: 10, cursor: first.data.page.next_cursor ?? '' } });
    const third = await backend.current.run('listMissingBlobs', ada, { path, query: { limit: 10, cursor: second.data.page.next_cursor ?? '' } });
    const all = [first, second, third].flatMap(({ data }) => data.items.map(({ sha256 }) => sha256));
    expect([...all].sort()).to.deep.equal(sources.map(({ sha256 }) => sha256).sort());
    expect(third.data.page.next_cursor).to.equal(null);
    expect((await backend.current.run('listMissingBlobs', ada, { path, query: { limit: 10, offset: 20 } })).data.items).to.have.length(5);
    expect(await codeOf(backend.current.run('listMissingBlobs', ada, { path, query: { cursor: 'YQ' } }))).to.equal('VALIDATION_ERROR');
  });

  describe('starting', () => {
    it('moves what was uploaded to its place and enqueues once, however often it is said', async () => {
      const sources = fresh(3);
      const { data } = await request(backend.current, ada, projectId, sources);
      await uploadMissing(data, sources);
      const { status, data: job } = await start(data.job.id);
      expect(status).to.equal(202);
      expect(job).to.include({ status: 'queued', awaiting_upload: false, missing_count: 0 });
      expect(job.queued_at).to.be.a('string');
      expect((await start(data.job.id)).data).to.deep.equal(job);
      expect(await messagesOf(job.id)).to.equal(1);
      const blobs = await backend.current.sql("select encode(sha256, 'hex') as sha256, size from source_blobs where project_id = ? order by 1", [projectId]);
      expect(blobs).to.deep.equal(sources.map(({ sha256, size }) => ({ sha256, size })).sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)));
    });

    it('says what is missing, takes it later, and keeps what came', async () => {
      const sources = fresh(3);
      const { data } = await request(backend.current, ada, projectId, sources);
      await uploadMissing({ ...data, missing: data.missing.slice(0, 2) }, sources);
      const refusal = await refusalOf(start(data.job.id));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { missing_count: 1, missing: [data.missing[2]?.sha256], rejected: [] }]);
      expect((await backend.current.run('getPreviewJob', ada, { path: { job_id: data.job.id } })).data.missing_count).to.equal(1);
      await uploadMissing({ ...data, missing: data.missing.slice(2) }, sources);
      expect((await start(data.job.id)).data.awaiting_upload).to.equal(false);
    });

    it('is answered alike when several say it at once, also where the tier lets one job run', async () => {
      const poor = await backend.current.person('free');
      const theirs = await backend.current.project(poor);
      const sources = fresh(4);
      const { data } = await request(backend.current, poor, theirs, sources);
      await uploadMissing(data, sources);
      const replies = await Promise.all(Array.from({ length: 6 }, () => start(data.job.id, poor)));
      expect(new Set(replies.map((reply) => reply.data.queued_at)).size).to.equal(1);
      expect(await messagesOf(data.job.id)).to.equal(1);
    });

    it('goes on where one that died had moved the contents and not yet said so', async () => {
      const sources = fresh(2);
      const { data } = await request(backend.current, ada, projectId, sources);
      await uploadMissing(data, sources);
      const { storage } = backend.current;
      const staged = `projects/${projectId}/staging/${data.job.id}/`;
      for (const { sha256 } of sources) await storage.move(`${staged}${sha256}`, `projects/${projectId}/blobs/${sha256.slice(0, 2)}/${sha256}`);
      expect((await start(data.job.id)).data.awaiting_upload).to.equal(false);
    });

    it('refuses other content than was named: at the upload, and again when it is looked at', async () => {
      const sources = fresh(2);
      const { data } = await request(backend.current, ada, projectId, sources);
      const [target, other] = data.missing;
      const wrong = Buffer.from('x'.repeat(sources.find(({ sha256 }) => sha256 === target?.sha256)?.size ?? 0));
      expect(await put(target?.upload_url ?? '', target?.headers ?? {}, wrong)).to.equal(400);
      // Whoever gets past the signed upload still does not get past this.
      const key = `projects/${projectId}/staging/${data.job.id}/${target?.sha256 ?? ''}`;
      await backend.current.storage.put(key, wrong, { contentType: 'application/octet-stream', maxBytes: wrong.length });
      const refusal = await refusalOf(start(data.job.id));
      expect(refusal.details).to.deep.include({ missing_count: 2, rejected: [target?.sha256] });
      expect((refusal.details as { missing: string[] }).missing).to.deep.equal([target?.sha256, other?.sha256].sort());
      await uploadMissing(data, sources);
      expect((await start(data.job.id)).data.awaiting_upload).to.equal(false);
    });

    it('takes one tar of everything, of its announced length', async () => {
      const sources = fresh(20);
      const { data } = await request(backend.current, ada, projectId, sources);
      const tar = await tarOf(sources);
      expect(await put(data.pack?.upload_url ?? '', data.pack?.headers ?? {}, tar)).to.equal(200);
      expect((await start(data.job.id)).data.awaiting_upload).to.equal(false);
      for (const { sha256, content } of sources) {
        const kept = await backend.current.storage.get(`projects/${projectId}/blobs/${sha256.slice(0, 2)}/${sha256}`);
        expect(await buffer(kept.stream)).to.deep.equal(content);
      }
    });

    it('says so when the storage fails in the middle of a tar, and goes well when it is started again', async () => {
      const sources = fresh(40);
      const { data } = await request(backend.current, ada, projectId, sources);
      const tar = await tarOf(sources);
      expect(await put(data.pack?.upload_url ?? '', data.pack?.headers ?? {}, tar)).to.equal(200);
      let puts = 0;
      const failing: ObjectStorage = {
        ...backend.current.storage,
        put: async (...args) => {
          puts += 1;
          if (puts > 5) throw new StorageError('unavailable', 'the store went away');
          return backend.current.storage.put(...args);
        },
      };
      const sourcesOverIt = new PreviewSources(backend.current.database.db, failing);
      const fault: unknown = await sourcesOverIt.receive(projectId, data.job.id).catch((error: unknown) => error);
      expect(fault).to.be.instanceOf(StorageError);
      expect(puts).to.be.within(6, 40);
      expect((await start(data.job.id)).data.awaiting_upload).to.equal(false);
    });

    it('takes a tar and single uploads side by side', async () => {
      const sources = fresh(6);
      const { data } = await request(backend.current, ada, projectId, sources);
      await backend.current.storage.put(`projects/${projectId}/staging/${data.job.id}/pack.tar`, await tarOf(sources.slice(0, 4)), { contentType: 'application/x-tar', maxBytes: 1_000_000 });
      await uploadMissing({ ...data, missing: data.missing.filter(({ sha256 }) => sources.slice(4).some((one) => one.sha256 === sha256)) }, sources);
      expect((await start(data.job.id)).data.awaiting_upload).to.equal(false);
    });

    it('takes of a tar what is right and names what is wrong, strange entries passed over', async () => {
      const sources = fresh(4);
      const [first, second, third, fourth] = sources as [Source, Source, Source, Source];
      const { data } = await request(backend.current, ada, projectId, sources);
      const tar = await tarOf([
        first, { sha256: second.sha256, content: Buffer.from('y'.repeat(second.size)) }, { sha256: '../../escape', content: Buffer.from('z') },
        { sha256: 'f'.repeat(64), content: Buffer.from('unasked') }, third, { sha256: fourth.sha256, content: Buffer.from('of another length') },
      ]);
      await backend.current.storage.put(`projects/${projectId}/staging/${data.job.id}/pack.tar`, tar, { contentType: 'application/x-tar', maxBytes: 1_000_000 });
      const refusal = await refusalOf(start(data.job.id));
      expect(refusal.details).to.deep.equal({ missing_count: 2, missing: [second.sha256, fourth.sha256].sort(), rejected: [second.sha256] });
    });

    it('takes single uploads beside something that is no tar', async () => {
      const sources = fresh(3);
      const { data } = await request(backend.current, ada, projectId, sources);
      await backend.current.storage.put(`projects/${projectId}/staging/${data.job.id}/pack.tar`, Buffer.alloc(5_000, 'no tar'), { contentType: 'application/x-tar', maxBytes: 10_000 });
      const refusal = await refusalOf(start(data.job.id));
      expect(refusal.details).to.deep.include({ missing_count: 3 });
      await uploadMissing(data, sources);
      expect((await start(data.job.id)).data.awaiting_upload).to.equal(false);
    });

    it('is too late for a job that was given up', async () => {
      const { data } = await request(backend.current, ada, projectId, fresh(1));
      await backend.current.run('cancelPreviewJob', ada, { path: { job_id: data.job.id } });
      expect(await codeOf(start(data.job.id))).to.equal('GONE');
    });
  });

  describe('as often as the tier allows', () => {
    it('stops at the minute\'s number with the time to wait, also under a race', async () => {
      const poor = await backend.current.person('free');
      const theirs = await backend.current.project(poor);
      const race = await Promise.allSettled(Array.from({ length: 6 }, () => request(backend.current, poor, theirs, fresh(1))));
      expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(3);
      const refusal = await refusalOf(request(backend.current, poor, theirs, fresh(1)));
      expect(refusal.code).to.equal('RATE_LIMITED');
      expect(refusal.details).to.include({ limit: 'preview_jobs_per_minute', allowed: 3 });
      expect(refusal.retryAfterSeconds).to.be.within(1, 60);
      await backend.current.sql("update preview_jobs set created_at = created_at - interval '1 minute' where requested_by = ?", [poor.userId]);
      await request(backend.current, poor, theirs, fresh(1));
    });

    it('stops at the day\'s number until midnight UTC, and tells it over the wire by Retry-After', async () => {
      const poor = await backend.current.person('free');
      const theirs = await backend.current.project(poor);
      const { data } = await request(backend.current, poor, theirs, fresh(1));
      await backend.current.sql(`insert into preview_jobs (id, project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, file_count, source_bytes, max_build_ms, queue_class, queue_priority, created_at)
        select gen_random_uuid(), project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, 1, 1, 1000, 'cpu', 'low', date_trunc('day', now())
          from preview_jobs, generate_series(1, 50) where id = ?`, [data.job.id]);
      await backend.current.sql("update preview_jobs set created_at = date_trunc('day', now()) where requested_by = ?", [poor.userId]);
      // Just after midnight all of them lie within the last minute as well: then that is what is told.
      const reply = await backend.current.http('POST', '/preview/request', {
        headers: poor.headers, json: { project_id: theirs, entry_file: 'index.js', target_platform: 'ios', files: described(fresh(1)) },
      });
      expect([reply.status, reply.error?.code]).to.deep.equal([429, 'RATE_LIMITED']);
      const details = reply.error?.details as { limit: string; retry_after: number };
      expect(details.limit).to.be.oneOf(['preview_jobs_per_day', 'preview_jobs_per_minute']);
      expect(Number(reply.headers.get('retry-after'))).to.equal(details.retry_after);
      expect(details.retry_after).to.be.within(1, 86_400);
    });

    it('lets no more run or wait at once than the tier\'s places; an uploading one takes none, an ended one frees its own', async () => {
      const poor = await backend.current.person('free');
      const theirs = await backend.current.project(poor);
      const running = await queuedJob(backend.current, poor, theirs, 'at once');
      const sources = [sourceOf('index.js', 'at once, too')];
      const { data } = await request(backend.current, poor, theirs, sources);
      await uploadMissing(data, sources);
      const refusal = await refusalOf(start(data.job.id, poor));
      expect([refusal.code, refusal.details]).to.deep.equal(
        ['QUOTA_EXCEEDED', { limit: 'preview_jobs_at_once', allowed: 1, used: 1, tier: 'free', upgrade_to: 'pro' }]);
      expect((await rowOf(data.job.id))['queued_at']).to.equal(null);
      await backend.current.run('cancelPreviewJob', poor, { path: { job_id: running } });
      expect((await start(data.job.id, poor)).data.awaiting_upload).to.equal(false);
    });

    it('gives each tier its time, queue and priority', async () => {
      for (const [tier, minutes, priority] of [['free', 2, 'low'], ['pro', 5, 'normal'], ['premium', 15, 'high'], ['admin', 15, 'high']] as const) {
        const who = await backend.current.person(tier);
        const { data } = await request(backend.current, who, await backend.current.project(who), fresh(1));
        expect(await rowOf(data.job.id)).to.include({ tier, max_build_ms: minutes * 60_000, queue_class: 'cpu', queue_priority: priority });
      }
    });
  });

  it('asks nobody else\'s project, and no project by its mirror while there are none', async () => {
    const eve = await backend.current.person();
    expect(await codeOf(request(backend.current, eve, projectId, fresh(1)))).to.equal('NOT_FOUND');
    expect(await codeOf(backend.current.run('requestPreview', ada, { body: { project_id: projectId, mirror: { ref: 'main' } } }))).to.equal('NOT_FOUND');
  });
});

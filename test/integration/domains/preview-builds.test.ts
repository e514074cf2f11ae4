import { expect } from 'chai';
import type { WorkerCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { claim, described, failureReport, make, queuedJob, request, sourceOf, uploadMissing } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';

const inline = (path: string, text: string): { path: string; content_base64: string } => ({ path, content_base64: Buffer.from(text).toString('base64') });

describe('building a preview in one call', () => {
  const backend = useBackend({ PREVIEW_MAX_TIMEOUT_MS: '10000' });
  let ada: Person;
  let projectId: string;
  let worker: WorkerCaller;
  before(async () => { worker = await backend.current.worker(); });
  beforeEach(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada);
  });
  const bodyOf = (files: readonly unknown[]): never => ({ project_id: projectId, entry_file: 'index.js', target_platform: 'ios', files }) as never;
  const build = (files: readonly unknown[], key?: string, who = ada) =>
    backend.current.run('buildPreview', who, { body: bodyOf(files) }, key === undefined ? {} : { key });
  const jobsOf = async (): Promise<{ id: string }[]> => backend.current.sql<{ id: string }>('select id from preview_jobs where project_id = ? order by id', [projectId]);
  /** The one job of the project, once it is there and on its queue. */
  const theJob = async (): Promise<string> => {
    await until('the job', async () => (await jobsOf()).length > 0);
    return (await jobsOf())[0]?.id ?? '';
  };

  it('takes contents inline, waits for the worker, and answers where the bundle is', async () => {
    const building = build([inline('index.js', 'import "./app";'), inline('app.js', 'export default 1;')]);
    const jobId = await theJob();
    await make(backend.current, worker, jobId);
    const { data } = await building;
    expect(data).to.include({ job_id: jobId, expires_in: 600 });
    expect(await (await fetch(data.url)).text()).to.equal('console.log("a bundle");');
    expect(backend.current.services.previewTokens.verify(data.token).caller).to.include({ jobId, purpose: 'view' });
    expect(await backend.current.sql('select count(*) as blobs from source_blobs where project_id = ?', [projectId])).to.deep.equal([{ blobs: 2 }]);
  });

  it('stores nothing for a build that the tier has no place for', async () => {
    const poor = await backend.current.person('free');
    projectId = await backend.current.project(poor);
    await queuedJob(backend.current, poor, projectId, 'the only one at once');
    const before = await backend.current.sql('select count(*) as blobs from source_blobs where project_id = ?', [projectId]);
    expect(await codeOf(build([inline('index.js', 'one too many')], undefined, poor))).to.equal('QUOTA_EXCEEDED');
    await request(backend.current, poor, projectId, [sourceOf('index.js', 'two')]);
    await request(backend.current, poor, projectId, [sourceOf('index.js', 'three')]);
    expect(await codeOf(build([inline('index.js', 'a fourth in a minute')], undefined, poor))).to.equal('RATE_LIMITED');
    expect(await backend.current.sql('select count(*) as blobs from source_blobs where project_id = ?', [projectId])).to.deep.equal(before);
  });

  it('gives the worker exactly the sources that were sent', async () => {
    const building = build([inline('index.js', 'one'), inline('src/two.ts', 'two')]);
    const claimed = await claim(backend.current, worker, await theJob());
    if (claimed.input.kind !== 'preview') throw new Error('It is no preview.');
    const sources = await Promise.all((claimed.input.sources.items ?? []).map(async ({ path, url }) => `${path}: ${await (await fetch(url)).text()}`));
    expect(sources).to.deep.equal(['index.js: one', 'src/two.ts: two']);
    await backend.current.run('reportJobResult', worker, { body: failureReport(claimed) });
    await refusalOf(building);
  });

  it('mixes what is stored and what is sent, and names what is neither', async () => {
    const stored = [sourceOf('index.js', `stored ${projectId}`)];
    const { data } = await request(backend.current, ada, projectId, stored);
    await uploadMissing(data, stored);
    await backend.current.run('startPreviewJob', ada, { path: { job_id: data.job.id } });
    const unknown = sourceOf('unknown.js', `unknown ${projectId}`);
    const refusal = await refusalOf(build([...described(stored), inline('app.js', 'sent'), ...described([unknown])]));
    expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { missing_count: 1, missing: [unknown.sha256] }]);
    const building = build([...described(stored), inline('app.js', 'sent')]);
    await until('the second job', async () => (await jobsOf()).length === 2);
    await make(backend.current, worker, (await jobsOf())[1]?.id ?? '');
    await building;
  });

  it('tells why a build failed, with the job it can be followed by', async () => {
    const building = refusalOf(build([inline('index.js', 'broken (')]));
    const jobId = await theJob();
    const claimed = await claim(backend.current, worker, jobId);
    await backend.current.run('reportJobResult', worker, { body: failureReport(claimed) });
    const refusal = await building;
    expect([refusal.code, refusal.message]).to.deep.equal(['PREVIEW_BUILD_FAILED', 'Unexpected token']);
    expect(refusal.details).to.deep.equal({
      code: 'PREVIEW_BUILD_FAILED', kind: 'build_error', message: 'Unexpected token', file: 'index.js', line: 3, column: 7, code_frame: null, import_name: null, job_id: jobId,
    });
  });

  it('ends when the job is cancelled', async () => {
    const building = refusalOf(build([inline('index.js', '1')]));
    await backend.current.run('cancelPreviewJob', ada, { path: { job_id: await theJob() } });
    expect((await building).code).to.equal('CONFLICT');
  });

  it('makes one job of any number of calls under one key at the same moment', async () => {
    const files = [inline('index.js', 'one key')];
    const building = Promise.all(Array.from({ length: 8 }, () => build(files, 'the-same-key-of-all')));
    const jobId = await theJob();
    await make(backend.current, worker, jobId);
    expect(new Set((await building).map(({ data }) => data.job_id))).to.deep.equal(new Set([jobId]));
    expect(await jobsOf()).to.have.length(1);
  });

  it('makes one job of them also where the tier has one place, and one try a minute left', async () => {
    ada = await backend.current.person('free');
    projectId = await backend.current.project(ada);
    for (let used = 0; used < 2; used += 1) {
      await backend.current.run('cancelPreviewJob', ada, { path: { job_id: await queuedJob(backend.current, ada, projectId) } });
    }
    const building = Promise.all(Array.from({ length: 4 }, () => build([inline('index.js', 'the last')], 'a-key-for-the-last')));
    await until('the third job', async () => (await jobsOf()).length === 3);
    const job = (await backend.current.sql<{ id: string }>("select id from preview_jobs where project_id = ? and status = 'queued'", [projectId]))[0]?.id ?? '';
    await make(backend.current, worker, job);
    expect(new Set((await building).map(({ data }) => data.job_id))).to.deep.equal(new Set([job]));
  });

  it('refuses a key that was used with something else, and takes it again when its job is a day old or deleted', async () => {
    const answer = async (files: readonly unknown[]): Promise<string> => {
      const building = build(files, 'a-key-of-many-days');
      const before = (await jobsOf()).length;
      await until('a new job', async () => (await jobsOf()).length > before);
      const open = await backend.current.sql<{ id: string }>("select id from preview_jobs where project_id = ? and status = 'queued'", [projectId]);
      await make(backend.current, worker, open[0]?.id ?? '');
      return (await building).data.job_id;
    };
    const first = await answer([inline('index.js', 'first')]);
    expect(await codeOf(build([inline('index.js', 'second')], 'a-key-of-many-days'))).to.equal('IDEMPOTENCY_CONFLICT');
    expect((await build([inline('index.js', 'first')], 'a-key-of-many-days')).data.job_id).to.equal(first);
    await backend.current.sql("update preview_jobs set created_at = now() - interval '25 hours' where id = ?", [first]);
    const second = await answer([inline('index.js', 'second')]);
    expect(second).not.to.equal(first);
    await backend.current.run('deletePreviewJob', ada, { path: { job_id: second } });
    expect(await answer([inline('index.js', 'third')])).not.to.equal(second);
  });

  it('takes the same key of a person and of an API key for two', async () => {
    const key = { kind: 'api_key', userId: ada.userId, keyId: newId(), tier: 'premium', isVerified: true, scopes: ['previews:write'], projectIds: null } as const;
    const both = [build([inline('index.js', '1')], 'shared-by-chance'), backend.current.run('buildPreview', key, { body: bodyOf([inline('index.js', '1')]) }, { key: 'shared-by-chance' })];
    await until('two jobs', async () => (await jobsOf()).length === 2);
    for (const { id } of await jobsOf()) await make(backend.current, worker, id);
    expect(new Set((await Promise.all(both)).map(({ data }) => data.job_id)).size).to.equal(2);
  });

  it('refuses bad base64 by its pointer, and more than 5 MiB', async () => {
    const bad = await refusalOf(build([inline('index.js', '1'), { path: 'app.js', content_base64: 'YR==' }]));
    expect([bad.code, (bad.details as { pointer: string }[])[0]?.pointer]).to.deep.equal(['VALIDATION_ERROR', '#/body/files/1/content_base64']);
    const half = 'x'.repeat(2.7 * 1024 * 1024);
    expect(await codeOf(build([inline('index.js', half), inline('app.js', half)]))).to.equal('PAYLOAD_TOO_LARGE');
  });

  describe('over the wire, when it takes longer than it may wait', () => {
    const impatient = useBackend({ PREVIEW_MAX_TIMEOUT_MS: '1000' });

    it('answers PREVIEW_TIMEOUT with the job; the same key then waits for that job, and its answer is kept', async () => {
      const { person, project, http, sql, run } = impatient.current;
      const who = await person();
      const theirs = await project(who);
      const post = (): Promise<Reply> => http('POST', '/preview/build', {
        headers: { ...who.headers, 'idempotency-key': 'a-key-that-waits-on' },
        json: { project_id: theirs, entry_file: 'index.js', files: [inline('index.js', 'slow')] },
      });
      const late = await post();
      const jobId = (late.error?.details as { job_id: string }).job_id;
      expect([late.status, late.error?.code]).to.deep.equal([504, 'PREVIEW_TIMEOUT']);
      expect((await run('getPreviewJob', who, { path: { job_id: jobId } })).data.status).to.equal('queued');
      const repeated = post();
      await make(impatient.current, await impatient.current.worker(), jobId);
      const done = await repeated;
      expect([done.status, done.data['job_id']]).to.deep.equal([200, jobId]);
      expect(done.headers.get('cache-control')).to.equal('no-store');
      const replayed = await post();
      expect([replayed.headers.get('idempotency-replayed'), replayed.text]).to.deep.equal(['true', done.text]);
      expect(await sql('select count(*) as jobs from preview_jobs where project_id = ?', [theirs])).to.deep.equal([{ jobs: 1 }]);
    });
  });
});

import { expect } from 'chai';
import type { ClaimedJob, JobProgress, JobProgressReply, LiveResult, LiveRevision } from '#generated/sdk/types.gen.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { make, put, queuedJob, sourceOf } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';

describe('live sessions', () => {
  const backend = useBackend();
  let ada: Person;
  let ben: Person;
  let projectId: string;
  let jobId: string;
  let worker: WorkerCaller;
  before(async () => { worker = await backend.current.worker(); });
  beforeEach(async () => {
    [ada, ben] = [await backend.current.person(), await backend.current.person()];
    projectId = await backend.current.project(ada);
    await backend.current.database.db.knex('project_members').insert({ id: newId(), project_id: projectId, user_id: ben.userId, role: 'Member' });
    jobId = await queuedJob(backend.current, ben, projectId);
    await make(backend.current, worker, jobId);
  });

  const open = async (who = ben): Promise<string> => (await backend.current.run('createLiveSession', who, { body: { job_id: jobId } })).data.live_session.id;
  const text = (path: string, content: string): { path: string; content_base64: string } => ({ path, content_base64: Buffer.from(content).toString('base64') });
  const push = (id: string, base: number, changes: readonly object[], who = ben) =>
    backend.current.run('pushLiveChanges', who, { path: { live_id: id }, body: { base_revision: base, changes: changes as never } });
  const end = (id: string, who = ben) => backend.current.run('endLiveSession', who, { path: { live_id: id } });
  const claim = async (id: string): Promise<ClaimedJob> => {
    const [row] = await backend.current.sql<{ epoch: number }>('select epoch from live_sessions where id = ?', [id]);
    return (await backend.current.run('claimJob', worker, { path: { job_id: id }, body: { epoch: row?.epoch ?? -1 } })).data;
  };
  const say = async (claimed: ClaimedJob, more: Partial<JobProgress> = {}): Promise<JobProgressReply> =>
    (await backend.current.run('reportJobProgress', worker, { path: { job_id: claimed.job_id }, body: { lease_token: claimed.lease_token, stage: 'bundling', progress: 0, ...more } })).data;
  const result = (revision: number, more: Partial<LiveResult> = {}): LiveResult =>
    ({ revision, status: 'superseded', object_key: null, size: null, sha256: null, duration_ms: 5, failure: null, ...more });
  const built = async (claimed: ClaimedJob, revision: number, content = 'bundle'): Promise<LiveResult> => {
    const { size, sha256, content: bytes } = sourceOf('bundle.js', content);
    const { data } = await backend.current.run('createJobUploads', worker, {
      path: { job_id: claimed.job_id },
      body: { lease_token: claimed.lease_token, objects: [{ path: `r${revision}/bundle.js`, size, sha256, content_type: 'application/javascript', content_encoding: 'identity' }] },
    });
    const [upload] = data.uploads;
    expect(await put(upload?.upload_url ?? '', upload?.headers ?? {}, bytes)).to.equal(200);
    return result(revision, { status: 'ready', object_key: upload?.object_key ?? null, size, sha256 });
  };
  const stored = async (claimed: ClaimedJob, path: string, content: string): Promise<{ object_key: string; size: number; sha256: string }> => {
    const { size, sha256, content: bytes } = sourceOf(path, content);
    const { data: { uploads: [upload] } } = await backend.current.run('createJobUploads', worker, {
      path: { job_id: claimed.job_id }, body: { lease_token: claimed.lease_token, objects: [{ path, size, sha256, content_type: 'application/octet-stream', content_encoding: 'identity' }] },
    });
    expect(await put(upload?.upload_url ?? '', upload?.headers ?? {}, bytes)).to.equal(200);
    return { object_key: upload?.object_key ?? '', size, sha256 };
  };
  const filesOf = (claimed: ClaimedJob): string[] =>
    (claimed.input.kind === 'live_session' ? claimed.input.preview.sources.items ?? [] : []).map(({ path }) => path);
  const states = (id: string) => backend.current.sql<{ revision: number; status: string }>('select revision, status from live_revisions where session_id = ? order by revision', [id]);

  it('begin with a preview that has succeeded and stands, as many at once as the tier allows', async () => {
    const { run, sql, person } = backend.current;
    const waiting = await queuedJob(backend.current, ben, projectId, 'export default 2;');
    expect(await codeOf(run('createLiveSession', ben, { body: { job_id: waiting } }))).to.equal('CONFLICT');
    expect(await codeOf(run('createLiveSession', await person(), { body: { job_id: jobId } }))).to.equal('NOT_FOUND');
    const free = await person('free');
    await backend.current.database.db.knex('project_members').insert({ id: newId(), project_id: projectId, user_id: free.userId, role: 'Member' });
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => open(free)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).to.have.property('code', 'QUOTA_EXCEEDED');
    const first = outcomes.find((outcome) => outcome.status === 'fulfilled');
    await end(first?.value ?? '', free);
    await open(free);
    expect(await sql("select count(*) as told from audit_logs where user_id = ? and event_type = 'live_session.started'", [free.userId])).to.deep.equal([{ told: 2 }]);
    await sql("update preview_jobs set artifacts_expire_at = now() - interval '1 second' where id = ?", [jobId]);
    expect(await codeOf(run('createLiveSession', ben, { body: { job_id: jobId } }))).to.equal('GONE');
  });

  it('are counted beside the builds: neither takes the place of the other, and what is used is told', async () => {
    const { run, person, database } = backend.current;
    const free = await person('free');
    await database.db.knex('project_members').insert({ id: newId(), project_id: projectId, user_id: free.userId, role: 'Member' });
    const used = async (name: string) => (await run('getUsage', free)).data.items.filter((item) => item.name === name).map((item) => [item.limit, item.used]);
    const id = await open(free);
    await queuedJob(backend.current, free, projectId, 'export default 5;');
    const refused = await refusalOf(open(free));
    expect([refused.code, refused.details]).to.deep.equal(['QUOTA_EXCEEDED', { limit: 'live_sessions_at_once', allowed: 1, used: 1, tier: 'free', upgrade_to: 'pro' }]);
    expect([await used('live_sessions_at_once'), await used('preview_jobs_at_once')]).to.deep.equal([[[1, 1]], [[1, 1]]]);
    await end(id, free);
    expect([await used('live_sessions_at_once'), await used('preview_jobs_at_once')]).to.deep.equal([[[1, 0]], [[1, 1]]]);
    await open(free);
  });

  it('end with the preview they began with, and none is opened beside its end', async () => {
    const { run, sql } = backend.current;
    const [mine, hers] = [await open(), await open(ada)];
    const [opened, deleted] = await Promise.allSettled([open(), run('deletePreviewJob', ben, { path: { job_id: jobId }, headers: {} })]);
    expect(deleted.status).to.equal('fulfilled');
    if (opened.status === 'rejected') expect(opened.reason).to.have.property('code', 'NOT_FOUND');
    expect(await sql('select distinct status from live_sessions where job_id = ?', [jobId])).to.deep.equal([{ status: 'cancelled' }]);
    for (const id of [mine, hers]) expect(await codeOf(push(id, 0, [text('index.js', 'a')], id === mine ? ben : ada))).to.equal('GONE');
  });

  it('none is opened in a project that is deleted at the same moment', async () => {
    const { run, sql } = backend.current;
    await Promise.allSettled([open(), open(ada), run('deleteProject', ada, { path: { project_id: projectId } })]);
    expect(await sql("select id from live_sessions where project_id = ? and status in ('queued', 'running')", [projectId])).to.deep.equal([]);
  });

  it('that died are listed with their kind, not put back, and remembered for a month', async () => {
    const { run, sql, services } = backend.current;
    const admin = await backend.current.person('admin');
    const id = await open();
    await sql('update live_sessions set attempt = max_attempts - 1 where id = ?', [id]);
    await claim(id);
    await sql("update live_sessions set lease_expires_at = now() - interval '1 second' where id = ?", [id]);
    await backend.current.reconciler().reconcile();
    const listed = async (query: object) => (await run('listDeadJobs', admin, { query: { limit: 20, ...query } as never })).data.items.filter((job) => job.job_id === id).map(({ kind, project_id, requested_by, attempts, failure_kind }) => ({ kind, project_id, requested_by, attempts, failure_kind }));
    const dead = { kind: 'live_session', project_id: projectId, requested_by: ben.userId, attempts: 10, failure_kind: 'worker_lost' };
    for (const query of [{}, { kind: 'live_session' }, { project_id: projectId }, { kind: 'live_session', project_id: projectId }]) expect(await listed(query), JSON.stringify(query)).to.deep.equal([dead]);
    expect(await listed({ kind: 'preview' })).to.deep.equal([]);
    const refused = await refusalOf(run('retryDeadJob', admin, { path: { job_id: id } }));
    expect([refused.code, refused.message]).to.deep.equal(['CONFLICT', 'This job cannot run any more. A live session that has ended is opened anew.']);
    const forget = async (): Promise<void> => {
      await services.systemKinds.find(({ kind }) => kind === 'sweep.live_sessions')?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
    };
    await sql("update live_sessions set completed_at = now() - interval '29 days', died_at = now() - interval '29 days' where id = ?", [id]);
    await forget();
    expect(await listed({})).to.deep.equal([dead]);
    await sql("update live_sessions set died_at = now() - interval '31 days' where id = ?", [id]);
    await forget();
    expect(await listed({})).to.deep.equal([]);
  });

  it('hold the artifacts of their preview past their time, and not a sweep longer than they last', async () => {
    const { sql, services } = backend.current;
    const id = await open();
    await sql("update preview_jobs set artifacts_expire_at = now() - interval '1 day' where id = ?", [jobId]);
    const sweep = async (): Promise<unknown> => {
      await services.systemKinds.find(({ kind }) => kind === 'sweep.preview_expiry')?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
      return sql('select unlinked_at is not null as gone from preview_jobs where id = ?', [jobId]);
    };
    expect(await sweep()).to.deep.equal([{ gone: false }]);
    await end(id);
    expect(await sweep()).to.deep.equal([{ gone: true }]);
  });

  it('take of a revision the files it names, each looked at once, and its source map later, once; the phone is told of both', async () => {
    const { run, services } = backend.current;
    const { data: created } = await run('createLiveSession', ben, { body: { job_id: jobId } });
    const { id } = created.live_session;
    const claimed = await claim(id);
    const first = await built(claimed, 0);
    const image = await stored(claimed, 'assets/one', 'an image');
    const map = await stored(claimed, 'r0/bundle.js.map', '{}');
    const asset = { path: 'assets/one.png', ...image };
    const wrong: readonly Partial<LiveResult>[] = [
      { assets: [{ ...asset, size: 1 }] }, { assets: [{ ...asset, object_key: `${image.object_key}x` }] }, { assets: [asset, { ...asset, object_key: 'projects/other/one' }] },
      { source_map: { ...map, size: 9 } }, { source_map: { ...map, object_key: map.object_key.replace(id, newId()) } },
      { status: 'failed', object_key: null, assets: [asset], failure: { kind: 'build_error', message: 'no', retryable: false } },
    ];
    for (const more of wrong) expect(await codeOf(say(claimed, { live_results: [{ ...first, ...more }] })), JSON.stringify(more)).to.equal('VALIDATION_ERROR');
    const { caller } = services.previewTokens.verify(created.token);
    const controller = new AbortController();
    const { events } = await run('streamLiveSession', caller, { path: { live_id: id }, query: { token: created.token }, headers: {} }, { signal: controller.signal }) as never as { events: AsyncIterable<{ id: string; event: string; data: LiveRevision }> };
    const stream = events[Symbol.asyncIterator]();
    const next = async (): Promise<[string, string, string[], boolean]> => {
      const { value } = await stream.next() as { value: { id: string; event: string; data: LiveRevision } };
      return [value.id, value.event, value.data.assets.map(({ path }) => path), value.data.source_map_url !== null];
    };
    expect(await next()).to.deep.equal(['0.0', 'revision', [], false]);
    await say(claimed, { live_results: [{ ...first, assets: [asset] }] });
    expect(await next()).to.deep.equal(['0.1', 'revision', ['assets/one.png'], false]);
    await say(claimed, { live_results: [{ ...first, assets: [asset], source_map: map }] });
    expect(await next()).to.deep.equal(['0.2', 'source_map', ['assets/one.png'], true]);
    await say(claimed, { live_results: [{ ...first, source_map: await stored(claimed, 'r0/other.map', '[]') }] });
    expect(await backend.current.sql('select map_key from live_revisions where session_id = ?', [id])).to.deep.equal([{ map_key: map.object_key }]);
    controller.abort();
  });

  it('show a phone that comes while an edit is broken what was there before, and nothing that it has seen', async () => {
    const { run, services } = backend.current;
    const { data: created } = await run('createLiveSession', ben, { body: { job_id: jobId } });
    const { id } = created.live_session;
    const claimed = await claim(id);
    await say(claimed, { live_results: [await built(claimed, 0)] });
    await push(id, 0, [text('index.js', 'export default ( =>')]);
    const { caller } = services.previewTokens.verify(created.token);
    const first = async (count: number, lastEventId?: string): Promise<string[]> => {
      const controller = new AbortController();
      const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      const { events } = await run('streamLiveSession', caller, { path: { live_id: id }, query: { token: created.token }, headers }, { signal: controller.signal }) as never as { events: AsyncIterable<{ id: string; data: LiveRevision }> };
      const told: string[] = [];
      for await (const event of events) {
        told.push(`${event.id} ${event.data.status} ${event.data.bundle_url === null ? 'without' : 'with'}`);
        if (told.length === count) break;
      }
      controller.abort();
      return told;
    };
    for (const failed of [false, true]) {
      if (failed) await say(claimed, { live_results: [result(1, { status: 'failed', failure: { kind: 'build_error', message: 'no', retryable: false } })] });
      const now = failed ? '1.1 failed without' : '1.0 building without';
      for (const seen of [undefined, '0.0']) expect(await first(2, seen), String(seen)).to.deep.equal(['0.1 ready with', now]);
      expect(await first(1, '0.1')).to.deep.equal([now]);
    }
    await push(id, 1, [text('index.js', 'export default 1;')]);
    await say(claimed, { live_results: [await built(claimed, 2)] });
    expect(await first(1)).to.deep.equal(['2.1 ready with']);
  });

  it('take changes of their owner alone, on the newest revision: of ten at once one is taken', async () => {
    const id = await open();
    expect(await codeOf(push(id, 0, [text('index.js', 'a')], ada))).to.equal('FORBIDDEN');
    expect(await codeOf(push(id, 0, [text('index.js', 'a')], await backend.current.person()))).to.equal('NOT_FOUND');
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => push(id, 0, [text('index.js', `${index}`)])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    const stale = await refusalOf(push(id, 0, [text('index.js', 'b')]));
    expect([stale.code, stale.details]).to.deep.equal(['CONFLICT', { revision: 1 }]);
    const absent = 'f'.repeat(64);
    const lacking = await refusalOf(push(id, 1, [{ path: 'a.js', sha256: absent, size: 3 }]));
    expect([lacking.code, (lacking.details as { missing: string[] }).missing]).to.deep.equal(['CONFLICT', [absent]]);
  });

  for (const [what, changes] of [
    ['a path out of the project', [text('../out.js', 'a')]],
    ['an absolute path', [text('/etc/passwd.js', 'a')]],
    ['node_modules', [text('node_modules/react/index.js', 'a')]],
    ['a Babel configuration', [text('src/.babelrc', '{}')]],
    ['a Metro configuration', [text('metro.config.js', 'a')]],
    ['a path that differs by letter case alone', [text('INDEX.js', 'a')]],
    ['a folder where a file is', [text('index.js/inner.js', 'a')]],
    ['a path twice', [text('a.js', 'a'), text('a.js', 'b')]],
    ['a path both written and removed', [text('a.js', 'a'), { path: 'a.js', removed: true }]],
    ['the end of the entry file', [{ path: 'index.js', removed: true }]],
    ['a hidden character', [text('a\u202ejs', 'a')]],
  ] as const) {
    it(`refuse ${what}, as intake does`, async () => {
      const id = await open();
      expect(await codeOf(push(id, 0, changes))).to.equal('VALIDATION_ERROR');
      expect(await states(id)).to.deep.equal([{ revision: 0, status: 'building' }]);
    });
  }

  it('tell a waiting worker of changes at once, and of their end', async () => {
    const id = await open();
    const claimed = await claim(id);
    expect(await say(claimed, { live_results: [await built(claimed, 0)] })).to.deep.include({ stop: false, live_changes: [] });
    const waiting = say(claimed, { wait_ms: 10_000 });
    const startedAt = performance.now();
    await push(id, 0, [text('more.js', 'export default 1;'), { path: 'absent.js', removed: true }]);
    const { live_changes: [change] } = await waiting;
    expect(performance.now() - startedAt).to.be.lessThan(3_000);
    expect([change?.revision, change?.written.map(({ path }) => path), change?.removed]).to.deep.equal([1, ['more.js'], ['absent.js']]);
    expect(await (await fetch(change?.written[0]?.url ?? '')).text()).to.equal('export default 1;');
    const again = say(claimed, { live_results: [await built(claimed, 1)], wait_ms: 10_000 });
    const refused = again.then(() => null, (error: unknown) => error);
    await end(id);
    expect(await refused).to.have.property('code', 'CONFLICT');
  });

  it('wait no longer than they were asked to, also in a job that is no live session', async () => {
    const other = await queuedJob(backend.current, ben, projectId, 'export default 3;');
    const { data: claimed } = await backend.current.run('claimJob', worker, { path: { job_id: other }, body: { epoch: 0 } });
    expect(await say(claimed, { wait_ms: 50 })).to.deep.include({ stop: false, live_changes: [] });
    const waiting = say(claimed, { wait_ms: 10_000 }).then(() => null, (error: unknown) => error);
    await backend.current.run('cancelPreviewJob', ben, { path: { job_id: other } });
    expect(await waiting).to.have.property('code', 'CONFLICT');
    const third = await queuedJob(backend.current, ben, projectId, 'export default 4;');
    const { data: plain } = await backend.current.run('claimJob', worker, { path: { job_id: third }, body: { epoch: 0 } });
    expect(await codeOf(say(plain, { live_results: [result(1)] }))).to.equal('VALIDATION_ERROR');
  });

  it('take what a worker made once, only where it is as it says, and what it passed over as superseded', async () => {
    const id = await open();
    const claimed = await claim(id);
    const first = await built(claimed, 0);
    await say(claimed, { live_results: [first] });
    for (let revision = 0; revision < 3; revision += 1) await push(id, revision, [text('index.js', `export default ${revision};`)]);
    const third = await built(claimed, 3);
    for (const wrong of [{ ...third, size: 1 }, { ...third, object_key: first.object_key?.replace(id, newId()) ?? null }, { ...third, object_key: null }]) {
      expect(await codeOf(say(claimed, { live_results: [wrong] })), JSON.stringify(wrong)).to.equal('VALIDATION_ERROR');
    }
    expect((await say(claimed)).live_changes.map(({ revision }) => revision)).to.deep.equal([1, 2, 3]);
    await say(claimed, { live_results: [third] });
    await say(claimed, { live_results: [{ ...third, status: 'failed', object_key: null, failure: { kind: 'build_error', message: 'no', retryable: false } }] });
    expect(await states(id)).to.deep.equal([
      { revision: 0, status: 'ready' }, { revision: 1, status: 'superseded' }, { revision: 2, status: 'superseded' }, { revision: 3, status: 'ready' },
    ]);
    expect((await say(claimed)).live_changes).to.deep.equal([]);
  });

  it('go to another worker when theirs is lost, with what was built among the sources and what was not among the changes', async () => {
    const { sql } = backend.current;
    const id = await open();
    const claimed = await claim(id);
    await say(claimed, { live_results: [await built(claimed, 0)] });
    await push(id, 0, [text('kept.js', 'a'), text('gone.js', 'a')]);
    await say(claimed, { live_results: [await built(claimed, 1)] });
    await push(id, 1, [{ path: 'gone.js', removed: true }]);
    await sql("update live_sessions set lease_expires_at = now() - interval '1 second' where id = ?", [id]);
    await backend.current.reconciler().reconcile();
    const again = await claim(id);
    expect(filesOf(again)).to.deep.equal(['gone.js', 'index.js', 'kept.js']);
    expect((await say(again)).live_changes).to.deep.include({ revision: 2, written: [], removed: ['gone.js'] });
    expect(await codeOf(say(claimed))).to.equal('CONFLICT');
  });

  it('end when nobody edits, and leave nothing once no URL of theirs holds any more', async () => {
    const { sql, services } = backend.current;
    const id = await open();
    const claimed = await claim(id);
    const result = await built(claimed, 0);
    await say(claimed, { live_results: [result] });
    const sweep = async (name: string): Promise<void> => {
      await services.systemKinds.find(({ kind }) => kind === `sweep.${name}`)?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
    };
    await sweep('live_sessions_idle');
    await say(claimed);
    await sql("update live_sessions set changed_at = now() - interval '601 seconds' where id = ?", [id]);
    await sweep('live_sessions_idle');
    expect(await codeOf(say(claimed))).to.equal('CONFLICT');
    expect(await codeOf(push(id, 0, [text('index.js', 'a')]))).to.equal('GONE');
    expect(await sql("select user_id from audit_logs where entity_id = ? and event_type = 'live_session.ended'", [id])).to.deep.equal([{ user_id: null }]);
    await sql("update live_sessions set completed_at = now() - interval '2 days' where id = ?", [id]);
    await sweep('live_sessions');
    expect(await sql('select 1 from live_sessions where id = ?', [id])).to.deep.equal([]);
    expect(await sql('select 1 from live_revisions where session_id = ?', [id])).to.deep.equal([]);
  });

  it('end after four hours, their token with them, whoever edits and however often they changed workers', async () => {
    const { run, sql, services } = backend.current;
    const { data: { live_session: { id }, token, expires_in: seconds } } = await run('createLiveSession', ben, { body: { job_id: jobId } });
    expect([seconds, Math.round((services.previewTokens.verify(token).expiresAtMs - Date.now()) / 60_000)]).to.deep.equal([14_400, 240]);
    const sweepAt = async (age: number): Promise<unknown> => {
      await sql(`update live_sessions set created_at = now() - interval '${age} seconds', started_at = null where id = ?`, [id]);
      await services.systemKinds.find(({ kind }) => kind === 'sweep.live_sessions_idle')?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
      return sql('select status from live_sessions where id = ?', [id]);
    };
    expect(await sweepAt(14_390)).to.deep.equal([{ status: 'queued' }]);
    expect(await sweepAt(14_401)).to.deep.equal([{ status: 'cancelled' }]);
  });

  it('end with the account or project they are of, by their owner or a project owner, and twice without harm', async () => {
    const { sql, run } = backend.current;
    const [mine, hers] = [await open(), await open(ada)];
    expect(await codeOf(end(hers))).to.equal('FORBIDDEN');
    await end(mine, ada);
    await end(mine, ada);
    expect(await sql("select count(*) as ends from audit_logs where entity_id = ? and event_type = 'live_session.ended'", [mine])).to.deep.equal([{ ends: 1 }]);
    const last = await open();
    await run('deleteProject', ada, { path: { project_id: projectId } });
    expect(await sql('select distinct status from live_sessions where id = any(?)', [[last, hers]])).to.deep.equal([{ status: 'cancelled' }]);
  });

  it('show themselves to the token that is theirs, and to no other', async () => {
    const { run } = backend.current;
    const { data: created } = await run('createLiveSession', ben, { body: { job_id: jobId } });
    const other = await open();
    const caller = backend.current.services.previewTokens.verify(created.token).caller;
    const { data: view } = await run('createPreviewToken', ben, { path: { job_id: jobId } });
    const ofPreview = backend.current.services.previewTokens.verify(view.token).caller;
    const stream = (id: string, who: typeof caller) => run('streamLiveSession', who, { path: { live_id: id }, query: { token: created.token }, headers: {} });
    expect(await codeOf(stream(other, caller))).to.equal('NOT_FOUND');
    expect(await codeOf(stream(created.live_session.id, ofPreview))).to.equal('NOT_FOUND');
    await end(created.live_session.id);
    expect(await codeOf(stream(created.live_session.id, caller))).to.equal('GONE');
  });
});

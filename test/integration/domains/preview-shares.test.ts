import { expect } from 'chai';
import type { PreviewShareCreate } from '#generated/sdk/types.gen.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { joinProject } from '../../support/belonging.ts';
import { claim, failureReport, make, queuedJob } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

describe('shares of a preview', () => {
  const backend = useBackend();
  let ada: Person;
  let ben: Person;
  let cleo: Person;
  let projectId = '';
  let jobId = '';
  let worker: WorkerCaller;
  before(async () => { worker = await backend.current.worker(); });
  beforeEach(async () => {
    [ada, ben, cleo] = await Promise.all([backend.current.person(), backend.current.person(), backend.current.person()]);
    projectId = await backend.current.project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    jobId = await queuedJob(backend.current, ada, projectId);
  });
  const share = async (by: Person, to: Person, more: Partial<PreviewShareCreate> = {}, job = jobId) =>
    (await backend.current.run('sharePreview', by, { path: { job_id: job }, body: { user_id: to.userId, ...more } })).data;
  const list = async (by = ada, query: { limit?: number; cursor?: string } = {}) =>
    (await backend.current.run('listPreviewShares', by, { path: { job_id: jobId }, query: { limit: 50, ...query } })).data;
  const revoke = (by: Person, shareId: string) => backend.current.run('revokePreviewShare', by, { path: { share_id: shareId } });
  const token = async (by: Person) => (await backend.current.run('createPreviewToken', by, { path: { job_id: jobId } })).data.token;

  it('name the person, the note and their end, and are told of once: an audit row and an event', async () => {
    await make(backend.current, worker, jobId);
    const shared = await share(ada, cleo, { note: 'The new capture screen.' });
    expect(shared).to.deep.include({ job_id: jobId, project_id: projectId, shared_by: ada.userId, note: 'The new capture screen.', last_viewed_at: null });
    expect(shared.user).to.deep.equal({ id: cleo.userId, username: cleo.username, display_name: null, avatar_url: null });
    const { data: job } = await backend.current.run('getPreviewJob', ada, { path: { job_id: jobId } });
    expect(shared.expires_at, 'as long as the artifacts').to.equal(job.artifacts_expire_at);
    const { sql } = backend.current;
    expect(await sql("select user_id, data ->> 'user_id' as shared_with from audit_logs where event_type = 'preview.shared' and entity_id = ?", [shared.id]))
      .to.deep.equal([{ user_id: ada.userId, shared_with: cleo.userId }]);
    const [event] = await sql<{ data: unknown }>("select payload -> 'data' as data from outbox where topic = 'preview.shared' and payload ->> 'entityId' = ?", [shared.id]);
    expect(event?.data).to.deep.equal({ job_id: jobId, share_id: shared.id, shared_by: ada.userId, user_id: cleo.userId, user_ids: [cleo.userId], note: 'The new capture screen.' });
  });

  it('are notified to the person, who is in no way a member', async () => {
    const { id } = await share(ada, cleo, { note: 'Look.' });
    const relay = backend.current.relay();
    relay.start();
    const told = async (): Promise<unknown[]> => (await backend.current.run('listNotifications', cleo, { query: { limit: 10 } })).data.items.map(({ type, payload }) => ({ type, payload }));
    await until('the person to be told', async () => (await told()).length > 0);
    await relay.stop();
    expect(await told()).to.deep.equal([{ type: 'preview.shared', payload: { job_id: jobId, share_id: id, shared_by: ada.userId, note: 'Look.' } }]);
  });

  it('end when they were told to, and never later than the artifacts', async () => {
    await make(backend.current, worker, jobId);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    expect((await share(ada, cleo, { expires_at: soon })).expires_at).to.equal(soon);
    const late = await share(ada, ben, { expires_at: '2999-01-01T00:00:00.000Z' });
    const { data: job } = await backend.current.run('getPreviewJob', ada, { path: { job_id: jobId } });
    expect(late.expires_at).to.equal(job.artifacts_expire_at);
    const past = await refusalOf(share(ada, await backend.current.person(), { expires_at: '2020-01-01T00:00:00.000Z' }));
    expect(past).to.deep.include({ code: 'VALIDATION_ERROR', details: [{ pointer: '#/body/expires_at', message: 'must be in the future', rule: 'future' }] });
  });

  it('are one for each person, also when two ask at once; one that ended by its time makes room', async () => {
    const both = await Promise.allSettled([share(ada, cleo), share(ben, cleo)]);
    expect(both.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    const again = await refusalOf(share(ada, cleo));
    expect(again).to.deep.include({ code: 'CONFLICT', details: { field: 'user_id' } });
    await backend.current.sql("update preview_shares set expires_at = now() - interval '1 second' where job_id = ?", [jobId]);
    expect((await list()).items).to.deep.equal([]);
    expect((await share(ada, cleo)).id).to.be.a('string');
  });

  it('are a hundred at most, also when the last place is raced for', async () => {
    const { sql } = backend.current;
    const people = await Promise.all(Array.from({ length: 2 }, () => backend.current.person()));
    await sql("insert into users (id, email, username, password_hash) select gen_random_uuid(), 'f' || s || ?, 'f' || s || ?, 'none' from generate_series(1, 99) s", [`${jobId}@example.com`, jobId.slice(-8)]);
    await sql('insert into preview_shares (id, project_id, job_id, shared_by, user_id) select gen_random_uuid(), ?, ?, ?, id from users where username like ?', [projectId, jobId, ada.userId, `f%${jobId.slice(-8)}`]);
    const raced = await Promise.allSettled(people.map((person) => share(ada, person)));
    expect(raced.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    const full = await refusalOf(share(ada, cleo));
    expect(full).to.deep.include({ code: 'QUOTA_EXCEEDED', details: { limit: 'preview_shares', allowed: 100, used: 100, tier: null, upgrade_to: null } });
    expect((await list()).page.total).to.equal(100);
  });

  it('are made by verified members with somebody else who is there, of what can still be seen', async () => {
    expect((await refusalOf(backend.current.run('sharePreview', { ...ada, isVerified: false }, { path: { job_id: jobId }, body: { user_id: ben.userId } }))).details).to.deep.equal({ reason: 'email_not_verified' });
    expect(await codeOf(share(cleo, ben))).to.equal('NOT_FOUND');
    expect(await codeOf(share(ada, ada))).to.equal('VALIDATION_ERROR');
    const nobody = { ...cleo, userId: newId() };
    expect(await codeOf(share(ada, nobody))).to.equal('NOT_FOUND');
    await backend.current.sql('update users set suspended_at = now() where id = ?', [ben.userId]);
    expect(await codeOf(share(ada, ben))).to.equal('NOT_FOUND');
    const failed = await queuedJob(backend.current, ada, projectId, 'broken');
    await backend.current.run('reportJobResult', worker, { body: failureReport(await claim(backend.current, worker, failed)) });
    expect(await codeOf(share(ada, cleo, {}, failed))).to.equal('CONFLICT');
    await make(backend.current, worker, jobId);
    await backend.current.sql("update preview_jobs set artifacts_expire_at = now() - interval '1 second' where id = ?", [jobId]);
    expect(await codeOf(share(ada, await backend.current.person()))).to.equal('GONE');
  });

  it('let the person make tokens that rest on the share, and see nothing else of the project', async () => {
    const { id } = await share(ada, cleo, { expires_at: new Date(Date.now() + 120_000).toISOString() });
    const { caller } = backend.current.services.previewTokens.verify(await token(cleo));
    expect(caller).to.include({ purpose: 'view', jobId, shareId: id });
    const { data } = await backend.current.run('createPreviewToken', cleo, { path: { job_id: jobId } });
    expect(data.expires_in, 'no longer than the share').to.be.within(100, 120);
    expect(backend.current.services.previewTokens.verify(await token(ben)).caller.shareId, 'a member\'s').to.equal(null);
    expect(await codeOf(backend.current.run('getPreviewJob', cleo, { path: { job_id: jobId } }))).to.equal('NOT_FOUND');
    expect(await codeOf(list(cleo))).to.equal('NOT_FOUND');
    const key = { kind: 'api_key', userId: cleo.userId, keyId: newId(), tier: 'premium', isVerified: true, scopes: ['previews:read'], projectIds: [newId()] } as const;
    expect(await codeOf(backend.current.run('createPreviewToken', key, { path: { job_id: jobId } }))).to.equal('NOT_FOUND');
  });

  it('are revoked by who made them or an owner, once; the person is told that it is over', async () => {
    const [byBen, byAda] = [await share(ben, cleo), await share(ada, await backend.current.person())];
    expect(await codeOf(revoke(ben, byAda.id))).to.equal('FORBIDDEN');
    expect(await codeOf(revoke(cleo, byBen.id))).to.equal('NOT_FOUND');
    await revoke(ada, byBen.id);
    expect(await codeOf(revoke(ada, byBen.id))).to.equal('NOT_FOUND');
    expect(await codeOf(token(cleo))).to.equal('GONE');
    expect((await list()).items.map(({ id }) => id)).to.deep.equal([byAda.id]);
    expect(await backend.current.sql("select user_id from audit_logs where event_type = 'preview.share_revoked' and entity_id = ?", [byBen.id])).to.deep.equal([{ user_id: ada.userId }]);
    await share(ada, cleo);
    expect(await token(cleo), 'shared anew').to.be.a('string');
  });

  it('are forgotten a month after they ended, with the tokens still in the log', async () => {
    const [old, young] = [await share(ada, cleo), await share(ada, ben)];
    await token(cleo);
    await revoke(ada, old.id);
    await revoke(ada, young.id);
    await backend.current.sql("update preview_shares set revoked_at = now() - interval '31 days' where id = ?", [old.id]);
    const sweep = backend.current.services.systemKinds.find(({ kind }) => kind === 'sweep.preview_shares');
    await sweep?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
    expect(await backend.current.sql('select id from preview_shares where job_id = ?', [jobId])).to.deep.equal([{ id: young.id }]);
    expect(await codeOf(token(cleo))).to.equal('NOT_FOUND');
    expect(await codeOf(token(await backend.current.person()))).to.equal('NOT_FOUND');
    expect((await backend.current.sql('select share_id from preview_sessions where job_id = ? and user_id = ?', [jobId, cleo.userId]))).to.deep.equal([{ share_id: null }]);
  });

  it('are listed newest first, page by page, in two statements beside the policy\'s', async () => {
    const made = [];
    for (const _ of [1, 2, 3]) made.unshift((await share(ada, await backend.current.person())).id);
    const first = await list(ada, { limit: 2 });
    expect(first.items.map(({ id }) => id)).to.deep.equal(made.slice(0, 2));
    const next = await list(ada, { limit: 2, cursor: first.page.next_cursor ?? '' });
    expect(next.items.map(({ id }) => id)).to.deep.equal(made.slice(2));
    expect(next.page.next_cursor).to.equal(null);
    const other = await queuedJob(backend.current, ada, projectId, 'another');
    expect(await codeOf(backend.current.run('listPreviewShares', ada, { path: { job_id: other }, query: { limit: 2, cursor: first.page.next_cursor ?? '' } }))).to.equal('VALIDATION_ERROR');
    const statements = await countStatements(() => list());
    expect(statements).to.equal(3);
  });
});

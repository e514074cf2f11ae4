import { expect } from 'chai';
import { violatedConstraint } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { login, outcome, register } from '../../support/accounts.ts';
import { claim, make, queuedJob } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';

describe('suspending an account', () => {
  const backend = useBackend();
  let admin: Person;
  before(async () => { admin = await backend.current.person('admin'); });

  const suspend = (userId: string, reason = 'Reported as stolen.') => backend.current.run('suspendUser', admin, { path: { user_id: userId }, body: { reason } });
  const unsuspend = (userId: string) => backend.current.run('unsuspendUser', admin, { path: { user_id: userId } });
  const me = (headers: Readonly<Record<string, string>>): Promise<Reply> => backend.current.http('GET', '/users/me', { headers });
  const keyOf = async (owner: Person): Promise<{ 'x-api-key': string }> => {
    const { data } = await backend.current.run('createApiKey', owner, { body: { name: 'ci', scopes: ['account:read', 'projects:read', 'previews:read'] } });
    return { 'x-api-key': data.key };
  };
  const audits = (userId: string, type: string): Promise<{ data: Record<string, unknown> }[]> =>
    backend.current.sql('select data from audit_logs where entity_id = ? and event_type = ? order by created_at', [userId, type]);

  it('shuts out its sessions and keys from the next request on, though the account is kept, and says why', async () => {
    const { person, clock } = backend.current;
    const ada = await person('free');
    const credentials = [ada.headers, await keyOf(ada)];
    for (const headers of credentials) expect(outcome(await me(headers))).to.equal('200 ok');
    await suspend(ada.userId);
    // At once, by the mark; and when what was kept has aged, by the account itself.
    for (const ahead of [0, 3_001]) {
      clock.advance(ahead);
      for (const headers of credentials) {
        const reply = await me(headers);
        expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { reason: 'suspended' }]);
      }
    }
  });

  it('ends every session: no token is refreshed, nobody signs in', async () => {
    const ada = await register(backend.current);
    const other = await login(backend.current, ada);
    await suspend(ada.userId);
    for (const token of [ada.refreshToken, other.data['refresh_token']]) {
      expect(outcome(await backend.current.http('POST', '/auth/refresh', { json: { refresh_token: token } }))).to.equal('401 AUTH_INVALID');
    }
    const reply = await login(backend.current, ada);
    expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { reason: 'suspended' }]);
    expect(outcome(await login(backend.current, ada, 'not the password of anybody')), 'the password comes first').to.equal('401 AUTH_INVALID');
    const open = await backend.current.sql('select id from sessions where user_id = ? and revoked_at is null', [ada.userId]);
    expect(open).to.deep.equal([]);
  });

  it('ends its streams', async () => {
    const { person, project, sql } = backend.current;
    const [ada, ben] = [await person('premium'), await person('premium')];
    // Somebody else's job, which does not end with the account.
    const projectId = await project(ben);
    await sql("insert into project_members (id, project_id, user_id, role, joined_at) values (?, ?, ?, 'Member', now())", [newId(), projectId, ada.userId]);
    const jobId = await queuedJob(backend.current, ben, projectId);
    const answer = await fetch(`${backend.current.url}/api/v1/preview/jobs/${jobId}/events`, { headers: { ...ada.headers, accept: 'text/event-stream' }, signal: AbortSignal.timeout(12_000) });
    expect(answer.status).to.equal(200);
    const reading = answer.text();
    const began = Date.now();
    await suspend(ada.userId);
    await reading;
    // A credential is looked at every 15 seconds; this was heard.
    expect(Date.now() - began).to.be.below(10_000);
  });

  it('cancels what it asked for, queued and running, with an event and an audit row each; the worker is told to stop', async () => {
    const { person, worker, project, run, sql } = backend.current;
    const [ada, node] = [await person('premium'), await worker()];
    const projectId = await project(ada);
    const running = await queuedJob(backend.current, ada, projectId);
    const claimed = await claim(backend.current, node, running);
    const queued = await queuedJob(backend.current, ada, projectId);
    const { data: waiting } = await run('requestPreview', ada, { body: { project_id: projectId, entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'b'.repeat(64), size: 1 }] } });
    const done = await queuedJob(backend.current, ada, projectId);
    await make(backend.current, node, done);
    const ben = await person('premium');
    const others = await queuedJob(backend.current, ben, await project(ben));
    await suspend(ada.userId);
    const statuses = await sql<{ id: string; status: string }>('select id, status from preview_jobs where id = any(?::uuid[])', [[running, queued, waiting.job.id, done, others]]);
    const statusOf = (id: string): string | undefined => statuses.find((one) => one.id === id)?.status;
    expect([running, queued, waiting.job.id, done, others].map(statusOf)).to.deep.equal(['cancelled', 'cancelled', 'cancelled', 'succeeded', 'queued']);
    for (const id of [running, queued, waiting.job.id]) {
      expect(await audits(id, 'preview.cancelled')).to.have.length(1);
      expect(await sql("select id from outbox where topic = 'preview.cancelled' and payload ->> 'entityId' = ?", [id])).to.have.length(1);
    }
    expect(await codeOf(run('reportJobProgress', node, { path: { job_id: running }, body: { lease_token: claimed.lease_token, stage: 'bundling', progress: 10 } }))).to.equal('CONFLICT');
    const metrics = { cpu_percent: 10, memory_bytes: 1_000, running: 1, free_slots: 1, uptime_seconds: 60 };
    const { data: beat } = await run('reportHeartbeat', node, { body: { status: 'active', running_job_ids: [running], metrics } });
    expect(beat.stop_job_ids).to.deep.equal([running]);
    expect((await audits(ada.userId, 'user.suspended'))[0]?.data).to.include({ jobs_cancelled: 3, sessions_ended: 1 });
  });

  it('makes nothing that was asked for before and not made yet', async () => {
    const { person, database: { db } } = backend.current;
    const ada = await person('free');
    // Its row is held as by a request that is making something: the suspension comes after that, and before the next.
    const held = await db.knex.transaction();
    await held.raw('select 1 from users where id = ? for update', [ada.userId]);
    const suspending = suspend(ada.userId);
    await until('the suspension to wait', async () => (await waiting(ada.userId)) >= 1);
    const making = refusalOf(backend.current.run('createProject', ada, { body: { name: 'Too late' } }));
    await until('both to wait', async () => (await waiting(ada.userId)) >= 2);
    await held.commit();
    await suspending;
    const { code, details } = await making;
    expect([code, details]).to.deep.equal(['FORBIDDEN', { reason: 'suspended' }]);
    expect(await backend.current.sql('select id from projects where owner_id = ?', [ada.userId])).to.deep.equal([]);
  });

  it('shows nobody what it made: tokens of its previews open nothing, new ones are not made for it', async () => {
    const { person, worker, project, run, services, clock } = backend.current;
    const [ada, node] = [await person('premium'), await worker()];
    const jobId = await queuedJob(backend.current, ada, await project(ada));
    await make(backend.current, node, jobId);
    const { data } = await run('createPreviewToken', ada, { path: { job_id: jobId } });
    expect(services.previewTokens.verify(data.token).ownerId, 'whose standing a request with the token is judged by').to.equal(ada.userId);
    await suspend(ada.userId);
    clock.advance(3_001);
    expect(outcome(await backend.current.http('POST', `/preview/jobs/${jobId}/tokens`, { headers: ada.headers }))).to.equal('403 FORBIDDEN');
  });

  it('again changes the reason alone, and leaves both in the audit', async () => {
    const ada = await backend.current.person('free');
    const first = (await suspend(ada.userId, 'First.')).data;
    const second = (await suspend(ada.userId, 'Second.')).data;
    expect([first.suspended_reason, second.suspended_reason, second.suspended_at]).to.deep.equal(['First.', 'Second.', first.suspended_at]);
    const rows = await audits(ada.userId, 'user.suspended');
    expect(rows.map(({ data }) => [data['old'], data['new']])).to.deep.equal([
      [{ suspended_at: null, suspended_reason: null }, { suspended_at: first.suspended_at, suspended_reason: 'First.' }],
      [{ suspended_at: first.suspended_at, suspended_reason: 'First.' }, { suspended_at: first.suspended_at, suspended_reason: 'Second.' }],
    ]);
  });

  it('is not for one\'s own', async () => {
    await backend.current.person('admin');
    expect(await codeOf(suspend(admin.userId))).to.equal('CONFLICT');
    expect((await backend.current.run('getUser', admin, { path: { user_id: admin.userId } })).data.suspended_at).to.equal(null);
  });

  it('takes an administrator\'s rights at once', async () => {
    const other = await backend.current.person('admin');
    const list = (): Promise<Reply> => backend.current.http('GET', '/admin/users?limit=1', { headers: other.headers });
    expect(outcome(await list())).to.equal('200 ok');
    await suspend(other.userId);
    expect(outcome(await list())).to.equal('403 FORBIDDEN');
  });

  it('holds while Redis is away, after it is back, and after it was wiped', async () => {
    const { redis: { redis }, person } = backend.current;
    const [ada, ben] = [await person('free'), await person('free')];
    const keys = [await keyOf(ada), await keyOf(ben)];
    for (const headers of keys) expect(outcome(await me(headers))).to.equal('200 ok');
    redis.disconnect();
    try {
      await suspend(ada.userId);
      expect(await Promise.all(keys.map(async (headers) => outcome(await me(headers))))).to.deep.equal(['403 FORBIDDEN', '200 ok']);
    } finally {
      await redis.connect();
    }
    await until('Redis to know', async () => (await redis.exists(`revoked:${ada.userId}`)) === 1);
    expect(await Promise.all(keys.map(async (headers) => outcome(await me(headers))))).to.deep.equal(['403 FORBIDDEN', '200 ok']);
    await redis.flushdb();
    expect(await Promise.all(keys.map(async (headers) => outcome(await me(headers))))).to.deep.equal(['403 FORBIDDEN', '200 ok']);
    // What the database says of the last minutes comes back by itself.
    await until('the mark', async () => (await redis.exists(`revoked:${ada.userId}`)) === 1);
  });

  it('reaches Redis by the outbox, where the process died before it could say so', async () => {
    const { services, redis: { redis }, person } = backend.current;
    const ada = await person('free');
    await suspend(ada.userId);
    await redis.del(`revoked:${ada.userId}`);
    await services.consumers.get('user.suspended')?.({ type: 'user.suspended', entityId: ada.userId, userId: ada.userId, data: {} });
    expect(await redis.exists(`revoked:${ada.userId}`)).to.equal(1);
  });

  describe('lifting it', () => {
    it('lets the account in again: keys work at once, ended sessions stay ended, a new one is good', async () => {
      const { run, clock } = backend.current;
      const ada = await register(backend.current);
      const own = { kind: 'user', userId: ada.userId, sessionId: ada.sessionId, tier: 'free', isVerified: true, authenticatedAtMs: Date.now() } as const;
      const { data: { key } } = await run('createApiKey', own, { body: { name: 'ci', scopes: ['account:read'] } });
      expect(outcome(await me({ 'x-api-key': key }))).to.equal('200 ok');
      await suspend(ada.userId);
      expect(outcome(await me({ 'x-api-key': key }))).to.equal('403 FORBIDDEN');
      expect((await unsuspend(ada.userId)).data).to.include({ suspended_at: null, suspended_reason: null });
      await until('the change to be heard of', async () => (await me({ 'x-api-key': key })).status === 200, 2_500);
      expect(await backend.current.redis.redis.exists(`revoked:${ada.userId}`)).to.equal(0);
      expect(outcome(await me(ada.headers))).to.equal('401 AUTH_INVALID');
      clock.advance(3_001);
      expect(outcome(await me(ada.headers))).to.equal('401 AUTH_INVALID');
      expect(outcome(await login(backend.current, ada))).to.equal('200 ok');
      const [row] = await audits(ada.userId, 'user.unsuspended');
      expect(row?.data['old']).to.have.property('suspended_reason', 'Reported as stolen.');
      expect(row?.data['new']).to.deep.equal({ suspended_at: null, suspended_reason: null });
    });

    it('where there is none answers the account as it is, and nothing is audited', async () => {
      const ada = await backend.current.person('free');
      expect((await unsuspend(ada.userId)).data).to.include({ id: ada.userId, suspended_at: null });
      expect(await audits(ada.userId, 'user.unsuspended')).to.deep.equal([]);
    });
  });

  it('keeps no reason without a suspension, and none that is too long', async () => {
    const { person, sql } = backend.current;
    const ada = await person('free');
    const set = (more: string): Promise<string> => sql(`update users set ${more} where id = ?`, [ada.userId]).then(() => 'set', (error: unknown) => violatedConstraint(error) ?? '');
    expect(await set("suspended_reason = 'r'")).to.equal('users_suspended_reason_stands');
    expect(await set("suspended_at = now(), suspended_reason = repeat('r', 501)")).to.equal('users_suspended_reason_check');
    expect(await set("suspended_at = now(), suspended_reason = 'r'")).to.equal('set');
    expect(await codeOf(suspend(newId()))).to.equal('NOT_FOUND');
  });

  /** Statements about an account that wait for its row. */
  const waiting = async (userId: string): Promise<number> => (await backend.current.sql(
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid() and ? <> ''", [userId])).length;
});

import { expect } from 'chai';
import type { UserCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Account, lastMail, login, outcome, password, register, tokenIn } from '../../support/accounts.ts';
import { type DataOf, type Person, type Reply, useBackend } from '../../support/backend.ts';
import { claim, make, queuedJob } from '../../support/preview-jobs.ts';
import { refusalOf } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';

describe('deleting an account', () => {
  const backend = useBackend();

  /** A person with a password that fits. */
  const account = async (tier: 'free' | 'premium' | 'admin' = 'premium'): Promise<Account & { caller: UserCaller }> => {
    const made = await register(backend.current);
    await backend.current.sql('update users set tier = ?, email_verified_at = now() where id = ?', [tier, made.userId]);
    const caller = { kind: 'user', userId: made.userId, sessionId: made.sessionId, tier, isVerified: true, authenticatedAtMs: Date.now() } as const;
    return { ...made, caller };
  };
  const erase = (who: Account & { caller: UserCaller }, word = password): Promise<DataOf<'requestAccountDeletion'>> =>
    backend.current.run('requestAccountDeletion', who.caller, { body: { password: word } }).then(({ data }) => data);
  const me = (headers: Readonly<Record<string, string>>): Promise<Reply> => backend.current.http('GET', '/users/me', { headers });
  const team = async (...members: readonly (readonly [{ readonly userId: string }, 'Owner' | 'Admin' | 'Member', ('active' | 'invited')?])[]): Promise<string> => {
    const id = newId();
    const owner = members[0]?.[0].userId ?? '';
    await backend.current.sql('insert into teams (id, owner_id, name) values (?, ?, ?)', [id, owner, 'Bees']);
    for (const [index, [{ userId }, role, status = 'active']] of members.entries()) {
      await backend.current.sql(
        `insert into team_members (id, team_id, user_id, role, status, joined_at) values (?, ?, ?, ?, ?, case when ? = 'active' then now() + ? * interval '1 second' end)`,
        [newId(), id, userId, role, status, status, index]);
    }
    return id;
  };
  const audits = (userId: string, type: string): Promise<{ data: Record<string, unknown>; user_id: string }[]> =>
    backend.current.sql('select data, user_id from audit_logs where entity_id = ? and event_type = ?', [userId, type]);
  const isDeleted = async (userId: string): Promise<boolean> =>
    (await backend.current.sql<{ gone: boolean }>('select deleted_at is not null as gone from users where id = ?', [userId]))[0]?.gone === true;

  describe('asks for the password', () => {
    it('and is refused without it, naming the field; nothing has changed', async () => {
      const ada = await account();
      const { code, details } = await refusalOf(erase(ada, 'not the password of anybody'));
      expect([code, details]).to.deep.equal(['FORBIDDEN', { field: 'password' }]);
      expect(outcome(await me(ada.headers))).to.equal('200 ok');
      expect(await isDeleted(ada.userId)).to.equal(false);
      expect(await audits(ada.userId, 'user.deletion_requested')).to.deep.equal([]);
    });

    it('so many times an hour for one account, from however many sessions', async () => {
      const ada = await account();
      const second = (await login(backend.current, ada)).data;
      const bearers = [ada.headers, { authorization: `Bearer ${String(second['access_token'])}` }];
      const tries = await Promise.all(Array.from({ length: 16 }, (_, index) =>
        backend.current.http('POST', '/users/me/deletion', { headers: bearers[index % 2] ?? {}, json: { password: 'not the password of anybody' } })));
      const counts = Map.groupBy(tries.map(outcome), (one) => one);
      expect(counts.get('403 FORBIDDEN')?.length).to.equal(10);
      expect(counts.get('429 RATE_LIMITED')?.length).to.equal(6);
      expect((await refusalOf(erase(ada))).code, 'the right one, too').to.equal('RATE_LIMITED');
    });

    it('which must still be the account\'s once nobody else changes it', async () => {
      const ada = await account();
      const { database: { db }, sql } = backend.current;
      const changing = await db.knex.transaction();
      await changing.raw('update users set password_hash = ? where id = ?', ['another', ada.userId]);
      const erasing = refusalOf(erase(ada));
      await until('the deletion to wait', async () => Number((await sql<{ waiting: number }>(
        "select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))[0]?.waiting) >= 1);
      await changing.commit();
      const { code, details } = await erasing;
      expect([code, details]).to.deep.equal(['FORBIDDEN', { field: 'password' }]);
      expect(await isDeleted(ada.userId)).to.equal(false);
    });

    it('and takes no API key', async () => {
      const ada = await account();
      const { data } = await backend.current.run('createApiKey', ada.caller, { body: { name: 'ci', scopes: ['account:read'] } });
      expect(outcome(await backend.current.http('POST', '/users/me/deletion', { headers: { 'x-api-key': data.key }, json: { password } }))).to.equal('403 FORBIDDEN');
    });
  });

  describe('ends all access', () => {
    it('before it answers: every session, API key and refresh token; nobody signs in any more', async () => {
      const ada = await account();
      const other = (await login(backend.current, ada)).data;
      const { data: key } = await backend.current.run('createApiKey', ada.caller, { body: { name: 'ci', scopes: ['account:read'] } });
      const credentials = [ada.headers, { authorization: `Bearer ${String(other['access_token'])}` }, { 'x-api-key': key.key }];
      for (const headers of credentials) expect(outcome(await me(headers))).to.equal('200 ok');
      const reply = await backend.current.http('POST', '/users/me/deletion', { headers: ada.headers, json: { password } });
      expect(outcome(reply)).to.equal('200 ok');
      for (const headers of credentials) expect(outcome(await me(headers))).to.equal('401 AUTH_INVALID');
      for (const token of [ada.refreshToken, other['refresh_token']]) {
        expect(outcome(await backend.current.http('POST', '/auth/refresh', { json: { refresh_token: token } }))).to.equal('401 AUTH_INVALID');
      }
      expect(outcome(await login(backend.current, ada))).to.equal('401 AUTH_INVALID');
      expect(outcome(await backend.current.http('POST', '/users/me/deletion', { headers: ada.headers, json: { password } })), 'said again').to.equal('401 AUTH_INVALID');
      const open = await backend.current.sql(
        'select id from sessions where user_id = ? and revoked_at is null union all select id from api_keys where user_id = ? and revoked_at is null', [ada.userId, ada.userId]);
      expect(open).to.deep.equal([]);
    });

    it('also while Redis is away, after it was wiped, and where the process died before it could say so', async () => {
      const { redis: { redis }, services } = backend.current;
      const ada = await account();
      const { data: key } = await backend.current.run('createApiKey', ada.caller, { body: { name: 'ci', scopes: ['account:read'] } });
      const credentials = [ada.headers, { 'x-api-key': key.key }];
      for (const headers of credentials) expect(outcome(await me(headers))).to.equal('200 ok');
      redis.disconnect();
      try {
        await erase(ada);
        for (const headers of credentials) expect(outcome(await me(headers))).to.equal('401 AUTH_INVALID');
      } finally {
        await redis.connect();
      }
      for (const headers of credentials) expect(outcome(await me(headers))).to.equal('401 AUTH_INVALID');
      await redis.flushdb();
      for (const headers of credentials) expect(outcome(await me(headers))).to.equal('401 AUTH_INVALID');
      await until('the marks to be rebuilt', async () => (await redis.exists(`revoked:${ada.userId}`)) === 1);
      await redis.del(`revoked:${ada.userId}`);
      await services.consumers.get('user.deleted')?.({ type: 'user.deleted', entityId: ada.userId, userId: ada.userId, data: {} });
      expect(await redis.exists(`revoked:${ada.userId}`)).to.equal(1);
    });

    it('with its streams, at once', async () => {
      const ada = await account();
      const ben = await backend.current.person('premium');
      // Somebody else's job, which does not end with the account.
      const projectId = await backend.current.project(ben);
      await backend.current.sql("insert into project_members (id, project_id, user_id, role, joined_at) values (?, ?, ?, 'Member', now())", [newId(), projectId, ada.userId]);
      const jobId = await queuedJob(backend.current, ben, projectId);
      const answer = await fetch(`${backend.current.url}/api/v1/preview/jobs/${jobId}/events`, { headers: { ...ada.headers, accept: 'text/event-stream' }, signal: AbortSignal.timeout(12_000) });
      expect(answer.status).to.equal(200);
      const reading = answer.text();
      const began = Date.now();
      await erase(ada);
      await reading;
      // A credential is looked at every 15 seconds; this was heard.
      expect(Date.now() - began).to.be.below(5_000);
    });

    it('with what was mailed or linked and waits to be used', async () => {
      const ada = await account();
      const { http, run } = backend.current;
      await http('POST', '/auth/password/forgot', { json: { email: ada.email } });
      const reset = tokenIn(await lastMail(backend.current, ada.email, /new password/));
      await http('POST', '/auth/email/change', { headers: ada.headers, json: { new_email: `new-${ada.email}`, password } });
      const verification = tokenIn(await lastMail(backend.current, `new-${ada.email}`, /Confirm/));
      const { data: once } = await run('createSessionToken', ada.caller, { body: {} } as never);
      await erase(ada);
      expect(outcome(await http('POST', '/auth/password/reset', { json: { token: reset, new_password: 'another phrase of mine' } }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await http('POST', '/auth/email/verify', { json: { token: verification } }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await http('POST', '/auth/session-tokens/consume', { json: { token: once.token } }))).to.equal('401 AUTH_INVALID');
    });

    it('makes nothing that was asked for before and not made yet', async () => {
      const ada = await account();
      const { database: { db }, sql } = backend.current;
      const held = await db.knex.transaction();
      await held.raw('select 1 from users where id = ? for update', [ada.userId]);
      const waiting = async (): Promise<number> => Number((await sql<{ waiting: number }>(
        "select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))[0]?.waiting);
      const erasing = erase(ada);
      await until('the deletion to wait', async () => (await waiting()) >= 1);
      const making = refusalOf(backend.current.run('createProject', ada.caller, { body: { name: 'Too late' } }));
      await until('both to wait', async () => (await waiting()) >= 2);
      await held.commit();
      await erasing;
      expect((await making).code).to.equal('AUTH_INVALID');
      expect(await sql('select id from projects where owner_id = ?', [ada.userId])).to.deep.equal([]);
    });

    it('lets one of several at once do it, and writes it down once', async () => {
      const ada = await account();
      const replies = await Promise.all(Array.from({ length: 6 }, () => backend.current.http('POST', '/users/me/deletion', { headers: ada.headers, json: { password } })));
      expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
      for (const reply of replies) expect(outcome(reply)).to.be.oneOf(['200 ok', '401 AUTH_INVALID', '403 FORBIDDEN']);
      expect(await audits(ada.userId, 'user.deletion_requested')).to.have.length(1);
      expect(await backend.current.sql("select id from outbox where topic = 'user.deleted' and payload ->> 'entityId' = ?", [ada.userId])).to.have.length(1);
    });
  });

  it('answers when the last data will be gone, leaves an audit row and an event, and asks for one erasure', async () => {
    const ada = await account();
    const deletion = await erase(ada);
    expect(Date.parse(deletion.erased_by) - Date.parse(deletion.requested_at)).to.equal(30 * 86_400_000);
    expect(deletion).to.deep.include({ projects: { erased: 0, handed_over: 0 }, teams: { erased: 0, left: 0 } });
    const [row] = await audits(ada.userId, 'user.deletion_requested');
    expect(row).to.deep.equal({
      user_id: ada.userId,
      data: { projects: { erased: 0, handed_over: 0 }, teams: { erased: 0, left: 0 }, sessions_ended: 1, api_keys_revoked: 0, jobs_cancelled: 0 },
    });
    const jobs = await backend.current.sql("select payload, extract(epoch from run_after - now())::int / 3500 as hours from system_jobs where kind = 'accounts.erase' and payload ->> 'user_id' = ?", [ada.userId]);
    expect(jobs).to.deep.equal([{ payload: { user_id: ada.userId }, hours: 3 }]);
  });

  it('writes to the address a last time, also when the account is erased by then, and keeps it no longer than that', async () => {
    const ada = await account();
    await erase(ada);
    await backend.current.sql("update users set email = 'gone@erased.invalid' where id = ?", [ada.userId]);
    const mail = await lastMail(backend.current, ada.email, /deleted/);
    expect(mail.text).to.contain(ada.username).and.to.contain('erased by');
    expect(await backend.current.sql("select id from system_jobs where payload::text like ?", [`%${ada.email}%`])).to.deep.equal([]);
  });

  describe('and its projects', () => {
    const read = (who: Person, id: string): Promise<string> => backend.current.run('getProject', who, { path: { project_id: id } }).then(({ data }) => data.owner_id, (error: unknown) => (error as { code: string }).code);

    it('hides its own at once, from their members too; every build in them ends, and every build it asked for elsewhere', async () => {
      const ada = await account();
      const { person, project, worker, run, sql } = backend.current;
      const [ben, node] = [await person('premium'), await worker()];
      const [own, theirs] = [await project(ada.caller), await project(ben)];
      for (const [projectId, member] of [[own, ben], [theirs, ada]] as const) {
        await sql("insert into project_members (id, project_id, user_id, role, joined_at) values (?, ?, ?, 'Member', now())", [newId(), projectId, member.userId]);
      }
      const running = await queuedJob(backend.current, ada.caller, own);
      const claimed = await claim(backend.current, node, running);
      const { data: waiting } = await run('requestPreview', ada.caller, { body: { project_id: own, entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'b'.repeat(64), size: 1 }] } });
      const ofBen = await queuedJob(backend.current, ben, own, 'export default 2;');
      const elsewhere = await queuedJob(backend.current, ada.caller, theirs);
      const untouched = await queuedJob(backend.current, ben, theirs, 'export default 3;');
      const deletion = await erase(ada);
      expect(deletion.projects).to.deep.equal({ erased: 1, handed_over: 0 });
      expect(await read(ben, own)).to.equal('NOT_FOUND');
      expect(await read(ben, theirs)).to.equal(ben.userId);
      const ids = [running, waiting.job.id, ofBen, elsewhere, untouched];
      const rows = await sql<{ id: string; status: string }>('select id, status from preview_jobs where id = any(?::uuid[])', [ids]);
      expect(ids.map((id) => rows.find((row) => row.id === id)?.status)).to.deep.equal(['cancelled', 'cancelled', 'cancelled', 'cancelled', 'queued']);
      for (const id of ids.slice(0, 4)) expect(await sql("select id from outbox where topic = 'preview.cancelled' and payload ->> 'entityId' = ?", [id])).to.have.length(1);
      const metrics = { cpu_percent: 10, memory_bytes: 1_000, running: 1, free_slots: 1, uptime_seconds: 60 };
      const { data: beat } = await run('reportHeartbeat', node, { body: { status: 'active', running_job_ids: [claimed.job_id], metrics } });
      expect(beat.stop_job_ids).to.deep.equal([running]);
      expect(await sql("select event_type from audit_logs where project_id = ? and event_type = 'project.deleted'", [own])).to.have.length(1);
      expect(await sql("select event_type from audit_logs where project_id = ? and event_type = 'project.member_removed' and entity_id = ?", [theirs, ada.userId])).to.have.length(1);
      expect((await run('listProjectMembers', ben, { path: { project_id: theirs } })).data.items.map(({ user_id: userId }) => userId)).to.deep.equal([ben.userId]);
    });

    it('shows its previews no more: view tokens it gave out open nothing', async () => {
      const ada = await account();
      const { project, worker, run, services } = backend.current;
      const jobId = await queuedJob(backend.current, ada.caller, await project(ada.caller));
      await make(backend.current, await worker(), jobId);
      const { data } = await run('createPreviewToken', ada.caller, { path: { job_id: jobId } });
      await erase(ada);
      // The pipeline judges a preview token by the standing of this account; test/integration/http shows that.
      expect(services.previewTokens.verify(data.token).ownerId).to.equal(ada.userId);
      expect(await services.credentials.account(ada.userId)).to.include({ isDeleted: true });
    });

    it('hands those of a team with other members to its Owner of longest standing, and leaves the team', async () => {
      const ada = await account();
      const { person, project, sql } = backend.current;
      const [ben, cleo, dan] = [await person('premium'), await person('premium'), await person('premium')];
      const teamId = await team([ada, 'Owner'], [dan, 'Admin'], [ben, 'Owner'], [cleo, 'Owner']);
      const inTeam = await project(ada.caller, { team_id: teamId });
      const ofDan = await project(dan, { team_id: teamId });
      const own = await project(ada.caller);
      const deletion = await erase(ada);
      expect(deletion).to.deep.include({ projects: { erased: 1, handed_over: 1 }, teams: { erased: 0, left: 1 } });
      expect(await read(cleo, inTeam)).to.equal(ben.userId);
      expect(await read(dan, ofDan)).to.equal(dan.userId);
      expect(await read(ben, own)).to.equal('NOT_FOUND');
      expect(await sql('select owner_id from teams where id = ?', [teamId])).to.deep.equal([{ owner_id: ben.userId }]);
      expect(await sql('select id from team_members where user_id = ?', [ada.userId])).to.deep.equal([]);
    });

    it('ends a team that nobody else is in, whoever is only invited, with the projects in it', async () => {
      const ada = await account();
      const { person, project, sql } = backend.current;
      const ben = await person('premium');
      const teamId = await team([ada, 'Owner'], [ben, 'Owner', 'invited']);
      const inTeam = await project(ada.caller, { team_id: teamId });
      const deletion = await erase(ada);
      expect(deletion).to.deep.include({ projects: { erased: 1, handed_over: 0 }, teams: { erased: 1, left: 0 } });
      expect(await read(ben, inTeam)).to.equal('NOT_FOUND');
      expect(await sql('select id from teams where id = ? union all select id from team_members where team_id = ?', [teamId, teamId])).to.deep.equal([]);
      expect(await sql("select entity_id from audit_logs where event_type = 'team.deleted' and entity_id = ?", [teamId])).to.have.length(1);
    });

    it('leaves teams of others, and takes back invitations to it', async () => {
      const ada = await account();
      const ben = await backend.current.person('premium');
      await team([ben, 'Owner'], [ada, 'Member']);
      const invitedTo = await team([ben, 'Owner'], [ada, 'Member', 'invited']);
      const deletion = await erase(ada);
      expect(deletion.teams).to.deep.equal({ erased: 0, left: 1 });
      expect(await backend.current.sql('select id from team_members where user_id = ?', [ada.userId])).to.deep.equal([]);
      expect(await backend.current.sql('select id from teams where id = ?', [invitedTo])).to.have.length(1);
    });
  });

  describe('is refused', () => {
    it('while the account is the only Owner of teams with other members, and names them; nothing has changed', async () => {
      const ada = await account();
      const ben = await backend.current.person('premium');
      const held = [await team([ada, 'Owner'], [ben, 'Admin']), await team([ada, 'Owner'], [ben, 'Member'])].sort();
      await team([ada, 'Owner'], [ben, 'Owner']);
      await team([ada, 'Owner'], [ben, 'Member', 'invited']);
      const own = await backend.current.project(ada.caller);
      const { code, details } = await refusalOf(erase(ada));
      expect([code, details]).to.deep.equal(['CONFLICT', { team_ids: held }]);
      expect(outcome(await me(ada.headers))).to.equal('200 ok');
      expect(outcome(await backend.current.http('GET', `/projects/${own}`, { headers: ada.headers }))).to.equal('200 ok');
      await backend.current.sql("update team_members set role = 'Owner' where user_id = ?", [ben.userId]);
      expect((await erase(ada)).teams).to.deep.equal({ erased: 1, left: 3 });
    });

    it('to one of two Owners who go at the same moment, where others stay', async () => {
      for (let round = 0; round < 4; round += 1) {
        const [ada, ben] = [await account(), await account()];
        const cleo = await backend.current.person('premium');
        const teamId = await team([ada, 'Owner'], [ben, 'Owner'], [cleo, 'Member']);
        for (const one of [ada, ben]) await backend.current.project(one.caller, { team_id: teamId });
        const outcomes = await Promise.all([ada, ben].map((one) => erase(one).then(() => 'gone', (error: unknown) => (error as { code: string }).code)));
        expect(outcomes.sort()).to.deep.equal(['CONFLICT', 'gone']);
        const owners = await backend.current.sql("select user_id from team_members where team_id = ? and role = 'Owner'", [teamId]);
        expect(owners).to.have.length(1);
        expect(await backend.current.sql('select distinct owner_id as user_id from projects where team_id = ? and deleted_at is null', [teamId])).to.deep.equal(owners);
      }
    });

    it('to the last administrator, and to one of the last two at the same moment', async () => {
      const [ada, ben] = [await account('admin'), await account('admin')];
      await backend.current.sql("update users set tier = 'free' where tier = 'admin' and id <> all(?::uuid[])", [[ada.userId, ben.userId]]);
      const results = await Promise.all([ada, ben].map((one) => erase(one).then(() => null, (error: unknown) => error as { code: string; details: unknown })));
      const refused = results.filter((one) => one !== null);
      expect(refused.map(({ code, details }) => [code, details])).to.deep.equal([['CONFLICT', { last_admin: true }]]);
      const left = results[0] === null ? ben : ada;
      expect(await isDeleted(left.userId)).to.equal(false);
      expect((await refusalOf(erase(left))).details).to.deep.equal({ last_admin: true });
      await backend.current.person('admin');
      expect(await erase(left)).to.have.property('erased_by');
    });
  });
});

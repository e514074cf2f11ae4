import { expect } from 'chai';
import { failureOf } from '../support/failures.ts';
import { type Person, until, useSystem } from '../support/system.ts';

describe('the end of an account over the wire', () => {
  const system = useSystem({ apis: 2 });
  const atOther = (accessToken: string): Person['hive'] => system.current.anonymous({ baseUrl: system.current.urlOf(1), accessToken });
  const refused = { code: 'AUTH_INVALID', status: 401 } as const;

  it('shuts every session and key out of every replica before it answers, also right after Redis was wiped', async () => {
    for (const wipe of [false, true]) {
      const { hive, tokens, password } = await system.current.person();
      const { key } = await hive.api.createApiKey({ body: { name: 'ci', scopes: ['account:read'] } });
      const second = await system.current.anonymous().api.loginUser({ body: { email: tokens.user.email, password } });
      if (second.token_type !== 'Bearer') throw new Error('no second factor is set');
      const everywhere = [0, 1].flatMap((api) => [tokens.access_token, second.access_token]
        .map((accessToken) => system.current.anonymous({ baseUrl: system.current.urlOf(api), accessToken }))
        .concat(system.current.anonymous({ baseUrl: system.current.urlOf(api), apiKey: key })));
      for (const one of everywhere) expect((await one.api.getMe({})).id).to.equal(tokens.user.id);
      if (wipe) await system.current.redis.flushdb();
      const deletion = await hive.api.requestAccountDeletion({ body: { password } });
      if (wipe) await system.current.redis.flushdb();
      expect(Date.parse(deletion.erased_by) - Date.parse(deletion.requested_at)).to.equal(30 * 86_400_000);
      for (const one of everywhere) expect(await failureOf(one.api.getMe({}))).to.include(refused);
      expect(await failureOf(system.current.anonymous().api.refreshTokens({ body: { refresh_token: tokens.refresh_token } }))).to.include(refused);
      expect(await failureOf(system.current.anonymous().api.loginUser({ body: { email: tokens.user.email, password } }))).to.include(refused);
      expect(await failureOf(hive.api.requestAccountDeletion({ body: { password } })), 'said again').to.include(refused);
    }
  });

  it('asks for the password, and says which field is wrong', async () => {
    const { hive, tokens } = await system.current.person();
    const failure = await failureOf(hive.api.requestAccountDeletion({ body: { password: 'not the password' } }));
    expect(failure).to.include({ code: 'FORBIDDEN', status: 403 });
    expect(failure.details).to.deep.equal({ field: 'password' });
    expect((await atOther(tokens.access_token).api.getMe({})).id).to.equal(tokens.user.id);
  });

  it('ends an open stream at another replica within the second', async () => {
    const [ada, ben] = [await system.current.person(), await system.current.person()];
    const project = await ben.hive.api.createProject({ body: { name: 'Field Notes' } });
    await system.current.sql("insert into project_members (id, project_id, user_id, role, joined_at) values (gen_random_uuid(), $1, $2, 'Member', now())", [project.id, ada.tokens.user.id]);
    const { job } = await ben.hive.api.requestPreview({ body: { project_id: project.id, target_platform: 'ios', entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'a'.repeat(64), size: 1 }] } });
    const answer = await fetch(`${system.current.urlOf(1)}/api/v1/preview/jobs/${job.id}/events`, {
      headers: { authorization: `Bearer ${ada.tokens.access_token}`, accept: 'text/event-stream' }, signal: AbortSignal.timeout(15_000),
    });
    expect(answer.status).to.equal(200);
    const reading = answer.text();
    await ada.hive.api.requestAccountDeletion({ body: { password: ada.password } });
    const endedAt = Date.now();
    await reading;
    expect(Date.now() - endedAt).to.be.below(5_000);
  });

  it('hides its projects, hands over what a team shares, and says how many', async () => {
    const [ada, ben] = [await system.current.person(), await system.current.person()];
    const own = await ada.hive.api.createProject({ body: { name: 'My own' } });
    const team = await ada.hive.api.createTeam({ body: { name: 'Bees' } });
    await system.current.sql(
      "insert into team_members (id, team_id, user_id, role, status, joined_at) values (gen_random_uuid(), $1, $2, 'Admin', 'active', now())", [team.id, ben.tokens.user.id]);
    const shared = await ada.hive.api.createProject({ body: { name: 'Shared', team_id: team.id } });
    const failure = await failureOf(ada.hive.api.requestAccountDeletion({ body: { password: ada.password } }));
    expect(failure).to.include({ code: 'CONFLICT', status: 409 });
    expect(failure.details).to.deep.equal({ team_ids: [team.id] });
    await ada.hive.api.updateTeamMember({ path: { team_id: team.id, user_id: ben.tokens.user.id }, body: { role: 'owner' } });
    const deletion = await ada.hive.api.requestAccountDeletion({ body: { password: ada.password } });
    expect(deletion).to.deep.include({ projects: { erased: 1, handed_over: 1 }, teams: { erased: 0, left: 1 } });
    expect((await ben.hive.api.getProject({ path: { project_id: shared.id } })).owner_id).to.equal(ben.tokens.user.id);
    expect(await failureOf(ben.hive.api.getProject({ path: { project_id: own.id } }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect((await ben.hive.api.getTeam({ path: { team_id: team.id } })).owner_id).to.equal(ben.tokens.user.id);
  });

  it('says it by a last mail, and is erased by the processes that run, after which its address is free', async () => {
    const { hive, tokens, password } = await system.current.person();
    const { email, username, id } = tokens.user;
    await hive.api.createProject({ body: { name: 'Field Notes' } });
    await hive.api.requestAccountDeletion({ body: { password } });
    expect((await system.current.mail(email, /deleted/)).text).to.contain(username);
    const again = { email, username, password };
    expect(await failureOf(system.current.anonymous().api.registerUser({ body: again }))).to.include({ code: 'CONFLICT' });
    // Three hours later.
    await system.current.sql("update system_jobs set run_after = now() - interval '1 second' where kind = 'accounts.erase' and payload ->> 'user_id' = $1", [id]);
    await system.current.sql("update outbox set run_after = now() - interval '1 second' where sent_at is null", []);
    await until('the erasure', async () => (await system.current.sql('select user_id from account_erasures where user_id = $1 and completed_at is not null', [id])).length === 1);
    const next = await system.current.anonymous().api.registerUser({ body: again });
    expect(next.user.id).not.to.equal(id);
  });
});

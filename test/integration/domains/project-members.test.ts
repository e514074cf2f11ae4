import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { eventsOf, joinProject, joinTeam, peopleOf, teamOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';

const fulfilled = (outcomes: readonly PromiseSettledResult<unknown>[]): number => outcomes.filter(({ status }) => status === 'fulfilled').length;
const cost = async (work: () => Promise<unknown>): Promise<number> => (await statementsOf(work)).length;

describe('members of a project', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);
  const people = (projectId: string, as: Person): Promise<string[]> => peopleOf(backend.current, projectId, as);
  const named = async (username: string, tier: Person['tier'] = 'premium'): Promise<Person> => {
    const who = await person(tier);
    const unique = `${username}${who.username.slice(-8)}`;
    await backend.current.sql('update users set username = ? where id = ?', [unique, who.userId]);
    return { ...who, username: unique };
  };

  it('are invited first, without access, and members once they accepted', async () => {
    const { run, project, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const path = { project_id: await project(ada) };
    const { status, data } = await run('addProjectMember', ada, { path, body: { user_id: ben.userId } });
    expect(status).to.equal(201);
    expect(data).to.include({ ...path, user_id: ben.userId, username: ben.username, role: 'member', source: 'project', status: 'invited', joined_at: null });
    expect(await codeOf(run('getProject', ben, { path }))).to.equal('NOT_FOUND');
    await run('acceptInvitation', ben, { path: { invitation_id: data.invitation_id ?? '' } });
    expect((await run('getProject', ben, { path })).data.role).to.equal('member');
    expect(await people(path.project_id, ben)).to.deep.equal([`${ada.username} owner`, `${ben.username} member`]);
    expect(await sql("select event_type from audit_logs where project_id = ? and event_type <> 'project.created' order by created_at, id", [path.project_id]))
      .to.deep.equal([{ event_type: 'project.member_invited' }, { event_type: 'invitation.accepted' }]);
    expect(await eventsOf(backend.current, ['member.added'], ben.userId)).to.deep.equal([{
      type: 'member.added', projectId: path.project_id,
      data: { user_id: ben.userId, role: 'member', source: 'project', changed_by: ben.userId },
    }]);
  });

  it('are listed owners first, then by name without regard to case; those through the team say so, and nobody stands there twice', async () => {
    const { run, project } = backend.current;
    const [zoe, ben, abe, Cleo, dora] = [await named('zoe'), await named('ben'), await named('abe'), await named('Cleo'), await named('dora')];
    const teamId = await teamOf(backend.current, ben);
    for (const [who, role] of [[zoe, 'member'], [abe, 'admin'], [Cleo, 'member']] as const) await joinTeam(backend.current, teamId, ben, who, role);
    const projectId = await project(zoe, { team_id: teamId });
    await run('addProjectMember', zoe, { path: { project_id: projectId }, body: { user_id: dora.userId } });
    await backend.current.database.db.knex('project_members').insert({ id: newId(), project_id: projectId, user_id: abe.userId, role: 'Member' });
    expect(await people(projectId, abe)).to.deep.equal([
      `${ben.username} owner team`, `${zoe.username} owner`, `${abe.username} admin team`, `${Cleo.username} member team`, `${dora.username} member invited`,
    ]);
    const path = { project_id: projectId };
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const { data }: { data: DataOf<'listProjectMembers'> } = await run('listProjectMembers', zoe, { path, query: { limit: 2, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...data.items.map(({ username }) => username));
      cursor = data.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal([ben, zoe, abe, Cleo, dora].map(({ username }) => username));
    const invited = await run('listProjectMembers', zoe, { path, query: { status: 'invited' } });
    expect([invited.data.items.map(({ username }) => username), invited.data.page.total]).to.deep.equal([[dora.username], 1]);
    for (const made of ['2026-03-02T09:00:00.000Z|01920000-0000-7000-8000-000000000001|x', 'o:ada|nobody|x']) {
      expect(await codeOf(run('listProjectMembers', zoe, { path, query: { cursor: Buffer.from(made).toString('base64url') } }))).to.equal('VALIDATION_ERROR');
    }
  });

  it('are added by the owner and the team\'s Admins with a confirmed address, once each, by whatever way they have the project', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cleo, dora, eve] = [await person(), await person(), await person(), await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, ben, 'admin');
    await joinTeam(backend.current, teamId, ada, cleo);
    const path = { project_id: await project(ada, { team_id: teamId }) };
    const add = (by: Person, who: Person): Promise<unknown> => run('addProjectMember', by, { path, body: { user_id: who.userId } });
    expect(await codeOf(add(cleo, dora))).to.equal('FORBIDDEN');
    expect(await codeOf(add(eve, dora))).to.equal('NOT_FOUND');
    expect((await refusalOf(add({ ...ben, isVerified: false }, dora))).details).to.deep.equal({ reason: 'email_not_verified' });
    await add(ben, dora);
    for (const who of [ada, ben, cleo, dora]) expect(await codeOf(add(ada, who))).to.equal('CONFLICT');
  });

  it('are removed by owner and Admins, or leave; the owner and who comes with the team stay', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cleo, dora, eve] = [await person(), await person(), await person(), await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, ben, 'admin');
    const projectId = await project(ada, { team_id: teamId });
    await joinProject(backend.current, projectId, ada, cleo);
    await joinProject(backend.current, projectId, ada, dora);
    const { data: asked } = await run('addProjectMember', ada, { path: { project_id: projectId }, body: { user_id: eve.userId } });
    const remove = (by: Person, who: Person): Promise<unknown> => run('removeProjectMember', by, { path: { project_id: projectId, user_id: who.userId } });
    expect(await codeOf(remove(cleo, dora))).to.equal('FORBIDDEN');
    for (const [who, reason] of [[ada, 'owner'], [ben, 'team_member']] as const) {
      const refusal = await refusalOf(remove(ada, who));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { reason }]);
    }
    await remove(cleo, cleo);
    await remove(ben, dora);
    await remove(ben, eve);
    expect(await people(projectId, ada)).to.deep.equal([`${ada.username} owner`, `${ben.username} admin team`]);
    for (const who of [cleo, dora]) expect(await codeOf(run('getProject', who, { path: { project_id: projectId } }))).to.equal('NOT_FOUND');
    expect(await codeOf(run('acceptInvitation', eve, { path: { invitation_id: asked.invitation_id ?? '' } }))).to.equal('GONE');
    expect(await codeOf(remove(ada, dora))).to.equal('NOT_FOUND');
    expect((await eventsOf(backend.current, ['member.removed'], projectId)).map(({ data }) => data['user_id'])).to.deep.equal([cleo.userId, dora.userId]);
  });

  it('are told apart by nobody from whom the project is hidden, also by a key for another project', async () => {
    const { http, run, project } = backend.current;
    const [ada, eve] = [await person(), await person()];
    const projectId = await project(ada);
    const asked = (id: string): Promise<(readonly [number, string])[]> => Promise.all([
      http('GET', `/projects/${id}/members`, { headers: eve.headers }),
      http('POST', `/projects/${id}/members`, { headers: eve.headers, json: { user_id: ada.userId } }),
      http('DELETE', `/projects/${id}/members/${ada.userId}`, { headers: eve.headers }),
      http('GET', `/projects/${id}/invitations`, { headers: eve.headers }),
      http('POST', `/projects/${id}/transfer`, { headers: eve.headers, json: { user_id: ada.userId } }),
      http('POST', '/invitations', { headers: eve.headers, json: { target_type: 'project', target_id: id, role: 'member', username: 'nobody-here' } }),
    ].map(async (reply) => { const { status, text } = await reply; return [status, text] as const; }));
    const hidden = await asked(projectId);
    expect(hidden).to.deep.equal(await asked(newId()));
    expect(new Set(hidden.map(([status]) => status))).to.deep.equal(new Set([404]));
    const key = { kind: 'api_key', userId: ada.userId, keyId: newId(), tier: 'premium', isVerified: true, scopes: ['projects:read'], projectIds: [await project(ada)] } as const;
    expect(await codeOf(run('listProjectMembers', key, { path: { project_id: projectId } }))).to.equal('NOT_FOUND');
  });

  it('fit the tier of the owner, in a team\'s project that of the team\'s owner, everybody counted once', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person('free'), await person('free')];
    const own = { project_id: await project(ada) };
    const others = await Promise.all(Array.from({ length: 24 }, () => person()));
    for (const who of others.slice(0, 3)) await run('addProjectMember', ada, { path: own, body: { user_id: who.userId } });
    const race = await Promise.allSettled(others.slice(4).map((who) => run('addProjectMember', ada, { path: own, body: { user_id: who.userId } })));
    expect(fulfilled(race)).to.equal(1);
    const refusal = await refusalOf(run('createInvitation', ada, { body: { target_type: 'project', target_id: own.project_id, role: 'member', email: `x${newId()}@example.com` } }));
    expect([refusal.code, refusal.details]).to.deep.equal(['QUOTA_EXCEEDED', { limit: 'team_members', allowed: 5, used: 5, tier: 'free', upgrade_to: 'pro' }]);
    const teamId = await teamOf(backend.current, ben);
    for (const who of others.slice(0, 3)) await joinTeam(backend.current, teamId, ben, who);
    const pro = others[0] ?? ada;
    const ours = { project_id: await project(pro, { team_id: teamId }) };
    await run('addProjectMember', pro, { path: ours, body: { user_id: ada.userId } });
    expect((await refusalOf(run('addProjectMember', pro, { path: ours, body: { user_id: (others[9] ?? ada).userId } }))).details)
      .to.include({ limit: 'team_members', allowed: 5, used: 5, tier: 'free' });
  });

  it('answer a repeated addition byte for byte, with one invitation', async () => {
    const { http, project, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    const send = (): ReturnType<typeof http> => http('POST', `/projects/${projectId}/members`, { headers: { ...ada.headers, 'idempotency-key': 'one-ben-only' }, json: { user_id: ben.userId } });
    const [first, again] = [await send(), await send()];
    expect([first.status, again.status, again.text]).to.deep.equal([201, 201, first.text]);
    expect([first, again].map(({ headers }) => headers.get('location'))).to.deep.equal(Array(2).fill(`/api/v1/projects/${projectId}/members/${ben.userId}`));
    expect(await sql('select 1 as one from invitations where project_id = ?', [projectId])).to.have.length(1);
    expect(backend.current.logLines.filter((line) => line.includes('idempotency.sealed_otherwise'))).to.deep.equal([]);
  });

  it('cost a fixed number of statements, however many there are', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const path = { project_id: await project(ada) };
    for (let count = 0; count < 3; count += 1) await joinProject(backend.current, path.project_id, ada, await person());
    expect(await cost(() => run('listProjectMembers', ada, { path }))).to.equal(3);
    expect(await cost(() => run('addProjectMember', ada, { path, body: { user_id: ben.userId } }))).to.equal(13);
    expect(await cost(() => run('removeProjectMember', ada, { path: { ...path, user_id: ben.userId } }))).to.equal(7);
  });
});

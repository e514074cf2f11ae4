import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { eventsOf, joinProject, joinTeam, peopleOf, teamOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

const fulfilled = (outcomes: readonly PromiseSettledResult<unknown>[]): number => outcomes.filter(({ status }) => status === 'fulfilled').length;

describe('a transfer of a project', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);
  const team = (owner: Person): Promise<string> => teamOf(backend.current, owner);
  const transfer = async (by: Person, projectId: string, to: { user_id: string } | { team_id: string }): Promise<DataOf<'transferProject'>> =>
    (await backend.current.run('transferProject', by, { path: { project_id: projectId }, body: to })).data;
  const accept = (who: Person, id: string | null): Promise<unknown> => backend.current.run('acceptInvitation', who, { path: { invitation_id: id ?? '' } });
  const read = async (who: Person, projectId: string): Promise<DataOf<'getProject'>> => (await backend.current.run('getProject', who, { path: { project_id: projectId } })).data;
  const people = (projectId: string, as: Person): Promise<string[]> => peopleOf(backend.current, projectId, as);

  describe('to a person', () => {
    it('asks first: nothing changes before the person accepts, and then the former owner stays as a member', async () => {
      const { run, project } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const projectId = await project(ada);
      const asked = await transfer(ada, projectId, { user_id: ben.userId });
      expect(asked).to.include({ status: 'pending', project_id: projectId, user_id: ben.userId, team_id: null });
      expect(asked.expires_at).to.be.a('string');
      expect(await codeOf(read(ben, projectId))).to.equal('NOT_FOUND');
      expect(await people(projectId, ada)).to.deep.equal([`${ada.username} owner`]);
      const { data: mine } = await run('listMyInvitations', ben);
      expect(mine.items.map(({ id, role, target_name: name }) => [id, role, name])).to.deep.equal([[asked.invitation_id, 'owner', 'Field Notes']]);
      await accept(ben, asked.invitation_id);
      expect(await read(ben, projectId)).to.include({ owner_id: ben.userId, team_id: null, role: 'owner' });
      expect(await read(ada, projectId)).to.include({ role: 'member' });
      expect(await people(projectId, ada)).to.deep.equal([`${ben.username} owner`, `${ada.username} member`]);
      expect(await codeOf(transfer(ada, projectId, { user_id: ada.userId }))).to.equal('FORBIDDEN');
      expect((await run('removeProjectMember', ben, { path: { project_id: projectId, user_id: ada.userId } })).status).to.equal(204);
    });

    it('leaves its audits, and tells of the change and of who came by it', async () => {
      const { project, sql } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const projectId = await project(ada);
      await accept(ben, (await transfer(ada, projectId, { user_id: ben.userId })).invitation_id);
      expect(await sql("select event_type, user_id, data from audit_logs where project_id = ? and event_type <> 'project.created' order by created_at, id", [projectId])).to.deep.equal([
        { event_type: 'project.transferred', user_id: ada.userId, data: { from_user_id: ada.userId, from_team_id: null, to_user_id: ben.userId, to_team_id: null, status: 'pending' } },
        { event_type: 'invitation.accepted', user_id: ben.userId, data: { type: 'project', id: projectId, role: 'owner' } },
      ]);
      const told = await eventsOf(backend.current, ['member.added', 'member.removed', 'project.updated', 'project.transferred'], projectId);
      const { transfer_id: _id, ...transferred } = told.at(-1)?.data ?? {};
      expect([...told.slice(0, -1), { ...told.at(-1), data: transferred }]).to.deep.equal([
        { type: 'member.added', projectId, data: { user_id: ben.userId, role: 'owner', source: 'project', changed_by: ben.userId } },
        { type: 'project.updated', projectId, data: { fields: ['owner_id'] } },
        { type: 'project.transferred', projectId, data: { asked_by: ada.userId, project_id: projectId, name: 'Field Notes', from_user_id: ada.userId, to_user_id: ben.userId, to_team_id: null } },
      ]);
    });

    it('replaces one that waits, ends with a decline, and is the owner\'s alone to ask for', async () => {
      const { run, project } = backend.current;
      const [ada, ben, cleo, dora] = [await person(), await person(), await person(), await person()];
      const projectId = await project(ada);
      await joinProject(backend.current, projectId, ada, dora);
      const [first, second] = [await transfer(ada, projectId, { user_id: ben.userId }), await transfer(ada, projectId, { user_id: cleo.userId })];
      expect(await codeOf(accept(ben, first.invitation_id))).to.equal('GONE');
      await run('declineInvitation', cleo, { path: { invitation_id: second.invitation_id ?? '' } });
      expect((await read(ada, projectId)).owner_id).to.equal(ada.userId);
      expect(await codeOf(transfer(dora, projectId, { user_id: dora.userId }))).to.equal('FORBIDDEN');
      expect(await codeOf(transfer(ben, projectId, { user_id: ben.userId }))).to.equal('NOT_FOUND');
      expect(await codeOf(transfer(ada, projectId, { user_id: newId() }))).to.equal('NOT_FOUND');
      expect(await codeOf(transfer(ada, projectId, { user_id: ada.userId }))).to.equal('CONFLICT');
      expect((await refusalOf(transfer({ ...ada, isVerified: false }, projectId, { user_id: ben.userId }))).details).to.deep.equal({ reason: 'email_not_verified' });
    });

    it('waits beside an invitation of the same person as a member', async () => {
      const { run, project } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const projectId = await project(ada);
      const { data: member } = await run('addProjectMember', ada, { path: { project_id: projectId }, body: { user_id: ben.userId } });
      const asked = await transfer(ada, projectId, { user_id: ben.userId });
      await accept(ben, member.invitation_id);
      expect(await people(projectId, ben)).to.deep.equal([`${ada.username} owner`, `${ben.username} member`]);
      await accept(ben, asked.invitation_id);
      expect(await people(projectId, ben)).to.deep.equal([`${ben.username} owner`, `${ada.username} member`]);
      const [added] = await eventsOf(backend.current, ['member.removed'], projectId);
      expect(added).to.equal(undefined);
    });

    it('runs out without the membership that the same person is still invited to, swept or replaced', async () => {
      const { run, project, runSystemJobs, sql } = backend.current;
      for (const isSwept of [true, false]) {
        const [ada, ben] = [await person(), await person()];
        const projectId = await project(ada);
        const asked = await transfer(ada, projectId, { user_id: ben.userId });
        const { data: member } = await run('addProjectMember', ada, { path: { project_id: projectId }, body: { user_id: ben.userId } });
        await sql("update invitations set created_at = now() - interval '8 days', expires_at = now() - interval '1 day' where id = ?", [asked.invitation_id]);
        if (isSwept) {
          await sql("insert into system_jobs (id, kind) values (?, 'sweep.invitations')", [newId()]);
          await runSystemJobs();
        } else {
          await run('addProjectMember', ada, { path: { project_id: projectId }, body: { user_id: (await person()).userId } });
        }
        expect(await sql('select status from invitations where id = ?', [asked.invitation_id])).to.deep.equal([{ status: 'expired' }]);
        expect(await sql('select status from project_members where project_id = ? and user_id = ?', [projectId, ben.userId])).to.deep.equal([{ status: 'invited' }]);
        await accept(ben, member.invitation_id);
      }
    });

    it('leaves the project with its owner where the new one is deleted while it accepts', async () => {
      const { project, database: { db }, sql } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const projectId = await project(ada);
      const asked = await transfer(ada, projectId, { user_id: ben.userId });
      const deleting = await db.knex.transaction();
      await deleting.raw('update users set deleted_at = now() where id = ?', [ben.userId]);
      const accepting = codeOf(accept(ben, asked.invitation_id));
      await until('the acceptance to wait', async () => Number((await sql<{ waiting: number }>(
        "select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))[0]?.waiting) >= 1);
      await deleting.commit();
      expect(await accepting).to.equal('NOT_FOUND');
      expect(await sql('select owner_id from projects where id = ?', [projectId])).to.deep.equal([{ owner_id: ada.userId }]);
    });

    it('stops at what the new owner\'s tier allows, also when two are accepted for the last place at once', async () => {
      const { run, project } = backend.current;
      const [ada, ben] = [await person(), await person('free')];
      for (let count = 0; count < 4; count += 1) await project(ben);
      const asked = await Promise.all([1, 2, 3].map(async () => transfer(ada, await project(ada), { user_id: ben.userId })));
      const outcomes = await Promise.allSettled(asked.map((one) => accept(ben, one.invitation_id)));
      expect(fulfilled(outcomes)).to.equal(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect((await refusalOf(Promise.reject(outcome.reason as Error))).details).to.deep.equal({ limit: 'projects', allowed: 5, used: 5, tier: 'free', upgrade_to: 'pro' });
      }
      const { data } = await run('listMyInvitations', ben, { query: { status: 'pending' } });
      expect(data.items, 'what did not fit can be accepted later').to.have.length(2);
      await run('deleteProject', ben, { path: { project_id: (await run('listProjects', ben)).data.items.find(({ role }) => role === 'owner')?.id ?? '' } });
      await accept(ben, data.items[0]?.id ?? '');
    });

    it('takes a team\'s project out of the team: its owner and the Owner who asked stay as members, the others lose it', async () => {
      const { project } = backend.current;
      const [ada, ben, cleo, dora] = [await person(), await person(), await person(), await person()];
      const teamId = await team(ada);
      await joinTeam(backend.current, teamId, ada, ben);
      await joinTeam(backend.current, teamId, ada, cleo, 'admin');
      const projectId = await project(ben, { team_id: teamId });
      expect(await codeOf(transfer(cleo, projectId, { user_id: dora.userId })), 'an Admin').to.equal('FORBIDDEN');
      await accept(dora, (await transfer(ada, projectId, { user_id: dora.userId })).invitation_id);
      expect(await read(dora, projectId)).to.include({ owner_id: dora.userId, team_id: null });
      expect((await people(projectId, dora)).sort()).to.deep.equal([`${dora.username} owner`, `${ada.username} member`, `${ben.username} member`].sort());
      expect(await codeOf(read(cleo, projectId))).to.equal('NOT_FOUND');
      expect((await eventsOf(backend.current, ['member.removed'], projectId)).map(({ data }) => [data['user_id'], data['source']])).to.deep.equal([[cleo.userId, 'team']]);
    });
  });

  describe('to a team', () => {
    it('is done at once by who is Owner or Admin there, and its members have it with their role', async () => {
      const { project, sql } = backend.current;
      const [ada, ben, cleo, dora] = [await person(), await person(), await person(), await person()];
      const teamId = await team(ben);
      await joinTeam(backend.current, teamId, ben, ada, 'admin');
      await joinTeam(backend.current, teamId, ben, cleo);
      const projectId = await project(ada);
      await joinProject(backend.current, projectId, ada, dora);
      const before = await backend.current.run('getProject', ada, { path: { project_id: projectId } });
      expect(await transfer(ada, projectId, { team_id: teamId })).to.deep.equal({ status: 'completed', project_id: projectId, user_id: null, team_id: teamId, invitation_id: null, expires_at: null });
      expect(await read(ben, projectId)).to.include({ owner_id: ben.userId, team_id: teamId, role: 'owner' });
      expect(await people(projectId, cleo)).to.deep.equal([`${ben.username} owner`, ...[`${ada.username} admin team`, `${cleo.username} member team`, `${dora.username} member`].sort()]);
      expect((await backend.current.run('getProject', ada, { path: { project_id: projectId } })).etag).not.to.equal(before.etag);
      expect(await sql("select data from audit_logs where project_id = ? and event_type = 'project.transferred'", [projectId])).to.deep.equal([
        { data: { from_user_id: ada.userId, from_team_id: null, to_user_id: ben.userId, to_team_id: teamId, status: 'completed' } },
      ]);
      const told = await eventsOf(backend.current, ['member.added', 'member.removed'], projectId);
      expect(told.map(({ type, data }) => [type, data['user_id'], data['role'], data['source']]).slice(1).sort()).to.deep.equal([
        ['member.added', ben.userId, 'owner', 'project'], ['member.added', cleo.userId, 'member', 'team'],
      ].sort());
    });

    it('takes a role in the team that the caller sees, and conflicts where the team has it', async () => {
      const { project } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const [theirs, hidden, own] = [await team(ben), await team(ben), await team(ada)];
      await joinTeam(backend.current, theirs, ben, ada);
      const projectId = await project(ada);
      expect(await codeOf(transfer(ada, projectId, { team_id: theirs })), 'a Member').to.equal('FORBIDDEN');
      expect(await codeOf(transfer(ada, projectId, { team_id: hidden }))).to.equal('NOT_FOUND');
      expect(await codeOf(transfer(ada, projectId, { team_id: newId() }))).to.equal('NOT_FOUND');
      await transfer(ada, projectId, { team_id: own });
      const refusal = await refusalOf(transfer(ada, projectId, { team_id: own }));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { reason: 'owner' }]);
    });

    it('keeps the former owner as a member where the team does not bring it in, and ends a transfer that waits', async () => {
      const { project } = backend.current;
      const [ada, ben, cleo] = [await person(), await person(), await person()];
      const [from, to] = [await team(ada), await team(ada)];
      await joinTeam(backend.current, from, ada, ben);
      const projectId = await project(ben, { team_id: from });
      const asked = await transfer(ben, projectId, { user_id: cleo.userId });
      await transfer(ada, projectId, { team_id: to });
      expect(await read(ada, projectId)).to.include({ owner_id: ada.userId, team_id: to, role: 'owner' });
      expect(await people(projectId, ben)).to.deep.equal([`${ada.username} owner`, `${ben.username} member`]);
      expect(await codeOf(accept(cleo, asked.invitation_id))).to.equal('GONE');
    });

    it('stops at what the tier of the team\'s owner allows, its own projects apart', async () => {
      const { project } = backend.current;
      const [ada, ben] = [await person(), await person('free')];
      const teamId = await team(ben);
      await joinTeam(backend.current, teamId, ben, ada, 'admin');
      const own: string[] = [];
      for (let count = 0; count < 4; count += 1) own.push(await project(ben));
      const others = await Promise.all(Array.from({ length: 6 }, () => project(ada)));
      const outcomes = await Promise.allSettled(others.map((id) => transfer(ada, id, { team_id: teamId })));
      expect(fulfilled(outcomes)).to.equal(1);
      const refused = outcomes.find((one) => one.status === 'rejected');
      const refusal = await refusalOf(Promise.reject(refused?.reason as Error));
      expect([refusal.code, refusal.details]).to.deep.equal(['QUOTA_EXCEEDED', { limit: 'projects', allowed: 5, used: 5, tier: 'free', upgrade_to: 'pro' }]);
      expect(refusal.message).to.contain('team\'s owner');
      await transfer(ben, own[0] ?? '', { team_id: teamId });
    });

    it('is done once when the owner sends it to two teams at once: the second finds it another\'s', async () => {
      const { project, sql } = backend.current;
      const [ada, ben, cleo] = [await person(), await person(), await person()];
      const teams = [await team(ben), await team(cleo)];
      await joinTeam(backend.current, teams[0] ?? '', ben, ada, 'admin');
      await joinTeam(backend.current, teams[1] ?? '', cleo, ada, 'admin');
      for (let round = 0; round < 10; round += 1) {
        const projectId = await project(ada);
        const outcomes = await Promise.allSettled(teams.map((id) => transfer(ada, projectId, { team_id: id })));
        expect(fulfilled(outcomes)).to.equal(1);
        const refused = outcomes.find((one) => one.status === 'rejected');
        expect(await codeOf(Promise.reject(refused?.reason as Error))).to.equal('FORBIDDEN');
        const [row] = await sql<{ owner_id: string; team_id: string }>('select owner_id, team_id from projects where id = ?', [projectId]);
        expect(row).to.deep.equal(outcomes[0]?.status === 'fulfilled' ? { owner_id: ben.userId, team_id: teams[0] } : { owner_id: cleo.userId, team_id: teams[1] });
      }
    });
  });

  it('is answered byte for byte when repeated under its key, and asks once', async () => {
    const { http, project, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    const send = (): ReturnType<typeof http> => http('POST', `/projects/${projectId}/transfer`, { headers: { ...ada.headers, 'idempotency-key': 'one-question' }, json: { user_id: ben.userId } });
    const [first, again] = [await send(), await send()];
    expect([first.status, again.status, again.text]).to.deep.equal([200, 200, first.text]);
    expect(await sql('select 1 as one from invitations where project_id = ?', [projectId])).to.have.length(1);
    const neither = await http('POST', `/projects/${projectId}/transfer`, { headers: ada.headers, json: {} });
    const both = await http('POST', `/projects/${projectId}/transfer`, { headers: ada.headers, json: { user_id: ben.userId, team_id: newId() } });
    expect([neither.error?.code, both.error?.code]).to.deep.equal(['VALIDATION_ERROR', 'VALIDATION_ERROR']);
    expect(backend.current.logLines.filter((line) => line.includes('idempotency.sealed_otherwise'))).to.deep.equal([]);
  });

  it('costs a fixed number of statements, however many people there are', async () => {
    const { project } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const [teamId, projectId] = [await team(ada), await project(ada)];
    for (let count = 0; count < 3; count += 1) await joinProject(backend.current, projectId, ada, await person());
    await joinTeam(backend.current, teamId, ada, cleo);
    const cost = async (work: () => Promise<unknown>): Promise<number> => (await statementsOf(work)).length;
    expect(await cost(() => transfer(ada, projectId, { team_id: teamId }))).to.equal(13);
    let asked: string | null = null;
    expect(await cost(async () => { asked = (await transfer(ada, projectId, { user_id: ben.userId })).invitation_id; })).to.equal(10);
    expect(await cost(() => accept(ben, asked))).to.equal(20);
  });
});

import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { eventsOf, joinTeam, membersOf, teamOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';

const fulfilled = (outcomes: readonly PromiseSettledResult<unknown>[]): number => outcomes.filter(({ status }) => status === 'fulfilled').length;
const cost = async (work: () => Promise<unknown>): Promise<number> => (await statementsOf(work)).length;

describe('members of a team', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);
  const team = (owner: Person): Promise<string> => teamOf(backend.current, owner);
  const join = (teamId: string, by: Person, who: Person, role: 'owner' | 'admin' | 'member' = 'member'): Promise<void> => joinTeam(backend.current, teamId, by, who, role);
  const roleOf = async (teamId: string, as: Person): Promise<string> => (await backend.current.run('getTeam', as, { path: { team_id: teamId } })).data.role;

  it('are invited first, without access, and members once they accepted', async () => {
    const { run, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const path = { team_id: await team(ada) };
    const { status, data, etag } = await run('addTeamMember', ada, { path, body: { user_id: ben.userId, role: 'admin' } });
    expect([status, etag]).to.deep.equal([201, '1']);
    expect(data).to.include({ ...path, user_id: ben.userId, username: ben.username, role: 'admin', status: 'invited', joined_at: null });
    expect(await codeOf(run('getTeam', ben, { path }))).to.equal('NOT_FOUND');
    const { data: mine } = await run('listMyInvitations', ben);
    expect(mine.items.map(({ id, target_id: target, role, status: now }) => [id, target, role, now])).to.deep.equal([[data.invitation_id, path.team_id, 'admin', 'pending']]);
    await run('acceptInvitation', ben, { path: { invitation_id: data.invitation_id ?? '' } });
    expect((await run('getTeam', ben, { path })).data).to.include({ role: 'admin', member_count: 2 });
    const { data: members } = await run('listTeamMembers', ben, { path });
    expect(members.items[1]).to.include({ user_id: ben.userId, status: 'active', invitation_id: null });
    expect(members.items[1]?.joined_at).to.be.a('string');
    expect(await sql("select event_type, data ->> 'user_id' as who from audit_logs where entity_id = ? and event_type like 'team.member%'", [path.team_id]))
      .to.deep.equal([{ event_type: 'team.member_invited', who: ben.userId }]);
    expect(await eventsOf(backend.current, ['member.added'], ben.userId)).to.deep.equal([{
      type: 'member.added', projectId: null,
      data: { ...path, user_id: ben.userId, role: 'admin', source: 'team', changed_by: ben.userId },
    }]);
  });

  it('are added by Admins and Owners with a confirmed address, once each, and only where there is such a person', async () => {
    const { run, sql } = backend.current;
    const [ada, ben, cleo, eve] = [await person(), await person(), await person(), await person()];
    const path = { team_id: await team(ada) };
    await join(path.team_id, ada, ben);
    const add = (by: Person, userId: string): Promise<unknown> => run('addTeamMember', by, { path, body: { user_id: userId, role: 'member' } });
    expect(await codeOf(add(ben, cleo.userId)), 'a Member').to.equal('FORBIDDEN');
    const unconfirmed = await refusalOf(add({ ...ada, isVerified: false }, cleo.userId));
    expect([unconfirmed.code, unconfirmed.details]).to.deep.equal(['FORBIDDEN', { reason: 'email_not_verified' }]);
    expect(await codeOf(add(ada, newId())), 'nobody').to.equal('NOT_FOUND');
    await sql('update users set deleted_at = now() where id = ?', [eve.userId]);
    expect(await codeOf(add(ada, eve.userId)), 'a deleted account').to.equal('NOT_FOUND');
    await add(ada, cleo.userId);
    for (const userId of [ada.userId, ben.userId, cleo.userId]) {
      const refusal = await refusalOf(add(ada, userId));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { field: 'user_id' }]);
    }
  });

  it('are listed in the order they were added, by status and role where asked, without their addresses', async () => {
    const { run } = backend.current;
    const [ada, ben, cleo, dora] = [await person(), await person(), await person(), await person()];
    const path = { team_id: await team(ada) };
    await join(path.team_id, ada, ben, 'admin');
    await join(path.team_id, ada, cleo);
    await run('addTeamMember', ada, { path, body: { user_id: dora.userId, role: 'member' } });
    const names = async (query: Record<string, unknown>): Promise<string[]> => (await run('listTeamMembers', cleo, { path, query })).data.items.map(({ username }) => username);
    expect(await names({})).to.deep.equal([ada, ben, cleo, dora].map(({ username }) => username));
    expect(await names({ status: 'invited' })).to.deep.equal([dora.username]);
    expect(await names({ role: 'member' })).to.deep.equal([cleo.username, dora.username]);
    expect(await names({ role: 'member', status: 'active' })).to.deep.equal([cleo.username]);
    const { data } = await run('listTeamMembers', cleo, { path });
    expect(JSON.stringify(data)).not.to.contain('@');
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { data: DataOf<'listTeamMembers'> } = await run('listTeamMembers', ada, { path, query: { limit: 1, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...page.data.items.map(({ username }) => username));
      cursor = page.data.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal([ada, ben, cleo, dora].map(({ username }) => username));
    const { data: first } = await run('listTeamMembers', ada, { path, query: { limit: 1 } });
    expect(await codeOf(run('listTeamMembers', ada, { path, query: { cursor: first.page.next_cursor ?? '', status: 'active' } }))).to.equal('VALIDATION_ERROR');
  });

  it('are moved between member and admin by Admins; Owners alone make an Owner, or take that from one', async () => {
    const { run } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const teamId = await team(ada);
    await join(teamId, ada, ben, 'admin');
    await join(teamId, ada, cleo);
    const set = (by: Person, who: Person, role: 'owner' | 'admin' | 'member'): Promise<unknown> => run('updateTeamMember', by, { path: { team_id: teamId, user_id: who.userId }, body: { role } });
    expect(await codeOf(set(cleo, cleo, 'admin'))).to.equal('FORBIDDEN');
    await set(ben, cleo, 'admin');
    expect(await roleOf(teamId, cleo)).to.equal('admin');
    expect(await codeOf(set(ben, ben, 'owner'))).to.equal('FORBIDDEN');
    expect(await codeOf(set(ben, ada, 'member'))).to.equal('FORBIDDEN');
    await set(ada, ben, 'owner');
    await set(ben, ada, 'member');
    expect(await membersOf(backend.current, teamId, ben)).to.deep.equal([`${ada.username} member`, `${ben.username} owner`, `${cleo.username} admin`]);
    expect(await codeOf(set(ada, cleo, 'member')), 'from the next request on').to.equal('FORBIDDEN');
    expect(await codeOf(run('updateTeamMember', ben, { path: { team_id: teamId, user_id: newId() }, body: { role: 'admin' } }))).to.equal('NOT_FOUND');
    const [audited] = await backend.current.sql("select data from audit_logs where event_type = 'team.member_updated' and entity_id = ? order by created_at desc, id desc limit 1", [teamId]);
    expect(audited).to.deep.equal({ data: { user_id: ada.userId, from: 'owner', to: 'member' } });
  });

  it('have a version: a change of one that is no more is refused, and the promise of an invitation follows the role', async () => {
    const { run } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    const path = { team_id: teamId, user_id: ben.userId };
    const { data, etag } = await run('addTeamMember', ada, { path: { team_id: teamId }, body: { user_id: ben.userId, role: 'member' } });
    const changed = await run('updateTeamMember', ada, { path, body: { role: 'admin' } }, { ifMatch: etag ?? '' });
    expect([changed.data.role, changed.data.status, changed.etag]).to.deep.equal(['admin', 'invited', '2']);
    for (const ifMatch of [etag ?? '', 'nonsense']) {
      expect(await codeOf(run('updateTeamMember', ada, { path, body: { role: 'member' } }, { ifMatch }))).to.equal('PRECONDITION_FAILED');
    }
    expect(await codeOf(run('updateTeamMember', ada, { path, body: { role: 'owner' } })), 'only invited').to.equal('CONFLICT');
    const { data: accepted } = await run('acceptInvitation', ben, { path: { invitation_id: data.invitation_id ?? '' } });
    expect([accepted.role, await roleOf(teamId, ben)]).to.deep.equal(['admin', 'admin']);
  });

  it('leave by themselves; Admins remove Admins and Members, Owners anybody', async () => {
    const { run } = backend.current;
    const [ada, ben, cleo, dora, eve] = [await person(), await person(), await person(), await person(), await person()];
    const teamId = await team(ada);
    for (const [who, role] of [[ben, 'admin'], [cleo, 'admin'], [dora, 'member'], [eve, 'member']] as const) await join(teamId, ada, who, role);
    const remove = (by: Person, who: Person): Promise<unknown> => run('removeTeamMember', by, { path: { team_id: teamId, user_id: who.userId } });
    expect(await codeOf(remove(dora, eve))).to.equal('FORBIDDEN');
    expect(await codeOf(remove(dora, await person())), 'a Member learns nothing of who is in it').to.equal('FORBIDDEN');
    expect(await codeOf(remove(ben, ada))).to.equal('FORBIDDEN');
    await remove(dora, dora);
    await remove(ben, cleo);
    await remove(ada, ben);
    expect(await membersOf(backend.current, teamId, ada)).to.deep.equal([`${ada.username} owner`, `${eve.username} member`]);
    expect(await codeOf(remove(ada, ben))).to.equal('NOT_FOUND');
    expect(await codeOf(remove(ben, ben))).to.equal('NOT_FOUND');
    expect((await eventsOf(backend.current, ['member.removed'], ben.userId)).map(({ data }) => data).filter((data) => data['user_id'] === ben.userId)).to.deep.equal([
      { team_id: teamId, user_id: ben.userId, role: 'admin', source: 'team', changed_by: ada.userId },
    ]);
  });

  it('who are only invited are removed with their invitation', async () => {
    const { run } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    const { data } = await run('addTeamMember', ada, { path: { team_id: teamId }, body: { user_id: ben.userId, role: 'member' } });
    await run('removeTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId } });
    expect(await codeOf(run('acceptInvitation', ben, { path: { invitation_id: data.invitation_id ?? '' } }))).to.equal('GONE');
    expect(await eventsOf(backend.current, ['member.removed'], ben.userId)).to.deep.equal([]);
    await join(teamId, ada, ben);
  });

  it('lose the team\'s projects at once: what they owned there is the owner\'s, what they were invited to is void', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const teamId = await team(ada);
    await join(teamId, ada, ben);
    await join(teamId, ada, cleo);
    const [theirs, other] = [await project(ben, { team_id: teamId }), await project(ada, { team_id: teamId })];
    const outside = await project(ben);
    // Ben was a member of the other one before it was the team's, and cleo is asked to take his over.
    await backend.current.database.db.knex('project_members').insert({ id: newId(), project_id: other, user_id: ben.userId, role: 'Member' });
    const { data: asked } = await run('transferProject', ben, { path: { project_id: theirs }, body: { user_id: cleo.userId } });
    await run('removeTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId } });
    for (const id of [theirs, other]) expect(await codeOf(run('getProject', ben, { path: { project_id: id } }))).to.equal('NOT_FOUND');
    expect((await run('getProject', ada, { path: { project_id: theirs } })).data).to.include({ owner_id: ada.userId, team_id: teamId, role: 'owner' });
    expect((await run('getProject', ben, { path: { project_id: outside } })).data.owner_id).to.equal(ben.userId);
    expect(await codeOf(run('acceptInvitation', cleo, { path: { invitation_id: asked.invitation_id ?? '' } })), 'asked by who owns it no more').to.equal('GONE');
  });

  it('whose account is suspended stay in the list, whose account is gone do not, and keep no team', async () => {
    const { run, sql } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const teamId = await team(ada);
    await join(teamId, ada, ben);
    await join(teamId, ada, cleo, 'owner');
    await sql('update users set suspended_at = now() where id = ?', [ben.userId]);
    await sql('update users set deleted_at = now() where id = ?', [cleo.userId]);
    expect(await membersOf(backend.current, teamId, ada)).to.deep.equal([`${ada.username} owner`, `${ben.username} member`]);
    expect(await codeOf(run('removeTeamMember', ada, { path: { team_id: teamId, user_id: ada.userId } }))).to.equal('CONFLICT');
    expect(await codeOf(run('updateTeamMember', ada, { path: { team_id: teamId, user_id: cleo.userId }, body: { role: 'member' } }))).to.equal('NOT_FOUND');
  });

  it('leave no project behind in the team, however close it is made to their removal', async () => {
    const { run, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    for (let round = 0; round < 10; round += 1) {
      await join(teamId, ada, ben);
      await Promise.allSettled([
        run('createProject', ben, { body: { name: `r${round}`, team_id: teamId } }),
        run('removeTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId } }),
      ]);
      expect(await sql('select id from projects where team_id = ? and owner_id = ?', [teamId, ben.userId])).to.deep.equal([]);
    }
  });

  describe('keep an Owner', () => {
    it('the last one neither leaves nor is demoted nor removed', async () => {
      const { run } = backend.current;
      const [ada, ben, cleo] = [await person(), await person(), await person()];
      const teamId = await team(ada);
      await join(teamId, ada, ben, 'admin');
      await backend.current.database.db.knex('team_members').insert({ id: newId(), team_id: teamId, user_id: cleo.userId, role: 'Owner', status: 'invited' });
      const path = { team_id: teamId, user_id: ada.userId };
      for (const attempt of [run('removeTeamMember', ada, { path }), run('updateTeamMember', ada, { path, body: { role: 'member' } })]) {
        const refusal = await refusalOf(attempt);
        expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { reason: 'last_owner' }]);
      }
      await run('updateTeamMember', ada, { path, body: { role: 'owner' } });
      expect(await roleOf(teamId, ada)).to.equal('owner');
    });

    it('`owner_id` goes to the Owner of longest standing when its person leaves or is one no more, with the projects', async () => {
      const { run, project } = backend.current;
      const [ada, ben, cleo] = [await person(), await person(), await person()];
      const teamId = await team(ada);
      await join(teamId, ada, cleo, 'admin');
      await join(teamId, ada, ben, 'owner');
      await run('updateTeamMember', ada, { path: { team_id: teamId, user_id: cleo.userId }, body: { role: 'owner' } });
      const projectId = await project(ada, { team_id: teamId });
      const ownerOf = async (): Promise<string> => (await run('getTeam', ben, { path: { team_id: teamId } })).data.owner_id;
      await run('updateTeamMember', cleo, { path: { team_id: teamId, user_id: ada.userId }, body: { role: 'member' } });
      expect(await ownerOf(), 'cleo joined before ben').to.equal(cleo.userId);
      expect((await run('getProject', ada, { path: { project_id: projectId } })).data).to.include({ owner_id: cleo.userId, role: 'member' });
      await run('removeTeamMember', cleo, { path: { team_id: teamId, user_id: cleo.userId } });
      expect(await ownerOf()).to.equal(ben.userId);
      expect((await run('getProject', ben, { path: { project_id: projectId } })).data.owner_id).to.equal(ben.userId);
      await run('updateTeamMember', ben, { path: { team_id: teamId, user_id: ada.userId }, body: { role: 'owner' } });
      expect(await ownerOf(), 'another Owner changes nothing').to.equal(ben.userId);
    });

    const ownersOf = (teamId: string): Promise<{ user_id: string }[]> =>
      backend.current.sql("select user_id from team_members where team_id = ? and role = 'Owner' and status = 'active'", [teamId]);
    const consistent = async (teamId: string): Promise<void> => {
      const owners = (await ownersOf(teamId)).map((one) => one.user_id);
      expect(owners).to.not.be.empty;
      const [row] = await backend.current.sql<{ owner_id: string }>('select owner_id from teams where id = ?', [teamId]);
      expect(owners).to.include(row?.owner_id);
    };

    it('when two demote each other at once, fifty times', async function () {
      this.timeout(60_000);
      const { run } = backend.current;
      const ada = await person();
      for (let round = 0; round < 50; round += 1) {
        const [ben, teamId] = [await person(), await team(ada)];
        await join(teamId, ada, ben, 'owner');
        const demote = (by: Person, who: Person): Promise<unknown> => run('updateTeamMember', by, { path: { team_id: teamId, user_id: who.userId }, body: { role: 'member' } });
        const outcomes = await Promise.allSettled([demote(ada, ben), demote(ben, ada)]);
        expect(fulfilled(outcomes)).to.equal(1);
        await consistent(teamId);
      }
    });

    it('when twenty leave, demote themselves and remove each other at once', async function () {
      this.timeout(60_000);
      const { run } = backend.current;
      const people = await Promise.all(Array.from({ length: 20 }, () => person()));
      const [ada] = people;
      if (ada === undefined) throw new Error('there are twenty');
      const teamId = await team(ada);
      for (const who of people.slice(1)) {
        await backend.current.database.db.knex('team_members').insert({ id: newId(), team_id: teamId, user_id: who.userId, role: 'Owner', joined_at: new Date().toISOString() });
      }
      const path = (who: Person): { team_id: string; user_id: string } => ({ team_id: teamId, user_id: who.userId });
      const outcomes = await Promise.allSettled(people.map((who, at) => {
        if (at % 3 === 0) return run('removeTeamMember', who, { path: path(who) });
        if (at % 3 === 1) return run('updateTeamMember', who, { path: path(who), body: { role: 'admin' } });
        return run('removeTeamMember', who, { path: path(people[(at + 1) % 20] ?? who) });
      }));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(await codeOf(Promise.reject(outcome.reason as Error))).to.be.oneOf(['CONFLICT', 'NOT_FOUND', 'FORBIDDEN']);
      }
      await consistent(teamId);
    });
  });

  describe('fit the tier of the team\'s owner', () => {
    it('invited ones counted, by whatever way; the refusal says whose limit it is', async () => {
      const { run } = backend.current;
      const [ada, ben] = [await person('free'), await person('premium')];
      const path = { team_id: await team(ada) };
      await join(path.team_id, ada, ben, 'admin');
      await run('addTeamMember', ben, { path, body: { user_id: (await person()).userId, role: 'member' } });
      await run('createInvitation', ben, { body: { target_type: 'team', target_id: path.team_id, role: 'member', email: `x${newId()}@example.com` } });
      const { data: last } = await run('createInvitation', ben, { body: { target_type: 'team', target_id: path.team_id, role: 'member', username: (await person()).username } });
      const refusal = await refusalOf(run('addTeamMember', ben, { path, body: { user_id: (await person()).userId, role: 'member' } }));
      expect([refusal.code, refusal.details]).to.deep.equal(['QUOTA_EXCEEDED', { limit: 'team_members', allowed: 5, used: 5, tier: 'free', upgrade_to: 'pro' }]);
      expect(refusal.message).to.contain('owner\'s tier');
      expect((await refusalOf(run('addTeamMember', ada, { path, body: { user_id: (await person()).userId, role: 'member' } }))).message).to.contain('Your tier');
      await run('revokeInvitation', ben, { path: { invitation_id: last.id } });
      await run('addTeamMember', ben, { path, body: { user_id: (await person()).userId, role: 'member' } });
    });

    it('also when twenty are added for the last place at once', async () => {
      const { run, sql } = backend.current;
      const ada = await person('free');
      const path = { team_id: await team(ada) };
      for (let count = 0; count < 3; count += 1) await join(path.team_id, ada, await person());
      const people = await Promise.all(Array.from({ length: 20 }, () => person()));
      const outcomes = await Promise.allSettled(people.map((who) => run('addTeamMember', ada, { path, body: { user_id: who.userId, role: 'member' } })));
      expect(fulfilled(outcomes)).to.equal(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(await codeOf(Promise.reject(outcome.reason as Error))).to.equal('QUOTA_EXCEEDED');
      }
      expect(await sql('select 1 as one from team_members where team_id = ?', [path.team_id])).to.have.length(5);
    });

    it('and an invitation whose time is over holds no place, nor is its member listed, before anything has swept it', async () => {
      const { run, sql } = backend.current;
      const ada = await person('free');
      const path = { team_id: await team(ada) };
      for (let count = 0; count < 4; count += 1) await run('addTeamMember', ada, { path, body: { user_id: (await person()).userId, role: 'member' } });
      await sql("update invitations set expires_at = now() - interval '1 second' where team_id = ?", [path.team_id]);
      expect(await membersOf(backend.current, path.team_id, ada)).to.deep.equal([`${ada.username} owner`]);
      await run('addTeamMember', ada, { path, body: { user_id: (await person()).userId, role: 'member' } });
      expect(await sql('select 1 as one from team_members where team_id = ?', [path.team_id])).to.have.length(2);
    });
  });

  it('cost a fixed number of statements, however many there are', async () => {
    const { run } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const path = { team_id: await team(ada) };
    for (let count = 0; count < 3; count += 1) await join(path.team_id, ada, await person());
    expect(await cost(() => run('listTeamMembers', ada, { path }))).to.equal(3);
    // Policy; lock, lapsed, person, standing, tier, count, how often asked, invitation, event, member, audit, and the member as it is answered.
    expect(await cost(() => run('addTeamMember', ada, { path, body: { user_id: ben.userId, role: 'member' } }))).to.equal(13);
    const ofBen = { ...path, user_id: ben.userId };
    expect(await cost(() => run('updateTeamMember', ada, { path: ofBen, body: { role: 'admin' } }))).to.equal(7);
    expect(await cost(() => run('removeTeamMember', ada, { path: ofBen }))).to.equal(6);
    await join(path.team_id, ada, ben);
    expect(await cost(() => run('removeTeamMember', ada, { path: ofBen }))).to.equal(11);
  });
});

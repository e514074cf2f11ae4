import { expect } from 'chai';
import { failureOf } from '../support/failures.ts';
import { type Person, useSystem } from '../support/system.ts';

describe('teams over the wire', () => {
  const system = useSystem({ apis: 2, variables: { EMAIL_VERIFICATION: 'required' } });
  const person = async (tier: 'free' | 'premium' = 'premium'): Promise<Person> => {
    const who = await system.current.person(tier);
    await system.current.sql('update users set email_verified_at = now() where id = $1', [who.tokens.user.id]);
    return who;
  };
  /** The same person at the other API. */
  const elsewhere = ({ tokens }: Person): Person['hive'] => system.current.anonymous({ baseUrl: system.current.urlOf(1), accessToken: tokens.access_token });
  const idOf = ({ tokens }: Person): string => tokens.user.id;
  const join = async (teamId: string, by: Person, who: Person, role: 'admin' | 'member' = 'member'): Promise<void> => {
    const member = await by.hive.api.addTeamMember({ path: { team_id: teamId }, body: { user_id: idOf(who), role } });
    await elsewhere(who).api.acceptInvitation({ path: { invitation_id: member.invitation_id ?? '' } });
  };

  it('makes a team, changes it, fills it, and takes it down', async () => {
    const [ada, ben] = [await person(), await person()];
    const team = await ada.hive.api.createTeam({ body: { name: 'Pollen' } });
    expect(team).to.include({ name: 'Pollen', owner_id: idOf(ada), role: 'owner', member_count: 1, project_count: 0 });
    const path = { team_id: team.id };
    expect((await elsewhere(ada).api.updateTeam({ path, body: { name: 'Nectar' } })).name).to.equal('Nectar');
    await join(team.id, ada, ben);
    expect((await ben.hive.api.listTeams({})).items.map(({ id, name, role }) => [id, name, role])).to.deep.equal([[team.id, 'Nectar', 'member']]);
    const ofBen = { ...path, user_id: idOf(ben) };
    expect((await ada.hive.api.updateTeamMember({ path: ofBen, body: { role: 'admin' } })).role).to.equal('admin');
    expect((await elsewhere(ben).api.getTeam({ path })).role, 'in every replica from the next request on').to.equal('admin');
    expect((await ada.hive.api.listTeamMembers({ path })).items.map(({ user_id: id, role, status }) => [id, role, status]))
      .to.deep.equal([[idOf(ada), 'owner', 'active'], [idOf(ben), 'admin', 'active']]);
    const project = await ben.hive.api.createProject({ body: { name: 'Field Notes', team_id: team.id } });
    const failure = await failureOf(ada.hive.api.deleteTeam({ path }));
    expect(failure).to.include({ code: 'CONFLICT', status: 409 }).and.to.deep.include({ details: { project_count: 1 } });
    await ada.hive.api.removeTeamMember({ path: ofBen });
    expect(await failureOf(elsewhere(ben).api.getTeam({ path }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect(await failureOf(elsewhere(ben).api.getProject({ path: { project_id: project.id } }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect((await ada.hive.api.getProject({ path: { project_id: project.id } })).owner_id).to.equal(idOf(ada));
    await ada.hive.api.deleteProject({ path: { project_id: project.id } });
    await ada.hive.api.deleteTeam({ path });
    expect((await ada.hive.api.listTeams({})).items).to.deep.equal([]);
  });

  it('brings somebody in who has no account yet, by the mailed link', async () => {
    const ada = await person();
    const team = await ada.hive.api.createTeam({ body: { name: 'Pollen' } });
    const email = `cleo${Date.now()}@example.com`;
    const made = await ada.hive.api.createInvitation({ body: { target_type: 'team', target_id: team.id, role: 'admin', email } });
    expect(made).to.include({ status: 'pending', email, invitee: null, target_name: 'Pollen' });
    const mail = await system.current.mail(email, /invites you to Pollen/);
    const token = mail.action?.split('#token=')[1] ?? '';
    expect(mail.action).to.equal(`${system.current.baseUrl}/invitations#token=${token}`);
    const cleo = await system.current.person();
    const both = await Promise.allSettled([cleo.hive, elsewhere(await person())].map((hive) => hive.api.acceptInvitationByToken({ body: { token } })));
    expect(both.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect((await ada.hive.api.listTeamInvitations({ path: { team_id: team.id } })).items.map(({ id, status }) => [id, status])).to.deep.equal([[made.id, 'accepted']]);
    expect((await ada.hive.api.getTeam({ path: { team_id: team.id } })).member_count).to.equal(2);
    expect(await failureOf(cleo.hive.api.acceptInvitationByToken({ body: { token: 'x'.repeat(43) } }))).to.include({ code: 'NOT_FOUND', status: 404 });
  });

  it('asks, takes back and is declined; the inviter is told', async () => {
    const [ada, ben] = [await person(), await person()];
    const project = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const invite = (): ReturnType<typeof ada.hive.api.createInvitation> =>
      ada.hive.api.createInvitation({ body: { target_type: 'project', target_id: project.id, role: 'member', username: ben.tokens.user.username } });
    const first = await invite();
    expect((await ben.hive.api.listMyInvitations({ query: { status: 'pending' } })).items.map(({ id }) => id)).to.deep.equal([first.id]);
    await ada.hive.api.revokeInvitation({ path: { invitation_id: first.id } });
    expect(await failureOf(ben.hive.api.acceptInvitation({ path: { invitation_id: first.id } }))).to.include({ code: 'GONE', status: 410 });
    const second = await invite();
    expect((await ben.hive.api.declineInvitation({ path: { invitation_id: second.id } })).status).to.equal('declined');
    expect((await ada.hive.api.listProjectInvitations({ path: { project_id: project.id } })).items.map(({ status }) => status)).to.deep.equal(['declined', 'revoked']);
    expect((await system.current.mail(ada.tokens.user.email, /was declined/)).text).to.contain(ben.tokens.user.username);
    expect(await failureOf(ben.hive.api.getProject({ path: { project_id: project.id } }))).to.include({ code: 'NOT_FOUND' });
  });

  it('shares a project with a person, and hands it to one, who then owns it', async () => {
    const [ada, ben] = [await person(), await person()];
    const { id } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const path = { project_id: id };
    const member = await ada.hive.api.addProjectMember({ path, body: { user_id: idOf(ben) } });
    expect(member).to.include({ status: 'invited', role: 'member', source: 'project' });
    await ben.hive.api.acceptInvitation({ path: { invitation_id: member.invitation_id ?? '' } });
    const asked = await ada.hive.api.transferProject({ path, body: { user_id: idOf(ben) } });
    expect(asked).to.include({ status: 'pending', user_id: idOf(ben) });
    expect((await elsewhere(ada).api.getProject({ path })).owner_id).to.equal(idOf(ada));
    await ben.hive.api.acceptInvitation({ path: { invitation_id: asked.invitation_id ?? '' } });
    expect((await elsewhere(ada).api.getProject({ path }))).to.include({ owner_id: idOf(ben), role: 'member' });
    expect((await ben.hive.api.listProjectMembers({ path })).items.map(({ user_id: who, role }) => [who, role])).to.deep.equal([[idOf(ben), 'owner'], [idOf(ada), 'member']]);
    await ben.hive.api.removeProjectMember({ path: { ...path, user_id: idOf(ada) } });
    expect(await failureOf(elsewhere(ada).api.getProject({ path }))).to.include({ code: 'NOT_FOUND', status: 404 });
    const team = await ben.hive.api.createTeam({ body: { name: 'Pollen' } });
    expect(await ben.hive.api.transferProject({ path, body: { team_id: team.id } })).to.include({ status: 'completed', team_id: team.id });
    expect((await ben.hive.api.getProject({ path })).team_id).to.equal(team.id);
  });

  it('keeps an Owner though two leave at once, each at an API of its own', async () => {
    const [ada, ben] = [await person(), await person()];
    for (let round = 0; round < 10; round += 1) {
      const { id } = await ada.hive.api.createTeam({ body: { name: 'Pollen' } });
      await join(id, ada, ben, 'admin');
      await ada.hive.api.updateTeamMember({ path: { team_id: id, user_id: idOf(ben) }, body: { role: 'owner' } });
      const outcomes = await Promise.allSettled([
        ada.hive.api.removeTeamMember({ path: { team_id: id, user_id: idOf(ada) } }), elsewhere(ben).api.removeTeamMember({ path: { team_id: id, user_id: idOf(ben) } }),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      const [stayed = ada] = outcomes[0]?.status === 'rejected' ? [ada] : [ben];
      const loser = outcomes.find((one) => one.status === 'rejected')?.reason as { code: string; details: unknown };
      expect([loser.code, loser.details]).to.deep.equal(['CONFLICT', { reason: 'last_owner' }]);
      expect(await stayed.hive.api.getTeam({ path: { team_id: id } })).to.include({ owner_id: idOf(stayed), role: 'owner', member_count: 1 });
    }
  });

  it('lets no more in than the tier of the team\'s owner allows, over both APIs', async () => {
    const ada = await person('free');
    const { id } = await ada.hive.api.createTeam({ body: { name: 'Pollen' } });
    const tries = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? ada.hive : elsewhere(ada)).api.createInvitation({
      body: { target_type: 'team', target_id: id, role: 'member', email: `n${at}x${Date.now()}@example.com` },
    })));
    expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(4);
    const refused = tries.find((one) => one.status === 'rejected')?.reason as { code: string; details: unknown };
    expect([refused.code, refused.details]).to.deep.equal(['QUOTA_EXCEEDED', { limit: 'team_members', allowed: 5, used: 5, tier: 'free', upgrade_to: 'pro' }]);
  });

  it('asks for a confirmed address before anybody else is reached', async () => {
    const [ada, ben] = [await system.current.person(), await person()];
    const { id } = await ada.hive.api.createTeam({ body: { name: 'Alone' } });
    const project = await ada.hive.api.createProject({ body: { name: 'Alone' } });
    const reaching = [
      () => ada.hive.api.addTeamMember({ path: { team_id: id }, body: { user_id: idOf(ben) } }),
      () => ada.hive.api.addProjectMember({ path: { project_id: project.id }, body: { user_id: idOf(ben) } }),
      () => ada.hive.api.transferProject({ path: { project_id: project.id }, body: { user_id: idOf(ben) } }),
      () => ada.hive.api.createInvitation({ body: { target_type: 'team', target_id: id, role: 'member', username: ben.tokens.user.username } }),
    ];
    for (const reach of reaching) expect(await failureOf(reach())).to.include({ code: 'FORBIDDEN', status: 403 }).and.to.deep.include({ details: { reason: 'email_not_verified' } });
  });
});

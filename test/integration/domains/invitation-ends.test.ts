import { expect } from 'chai';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { joinProject, joinTeam, membersOf, peopleOf, teamOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';

describe('invitations whose time is over', () => {
  const backend = useBackend({ EMAIL_VERIFICATION: 'required' });
  const person = (): Promise<Person> => backend.current.person();
  const addressOf = ({ username }: Person): string => `${username}@example.com`;
  const mail = async (by: Person, type: 'team' | 'project', id: string, email: string): Promise<DataOf<'createInvitation'>> =>
    (await backend.current.run('createInvitation', by, { body: { target_type: type, target_id: id, role: 'member', email } })).data;
  const accept = (who: Person, id: string): Promise<unknown> => backend.current.run('acceptInvitation', who, { path: { invitation_id: id } });
  const statusOf = async (id: string): Promise<unknown> => (await backend.current.sql('select status from invitations where id = ?', [id]))[0]?.['status'];
  async function tellAll(): Promise<void> {
    const relay = backend.current.relay();
    relay.start();
    await until('all to be told', async () => (await backend.current.sql("select 1 from outbox where kind = 'event' and sent_at is null")).length === 0);
    await relay.stop();
  }

  it('let nobody back into a project who was removed from it, by an older mail either', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const id = await project(ada);
    const mailed = await mail(ada, 'project', id, addressOf(ben).toUpperCase());
    const others = await mail(ada, 'project', id, addressOf(cleo));
    await joinProject(backend.current, id, ada, ben);
    await run('removeProjectMember', ada, { path: { project_id: id, user_id: ben.userId } });
    expect(await codeOf(accept(ben, mailed.id))).to.equal('GONE');
    expect(await peopleOf(backend.current, id, ada)).to.deep.equal([`${ada.username} owner`]);
    expect(await statusOf(others.id)).to.equal('pending');
  });

  it('let nobody back into a team or its projects', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    const projectId = await project(ada, { team_id: teamId });
    const mailed = [await mail(ada, 'team', teamId, addressOf(ben)), await mail(ada, 'project', projectId, addressOf(ben))];
    await joinTeam(backend.current, teamId, ada, ben);
    await run('removeTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId } });
    for (const { id } of mailed) expect(await codeOf(accept(ben, id))).to.equal('GONE');
    expect(await membersOf(backend.current, teamId, ada)).to.deep.equal([`${ada.username} owner`]);
  });

  it('tell nobody whose an address is: taking back an invitation, or removing whose address is not confirmed, leaves those by mail open', async () => {
    const { run, project, sql } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const id = await project(ada);
    const mailed = [await mail(ada, 'project', id, addressOf(ben)), await mail(ada, 'project', id, addressOf(cleo))];
    await run('addProjectMember', ada, { path: { project_id: id }, body: { user_id: ben.userId } });
    await joinProject(backend.current, id, ada, cleo);
    await sql('update users set email_verified_at = null where id = ?', [cleo.userId]);
    for (const { userId } of [ben, cleo]) await run('removeProjectMember', ada, { path: { project_id: id, user_id: userId } });
    expect(await Promise.all(mailed.map((one) => statusOf(one.id)))).to.deep.equal(['pending', 'pending']);
  });

  it('are not mailed any more when they were taken back before the mail went out', async () => {
    const { run, project, mails } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const id = await project(ada);
    const { data } = await run('addProjectMember', ada, { path: { project_id: id }, body: { user_id: ben.userId } });
    await run('addProjectMember', ada, { path: { project_id: id }, body: { user_id: cleo.userId } });
    await tellAll();
    await run('revokeInvitation', ada, { path: { invitation_id: data.invitation_id ?? '' } });
    expect(await mails(addressOf(ben))).to.deep.equal([]);
    expect(await mails(addressOf(cleo))).to.have.length(1);
  });

  it('are not mailed about to who left the project meanwhile', async () => {
    const { run, project, mails } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const id = await project(ada);
    await joinProject(backend.current, id, ada, ben);
    const { data } = await run('transferProject', ada, { path: { project_id: id }, body: { user_id: cleo.userId } });
    await accept(cleo, data.invitation_id ?? '');
    await tellAll();
    await run('removeProjectMember', cleo, { path: { project_id: id, user_id: ada.userId } });
    expect((await mails(addressOf(ada))).map(({ subject }) => subject)).to.deep.equal([]);
  });

  it('cannot be asked again and again to fill a mailbox: twenty an hour from one person to another', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const id = await project(ada);
    const ask = (by: Person, projectId: string, who: Person): Promise<unknown> => run('transferProject', by, { path: { project_id: projectId }, body: { user_id: who.userId } });
    for (let asked = 0; asked < 20; asked += 1) await ask(ada, id, ben);
    const refused = await refusalOf(ask(ada, id, ben));
    expect([refused.code, refused.retryAfterSeconds]).to.deep.equal(['RATE_LIMITED', 3600]);
    expect(await codeOf(run('createInvitation', ada, { body: { target_type: 'project', target_id: id, role: 'member', username: ben.username } }))).to.equal('RATE_LIMITED');
    await ask(ada, id, cleo);
    await ask(cleo, await project(cleo), ben);
  });
});

import { expect } from 'chai';
import { type Person, useBackend } from '../../support/backend.ts';
import { teamOf } from '../../support/belonging.ts';
import { codeOf } from '../../support/refusals.ts';

describe('an invitation holds as long as who sent it could send it again', () => {
  const backend = useBackend();
  let ada: Person;
  let ben: Person;
  let eve: Person;
  let teamId: string;

  beforeEach('a team of two Owners, and somebody else', async () => {
    [ada, ben, eve] = [await backend.current.person(), await backend.current.person(), await backend.current.person()];
    teamId = await teamOf(backend.current, ada);
    await backend.current.sql("insert into team_members (id, team_id, user_id, role, status, joined_at) values (gen_random_uuid(), ?, ?, 'Owner', 'active', now())", [teamId, ben.userId]);
  });

  const toTeam = async (): Promise<string> =>
    (await backend.current.run('createInvitation', ben, { body: { target_type: 'team', target_id: teamId, role: 'admin', username: eve.username } })).data.id;
  const toOwn = async (): Promise<string> => {
    const projectId = await backend.current.project(ada, { team_id: teamId });
    const { data } = await backend.current.run('transferProject', ben, { path: { project_id: projectId }, body: { user_id: eve.userId } });
    if (data.invitation_id === null) throw new Error('A person is asked.');
    return data.invitation_id;
  };
  const accepted = (id: string): Promise<unknown> => backend.current.run('acceptInvitation', eve, { path: { invitation_id: id } });

  it('and lets in whom an Owner asks', async () => {
    await accepted(await toTeam());
    await accepted(await toOwn());
  });

  it('not after the sender was removed, into the team or into a project of it', async () => {
    const ids = [await toTeam(), await toOwn()];
    await backend.current.run('removeTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId } });
    for (const id of ids) expect(await codeOf(accepted(id))).to.equal('GONE');
    expect(await backend.current.sql('select id from projects where owner_id = ?', [eve.userId])).to.deep.equal([]);
  });

  it('not after the sender may do less: an Admin gives no project away', async () => {
    const [team, owner] = [await toTeam(), await toOwn()];
    await backend.current.run('updateTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId }, body: { role: 'admin' } });
    expect(await codeOf(accepted(owner))).to.equal('GONE');
    await accepted(team);
  });

  it('not while the sender is suspended', async () => {
    const id = await toTeam();
    await backend.current.sql('update users set suspended_at = now() where id = ?', [ben.userId]);
    expect(await codeOf(accepted(id))).to.equal('GONE');
  });
});

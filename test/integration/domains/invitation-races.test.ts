import { expect } from 'chai';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { teamOf } from '../../support/belonging.ts';
import { codeOf } from '../../support/refusals.ts';

describe('invitations that several act on at once', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const invite = async (by: Person, teamId: string, who: Person): Promise<DataOf<'createInvitation'>> =>
    (await backend.current.run('createInvitation', by, { body: { target_type: 'team', target_id: teamId, role: 'member', username: who.username } })).data;
  const answer = (operation: 'acceptInvitation' | 'declineInvitation', who: Person, id: string): Promise<unknown> =>
    backend.current.run(operation, who, { path: { invitation_id: id } });
  const statusOf = async (id: string): Promise<unknown> => (await backend.current.sql('select status from invitations where id = ?', [id]))[0]?.['status'];

  it('end in one way, and the membership with them, whatever happens at once', async function () {
    this.timeout(60_000);
    const { run, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    for (let round = 0; round < 20; round += 1) {
      const { id } = await invite(ada, teamId, ben);
      await Promise.allSettled([
        answer('acceptInvitation', ben, id), answer('declineInvitation', ben, id), run('revokeInvitation', ada, { path: { invitation_id: id } }),
        run('updateTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId }, body: { role: 'admin' } }),
        sql("update invitations set expires_at = now() where id = ? and ?::boolean", [id, round % 4 === 0]),
      ]);
      const status = await statusOf(id);
      const rows = await sql('select status from team_members where team_id = ? and user_id = ?', [teamId, ben.userId]);
      if (status === 'accepted') {
        expect(rows).to.deep.equal([{ status: 'active' }]);
        await run('removeTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId } });
      } else if (status !== 'pending') {
        expect(rows, String(status)).to.deep.equal([]);
      }
    }
    expect(backend.current.logLines.filter((line) => line.includes('INTERNAL_ERROR'))).to.deep.equal([]);
  });

  it('end with their team, whoever accepts meanwhile', async () => {
    const { run, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    for (let round = 0; round < 10; round += 1) {
      const teamId = await teamOf(backend.current, ada);
      const { id } = await invite(ada, teamId, ben);
      const [deleted, accepted] = await Promise.allSettled([run('deleteTeam', ada, { path: { team_id: teamId } }), answer('acceptInvitation', ben, id)]);
      expect(deleted.status).to.equal('fulfilled');
      if (accepted.status === 'rejected') expect(await codeOf(Promise.reject(accepted.reason as Error))).to.equal('NOT_FOUND');
      expect(await sql('select 1 as one from invitations where id = ? union all select 1 from team_members where team_id = ?', [id, teamId])).to.deep.equal([]);
    }
  });
});

import { expect } from 'chai';
import { type Person, useBackend } from '../../support/backend.ts';
import { joinProject, joinTeam, peopleOf, teamOf } from '../../support/belonging.ts';
import { codeOf } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';

/** Whoever loses a role while a request of theirs waits for a lock has lost it: the policy that was asked before does not count. */
describe('a role that is lost while a request waits', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const waiting = (count: number): Promise<void> => until(`${count} to wait`, async () =>
    (await backend.current.sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length === count);

  /** Lets `ask` begin while its project is being taken over, and answers what became of it afterwards. */
  async function askedDuringTakeover(ask: (projectId: string, ada: Person, cleo: Person) => Promise<unknown>): Promise<{ code: string; projectId: string; ben: Person; cleo: Person }> {
    const { run, project, database: { db } } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, cleo);
    const { data } = await run('transferProject', ada, { path: { project_id: projectId }, body: { user_id: ben.userId } });
    const trx = await db.knex.transaction();
    // What the new owner waits for once the project is locked.
    await trx('users').where({ id: ben.userId }).forUpdate().select('id');
    const accepted = run('acceptInvitation', ben, { path: { invitation_id: data.invitation_id ?? '' } });
    await waiting(1);
    const asked = codeOf(ask(projectId, ada, cleo));
    await waiting(2);
    await trx.commit();
    await accepted;
    return { code: await asked, projectId, ben, cleo };
  }

  it('deletes no project that is another\'s by then', async () => {
    const { run } = backend.current;
    const { code, projectId, ben } = await askedDuringTakeover((id, ada) => run('deleteProject', ada, { path: { project_id: id } }));
    expect(code).to.equal('FORBIDDEN');
    expect((await run('getProject', ben, { path: { project_id: projectId } })).data.role).to.equal('owner');
  });

  it('archives none', async () => {
    const { run } = backend.current;
    const { code, projectId, ben } = await askedDuringTakeover((id, ada) => run('updateProject', ada, { path: { project_id: id }, body: { archived: true } }));
    expect(code).to.equal('FORBIDDEN');
    expect((await run('getProject', ben, { path: { project_id: projectId } })).data.archived_at).to.equal(null);
  });

  it('changes no settings', async () => {
    const { run } = backend.current;
    const { code, projectId, ben } = await askedDuringTakeover((id, ada) => run('updateProjectSettings', ada, { path: { project_id: id }, body: { preview: { dev: true } } }));
    expect(code).to.equal('FORBIDDEN');
    expect((await run('getProjectSettings', ben, { path: { project_id: projectId } })).data.preview.dev).to.equal(false);
  });

  it('removes nobody', async () => {
    const { run } = backend.current;
    const { code, projectId, ben, cleo } = await askedDuringTakeover((id, ada, other) => run('removeProjectMember', ada, { path: { project_id: id, user_id: other.userId } }));
    expect(code).to.equal('FORBIDDEN');
    expect(await peopleOf(backend.current, projectId, ben)).to.include(`${cleo.username} member`);
  });

  it('deletes no team', async () => {
    const { run, sql, database: { db } } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, ben, 'owner');
    const trx = await db.knex.transaction();
    await trx('teams').where({ id: teamId }).forUpdate().select('id');
    const demoted = run('updateTeamMember', ada, { path: { team_id: teamId, user_id: ben.userId }, body: { role: 'member' } });
    await waiting(1);
    const deleted = codeOf(run('deleteTeam', ben, { path: { team_id: teamId } }));
    await waiting(2);
    await trx.commit();
    await demoted;
    expect(await deleted).to.equal('FORBIDDEN');
    expect(await sql('select id from teams where id = ?', [teamId])).to.have.length(1);
  });
});

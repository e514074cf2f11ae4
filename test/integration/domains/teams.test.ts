import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

describe('teams', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);
  const team = async (owner: Person, name = 'Pollen'): Promise<string> => (await backend.current.run('createTeam', owner, { body: { name } })).data.id;
  const join = (teamId: string, who: Person, role: 'Owner' | 'Admin' | 'Member', status: 'active' | 'invited' = 'active'): Promise<unknown> =>
    backend.current.database.db.knex('team_members').insert({ id: newId(), team_id: teamId, user_id: who.userId, role, status });
  const auditsOf = (id: string): Promise<Record<string, unknown>[]> =>
    backend.current.sql('select event_type, user_id, data from audit_logs where entity_id = ? order by created_at, id', [id]);

  it('come with their maker as Owner, and leave an audit in the same transaction', async () => {
    const { run } = backend.current;
    const ada = await person();
    const { status, data, etag } = await run('createTeam', ada, { body: { name: 'Pollen' } });
    expect(status).to.equal(201);
    expect(data).to.include({ owner_id: ada.userId, name: 'Pollen', role: 'owner', member_count: 1, project_count: 0 });
    const read = await run('getTeam', ada, { path: { team_id: data.id } });
    expect([read.data, read.etag]).to.deep.equal([data, etag]);
    expect(await auditsOf(data.id)).to.deep.equal([{ event_type: 'team.created', user_id: ada.userId, data: { name: 'Pollen' } }]);
    const { data: members } = await run('listTeamMembers', ada, { path: { team_id: data.id } });
    expect(members.items).to.have.length(1);
    expect(members.items[0]).to.include({ user_id: ada.userId, username: ada.username, role: 'owner', status: 'active', invitation_id: null });
    expect(members.items[0]?.joined_at).to.be.a('string');
  });

  it('are listed newest first to their active members alone, each with the caller\'s role and its counts', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const [first, second, third] = [await team(ada, 'first'), await team(ben, 'second'), await team(ben, 'third')];
    await join(second, ada, 'Admin');
    await join(third, ada, 'Member', 'invited');
    await project(ada, { team_id: second });
    const archived = await project(ada, { team_id: second });
    await run('updateProject', ada, { path: { project_id: archived }, body: { archived: true } });
    await run('deleteProject', ada, { path: { project_id: await project(ada, { team_id: second }) } });
    const { data } = await run('listTeams', ada);
    expect(data.items.map(({ id, role, member_count: members, project_count: projects }) => [id, role, members, projects]))
      .to.deep.equal([[second, 'admin', 2, 2], [first, 'owner', 1, 0]]);
    expect(data.page).to.deep.equal({ limit: 50, offset: 0, total: 2, next_cursor: null });
  });

  it('are walked by cursor without loss or double, also where they share one moment of creation', async () => {
    const { run, sql } = backend.current;
    const ada = await person();
    for (let count = 0; count < 5; count += 1) await team(ada, `t${count}`);
    await sql("update teams set created_at = '2026-03-02T09:00:00.123Z' where owner_id = ? and name <> 't4'", [ada.userId]);
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const { data }: { data: DataOf<'listTeams'> } = await run('listTeams', ada, { query: { limit: 2, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...data.items.map(({ name }) => name));
      cursor = data.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal(['t4', 't3', 't2', 't1', 't0']);
    expect(await codeOf(run('listTeams', ada, { query: { cursor: 'bm9uZQ' } }))).to.equal('VALIDATION_ERROR');
  });

  it('are renamed by their Admins and Owners; a version that is no more is refused, and changes nothing', async () => {
    const { run } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const path = { team_id: await team(ada) };
    await join(path.team_id, ben, 'Admin');
    await join(path.team_id, cleo, 'Member');
    const { etag } = await run('getTeam', ada, { path });
    const renamed = await run('updateTeam', ben, { path, body: { name: 'Nectar' } }, { ifMatch: etag ?? '' });
    expect(renamed.data).to.include({ name: 'Nectar', role: 'admin' });
    expect(renamed.etag).not.to.equal(etag);
    for (const ifMatch of [etag ?? '', 'nonsense', '0']) {
      expect(await codeOf(run('updateTeam', ada, { path, body: { name: 'Honey' } }, { ifMatch }))).to.equal('PRECONDITION_FAILED');
      expect(await codeOf(run('deleteTeam', ada, { path }, { ifMatch }))).to.equal('PRECONDITION_FAILED');
    }
    expect(await codeOf(run('updateTeam', cleo, { path, body: { name: 'Honey' } }))).to.equal('FORBIDDEN');
    expect((await run('getTeam', ada, { path })).data.name).to.equal('Nectar');
    expect((await auditsOf(path.team_id)).at(-1)).to.deep.equal({ event_type: 'team.updated', user_id: ben.userId, data: { from: { name: 'Pollen' }, to: { name: 'Nectar' } } });
  });

  it('have a version that moves with what is seen, and is refused only where the team itself was changed', async () => {
    const { run } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const path = { team_id: await team(ada) };
    const { etag } = await run('getTeam', ada, { path });
    await join(path.team_id, ben, 'Member');
    expect((await run('getTeam', ada, { path })).etag).not.to.equal(etag);
    await run('updateTeam', ada, { path, body: { name: 'Nectar' } }, { ifMatch: etag ?? '' });
  });

  it('are not deleted while they have projects, archived ones counted; deleted ones are in nobody\'s way', async () => {
    const { run, project, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const path = { team_id: await team(ada) };
    await join(path.team_id, ben, 'Admin');
    const [one, two] = [await project(ben, { team_id: path.team_id }), await project(ada, { team_id: path.team_id })];
    await run('updateProject', ada, { path: { project_id: one }, body: { archived: true } });
    const refusal = await refusalOf(run('deleteTeam', ada, { path }));
    expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { project_count: 2 }]);
    for (const id of [one, two]) await run('deleteProject', ada, { path: { project_id: id } });
    expect(await codeOf(run('deleteTeam', ben, { path })), 'an Admin').to.equal('FORBIDDEN');
    expect((await run('deleteTeam', ada, { path })).status).to.equal(204);
    expect(await codeOf(run('getTeam', ada, { path }))).to.equal('NOT_FOUND');
    expect(await codeOf(run('deleteTeam', ada, { path }))).to.equal('NOT_FOUND');
    expect(await sql('select id from team_members where team_id = ?', [path.team_id])).to.deep.equal([]);
    expect((await auditsOf(path.team_id)).at(-1)).to.deep.equal({ event_type: 'team.deleted', user_id: ada.userId, data: { name: 'Pollen' } });
  });

  it('end their open invitations with them', async () => {
    const { run, mails } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    const { data: invitation } = await run('createInvitation', ada, { body: { target_type: 'team', target_id: teamId, role: 'member', username: ben.username } });
    await run('createInvitation', ada, { body: { target_type: 'team', target_id: teamId, role: 'member', email: `${ben.username}@elsewhere.example.com` } });
    await run('deleteTeam', ada, { path: { team_id: teamId } });
    expect((await run('listMyInvitations', ben)).data.items).to.deep.equal([]);
    expect(await codeOf(run('acceptInvitation', ben, { path: { invitation_id: invitation.id } }))).to.equal('NOT_FOUND');
    expect(await mails(`${ben.username}@elsewhere.example.com`), 'a mail that had not left').to.deep.equal([]);
  });

  it('are deleted or get a project, whichever comes first, and never both', async () => {
    const { run, sql } = backend.current;
    const ada = await person();
    for (let round = 0; round < 12; round += 1) {
      const teamId = await team(ada);
      const [deleted, made] = await Promise.allSettled([
        run('deleteTeam', ada, { path: { team_id: teamId } }),
        run('createProject', ada, { body: { name: 'Field Notes', team_id: teamId } }),
      ]);
      expect([deleted.status, made.status].sort()).to.deep.equal(['fulfilled', 'rejected']);
      const loser = await codeOf(Promise.reject((deleted.status === 'rejected' ? deleted : made as PromiseRejectedResult).reason as Error));
      expect(loser).to.equal(deleted.status === 'rejected' ? 'CONFLICT' : 'NOT_FOUND');
      expect(await sql('select 1 as is_there from teams where id = ?', [teamId])).to.have.length(deleted.status === 'rejected' ? 1 : 0);
    }
  });

  it('are hidden from whoever is not in them, in the words in which one that does not exist is', async () => {
    const { http } = backend.current;
    const [ada, eve] = [await person(), await person()];
    const teamId = await team(ada);
    await join(teamId, eve, 'Owner', 'invited');
    const asked = (id: string): Promise<readonly (readonly [number, string])[]> => Promise.all([
      http('GET', `/teams/${id}`, { headers: eve.headers }),
      http('PATCH', `/teams/${id}`, { headers: eve.headers, json: { name: 'x' } }),
      http('DELETE', `/teams/${id}`, { headers: eve.headers }),
      http('GET', `/teams/${id}/members`, { headers: eve.headers }),
      http('POST', `/teams/${id}/members`, { headers: eve.headers, json: { user_id: ada.userId } }),
      http('PATCH', `/teams/${id}/members/${ada.userId}`, { headers: eve.headers, json: { role: 'member' } }),
      http('DELETE', `/teams/${id}/members/${ada.userId}`, { headers: eve.headers }),
      http('GET', `/teams/${id}/invitations`, { headers: eve.headers }),
      http('POST', '/invitations', { headers: eve.headers, json: { target_type: 'team', target_id: id, role: 'member', username: 'nobody-here' } }),
    ].map(async (reply) => { const { status, text } = await reply; return [status, text] as const; }));
    const hidden = await asked(teamId);
    expect(hidden).to.deep.equal(await asked(newId()));
    expect(new Set(hidden.map(([status]) => status))).to.deep.equal(new Set([404]));
  });

  it('are not made by an account that is being deleted at the same moment', async () => {
    const { run, sql, database: { db } } = backend.current;
    const ada = await person();
    const deleting = await db.knex.transaction();
    await deleting.raw('select 1 from users where id = ? for update', [ada.userId]);
    const making = codeOf(run('createTeam', ada, { body: { name: 'Pollen' } }));
    await until('the creation to wait', async () => (await sql(
      "select 1 as one from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length > 0);
    await deleting.raw('update users set deleted_at = now() where id = ?', [ada.userId]);
    await deleting.commit();
    expect(await making).to.equal('AUTH_INVALID');
    expect(await sql('select 1 as one from teams where owner_id = ?', [ada.userId])).to.deep.equal([]);
  });

  it('answer a repeated creation byte for byte with one team made, its place and version included', async () => {
    const { http, run } = backend.current;
    const ada = await person();
    const send = (name: string): ReturnType<typeof http> => http('POST', '/teams', { headers: { ...ada.headers, 'idempotency-key': 'one-team-only' }, json: { name } });
    const [first, again] = [await send('Pollen'), await send('Pollen')];
    expect([first.status, again.status, again.text]).to.deep.equal([201, 201, first.text]);
    expect(again.headers.get('idempotency-replayed')).to.equal('true');
    for (const name of ['location', 'etag']) expect(again.headers.get(name), name).to.be.a('string').and.to.equal(first.headers.get(name));
    expect(first.headers.get('location')).to.equal(`/api/v1/teams/${String(first.data['id'])}`);
    expect((await send('Other')).error?.code).to.equal('IDEMPOTENCY_CONFLICT');
    expect((await run('listTeams', ada)).data.items).to.have.length(1);
  });

  it('cost a fixed number of statements, however many there are', async () => {
    const { run } = backend.current;
    const ada = await person();
    for (let count = 0; count < 4; count += 1) await team(ada);
    const { data } = await run('listTeams', ada, { query: { limit: 2 } });
    const path = { team_id: data.items[0]?.id ?? '' };
    const cost = async (work: () => Promise<unknown>): Promise<number> => (await statementsOf(work)).length;
    expect(await cost(() => run('listTeams', ada))).to.equal(2);
    expect(await cost(() => run('listTeams', ada, { query: { limit: 2, cursor: data.page.next_cursor ?? '' } }))).to.equal(1);
    expect(await cost(() => run('getTeam', ada, { path }))).to.equal(2);
    expect(await cost(() => run('createTeam', ada, { body: { name: 'x' } }))).to.equal(4);
    expect(await cost(() => run('updateTeam', ada, { path, body: { name: 'y' } }))).to.equal(5);
    expect(await cost(() => run('deleteTeam', ada, { path }))).to.equal(7);
  });
});

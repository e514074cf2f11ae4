import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';

describe('projects', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);

  const namesOf = async (who: Person, query: Record<string, unknown> = {}): Promise<string[]> => {
    const { data } = await backend.current.run('listProjects', who, { query });
    return data.items.map((item) => item.name);
  };

  it('come with their owner, role, defaults and version, and leave audit and event in the same transaction', async () => {
    const { run, sql } = backend.current;
    const ada = await person();
    const { status, data } = await run('createProject', ada, { body: { name: 'Field Notes', description: 'Bees', metadata: { color: 'yellow' } } });
    expect(status).to.equal(201);
    expect(data).to.include({ owner_id: ada.userId, team_id: null, name: 'Field Notes', description: 'Bees', role: 'owner', is_favorite: false, archived_at: null });
    expect(data.metadata).to.deep.equal({ color: 'yellow' });
    expect(data.tags).to.deep.equal([]);
    const read = await run('getProject', ada, { path: { project_id: data.id } });
    expect(read.data).to.deep.equal(data);
    expect(await sql('select event_type, user_id, project_id from audit_logs where entity_id = ?', [data.id]))
      .to.deep.equal([{ event_type: 'project.created', user_id: ada.userId, project_id: data.id }]);
    expect(await sql("select topic from outbox where payload ->> 'entityId' = ?", [data.id])).to.deep.equal([{ topic: 'project.created' }]);
  });

  it('are listed newest first to whoever belongs to them, and to nobody else', async () => {
    const { run, project, database } = backend.current;
    const [ada, ben, eve] = [await person(), await person(), await person()];
    for (const name of ['one', 'two', 'three']) await project(ada, { name });
    const shared = await project(ben, { name: 'shared' });
    await database.db.knex('project_members').insert({ id: newId(), project_id: shared, user_id: ada.userId, role: 'Member' });
    expect(await namesOf(ada)).to.deep.equal(['shared', 'three', 'two', 'one']);
    expect(await namesOf(ben)).to.deep.equal(['shared']);
    expect(await namesOf(eve)).to.deep.equal([]);
    const { data } = await run('listProjects', ada);
    expect(data.items.map((item) => item.role)).to.deep.equal(['member', 'owner', 'owner', 'owner']);
    expect(data.page).to.deep.equal({ limit: 50, offset: 0, total: 4, next_cursor: null });
  });

  it('are found by part of the name without regard to case, with % and _ meaning themselves', async () => {
    const { project } = backend.current;
    const ada = await person();
    for (const name of ['100% honey', 'Honey Jar', 'bee_keeper', 'beeXkeeper', 'back\\slash']) await project(ada, { name });
    expect(await namesOf(ada, { q: 'HONEY' })).to.deep.equal(['Honey Jar', '100% honey']);
    expect(await namesOf(ada, { q: '%' })).to.deep.equal(['100% honey']);
    expect(await namesOf(ada, { q: 'bee_' })).to.deep.equal(['bee_keeper']);
    expect(await namesOf(ada, { q: '\\s' })).to.deep.equal(['back\\slash']);
  });

  it('are filtered by tag, favourite, team and archive', async () => {
    const { run, project, database: { db } } = backend.current;
    const ada = await person();
    const teamId = newId();
    await db.knex('teams').insert({ id: teamId, owner_id: ada.userId, name: 'Pollen' });
    await db.knex('team_members').insert({ id: newId(), team_id: teamId, user_id: ada.userId, role: 'Owner' });
    const [plain, tagged, ours] = [await project(ada, { name: 'plain' }), await project(ada, { name: 'tagged' }), await project(ada, { name: 'ours', team_id: teamId })];
    await db.knex('project_tags').insert({ id: newId(), project_id: tagged, name: 'Mobile', color: '#aabbcc' });
    await db.knex('project_favorites').insert({ user_id: ada.userId, project_id: plain });
    // Somebody else's star is not the caller's.
    await db.knex('project_favorites').insert({ user_id: (await person()).userId, project_id: ours });
    expect(await namesOf(ada, { tag: 'mobile' })).to.deep.equal(['tagged']);
    expect(await namesOf(ada, { favorite: true })).to.deep.equal(['plain']);
    expect(await namesOf(ada, { favorite: false })).to.deep.equal(['ours', 'tagged']);
    expect(await namesOf(ada, { team_id: teamId })).to.deep.equal(['ours']);
    await run('updateProject', ada, { path: { project_id: plain }, body: { archived: true } });
    expect(await namesOf(ada)).to.deep.equal(['ours', 'tagged']);
    expect(await namesOf(ada, { archived: true })).to.deep.equal(['plain']);
    await run('updateProject', ada, { path: { project_id: plain }, body: { archived: false } });
    expect(await namesOf(ada, { archived: true })).to.deep.equal([]);
    const { data } = await run('getProject', ada, { path: { project_id: tagged } });
    expect(data.tags).to.have.length(1);
  });

  it('are walked by cursor without loss or double while others are made', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    for (let count = 0; count < 11; count += 1) await project(ada, { name: `p${count}` });
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const { data }: { data: DataOf<'listProjects'> } = await run('listProjects', ada, { query: { limit: 3, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...data.items.map((item) => item.name));
      if (cursor !== null) expect(data.page).to.include({ offset: null, total: null });
      cursor = data.page.next_cursor;
      await project(ada, { name: 'late' });
    } while (cursor !== null);
    expect(walked).to.deep.equal(Array.from({ length: 11 }, (_, index) => `p${10 - index}`));
  });

  it('share one moment of creation without being lost between pages', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    for (let count = 0; count < 5; count += 1) await project(ada, { name: `twin${count}` });
    await sql("update projects set created_at = '2026-03-02T09:00:00.123Z' where owner_id = ?", [ada.userId]);
    const first = await run('listProjects', ada, { query: { limit: 2 } });
    const second = await run('listProjects', ada, { query: { limit: 2, cursor: first.data.page.next_cursor ?? '' } });
    const third = await run('listProjects', ada, { query: { limit: 2, cursor: second.data.page.next_cursor ?? '' } });
    const ids = [first, second, third].flatMap(({ data }) => data.items.map((item) => item.id));
    expect(new Set(ids).size).to.equal(5);
    expect(third.data.page.next_cursor).to.equal(null);
  });

  it('refuse a cursor of other filters, and one that is none', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    await project(ada);
    await project(ada);
    const { data } = await run('listProjects', ada, { query: { limit: 1 } });
    const cursor = data.page.next_cursor ?? '';
    for (const query of [{ limit: 1, cursor, q: 'x' }, { limit: 1, cursor, archived: true }, { limit: 1, cursor: 'bm9uZQ' }]) {
      expect(await codeOf(run('listProjects', ada, { query }))).to.equal('VALIDATION_ERROR');
    }
  });

  it('merge a change: absent stays, null clears, and the version moves', async () => {
    const { run } = backend.current;
    const ada = await person();
    const { data: made } = await run('createProject', ada, { body: { name: 'Before', description: 'Bees' } });
    const path = { project_id: made.id };
    const before = await run('getProject', ada, { path });
    const renamed = await run('updateProject', ada, { path, body: { name: 'After' } });
    expect(renamed.data).to.include({ name: 'After', description: 'Bees' });
    expect(renamed.etag).not.to.equal(before.etag);
    expect(Date.parse(renamed.data.updated_at)).to.be.greaterThan(Date.parse(made.updated_at));
    const cleared = await run('updateProject', ada, { path, body: { description: null, metadata: { a: [1, 'x'] } } });
    expect(cleared.data).to.deep.include({ name: 'After', description: null, metadata: { a: [1, 'x'] } });
    expect((await run('getProject', ada, { path })).etag).to.equal(cleared.etag);
  });

  it('refuse a change of a version that is no more, and change nothing then', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const { etag } = await run('getProject', ada, { path });
    await run('updateProject', ada, { path, body: { name: 'first' } }, { ifMatch: etag ?? '' });
    for (const ifMatch of [etag ?? '', 'nonsense', '0', '-1']) {
      expect(await codeOf(run('updateProject', ada, { path, body: { name: 'second' } }, { ifMatch }))).to.equal('PRECONDITION_FAILED');
      expect(await codeOf(run('deleteProject', ada, { path }, { ifMatch }))).to.equal('PRECONDITION_FAILED');
    }
    expect((await run('getProject', ada, { path })).data.name).to.equal('first');
  });

  it('let exactly one of many changes of one version through', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const { etag } = await run('getProject', ada, { path });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) =>
      run('updateProject', ada, { path, body: { name: `n${index}` } }, { ifMatch: etag ?? '' })));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
  });

  it('take a favourite for the caller\'s view alone: the etag changes, a change of the row under the old one goes through', async () => {
    const { run, project, database } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const before = await run('getProject', ada, { path });
    await database.db.knex('project_favorites').insert({ user_id: ada.userId, project_id: path.project_id });
    const after = await run('getProject', ada, { path });
    expect(after.data.is_favorite).to.equal(true);
    expect(after.etag).not.to.equal(before.etag);
    await run('updateProject', ada, { path, body: { name: 'kept' } }, { ifMatch: before.etag ?? '' });
  });

  it('are archived by an owner only, while members may rename them', async () => {
    const { run, project, database } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const path = { project_id: await project(ada) };
    await database.db.knex('project_members').insert({ id: newId(), project_id: path.project_id, user_id: ben.userId, role: 'Member' });
    expect(await codeOf(run('updateProject', ben, { path, body: { archived: true } }))).to.equal('FORBIDDEN');
    expect(await codeOf(run('deleteProject', ben, { path }))).to.equal('FORBIDDEN');
    expect((await run('updateProject', ben, { path, body: { name: 'by Ben' } })).data).to.include({ name: 'by Ben', role: 'member' });
  });

  it('keep their settings group by group, over the defaults', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const before = await run('getProjectSettings', ada, { path });
    expect(before.data.preview).to.deep.equal({ sdk_version: null, target_platform: 'ios', entry_file: 'index.js', environment: 'development', dev: false });
    const changed = await run('updateProjectSettings', ada, { path, body: { preview: { target_platform: 'android' }, ai: { enabled: false } } });
    expect(changed.data.preview).to.deep.equal({ ...before.data.preview, target_platform: 'android' });
    expect(changed.data.ai.enabled).to.equal(false);
    expect(changed.data.notifications).to.deep.equal(before.data.notifications);
    const read = await run('getProjectSettings', ada, { path });
    expect([read.data, read.etag]).to.deep.equal([changed.data, changed.etag]);
    expect(await codeOf(run('updateProjectSettings', ada, { path, body: { ai: { enabled: true } } }, { ifMatch: before.etag ?? '' }))).to.equal('PRECONDITION_FAILED');
  });

  it('lose no setting when two groups are changed at once', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    await Promise.all([
      run('updateProjectSettings', ada, { path, body: { preview: { dev: true } } }),
      run('updateProjectSettings', ada, { path, body: { ai: { enabled: false } } }),
      run('updateProjectSettings', ada, { path, body: { notifications: { preview_ready: false } } }),
    ]);
    const { data } = await run('getProjectSettings', ada, { path });
    expect([data.preview.dev, data.ai.enabled, data.notifications.preview_ready]).to.deep.equal([true, false, false]);
  });

  it('stop at the tier\'s number, also when the last place is raced for, and go on when one is deleted', async () => {
    const { run, project } = backend.current;
    const ada = await person('free');
    for (let count = 0; count < 4; count += 1) await project(ada);
    const race = await Promise.allSettled(Array.from({ length: 6 }, () => run('createProject', ada, { body: { name: 'last' } })));
    expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    const refusal = await refusalOf(run('createProject', ada, { body: { name: 'sixth' } }));
    expect([refusal.code, refusal.details]).to.deep.equal(['QUOTA_EXCEEDED', { limit: 'projects', allowed: 5, used: 5, tier: 'free', upgrade_to: 'pro' }]);
    const { data } = await run('listProjects', ada);
    await run('deleteProject', ada, { path: { project_id: data.items[0]?.id ?? '' } });
    await run('createProject', ada, { body: { name: 'sixth' } });
  });

  it('are gone from every view the moment they are deleted', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    expect((await run('deleteProject', ada, { path })).status).to.equal(204);
    expect(await namesOf(ada)).to.deep.equal([]);
    const gone: Promise<unknown>[] = [
      run('getProject', ada, { path }), run('updateProject', ada, { path, body: { name: 'x' } }),
      run('getProjectSettings', ada, { path }), run('deleteProject', ada, { path }),
    ];
    expect(await Promise.all(gone.map(codeOf))).to.deep.equal(gone.map(() => 'NOT_FOUND'));
  });

  it('go into a team only by a member of it', async () => {
    const { run, database: { db } } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = newId();
    await db.knex('teams').insert({ id: teamId, owner_id: ben.userId, name: 'Pollen' });
    await db.knex('team_members').insert({ id: newId(), team_id: teamId, user_id: ada.userId, role: 'Admin', status: 'invited' });
    expect(await codeOf(run('createProject', ada, { body: { name: 'x', team_id: teamId } }))).to.equal('NOT_FOUND');
    await db.knex('team_members').where({ user_id: ada.userId }).update({ status: 'active' });
    expect((await run('createProject', ada, { body: { name: 'x', team_id: teamId } })).data.team_id).to.equal(teamId);
  });

  it('are not made by a key that is restricted to some', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const mine = await project(ada, { name: 'mine' });
    await project(ada, { name: 'other' });
    const key = { kind: 'api_key', userId: ada.userId, keyId: newId(), tier: 'premium', isVerified: true, scopes: ['projects:read'], projectIds: [mine] } as const;
    expect(await codeOf(run('createProject', key, { body: { name: 'x' } }))).to.equal('FORBIDDEN');
    const { data } = await run('listProjects', key);
    expect([data.items.map((item) => item.name), data.page.total]).to.deep.equal([['mine'], 1]);
  });

  it('refuse metadata of more than 16 KiB, named by its pointer', async () => {
    const { run } = backend.current;
    const refusal = await refusalOf(run('createProject', await person(), { body: { name: 'x', metadata: { text: 'y'.repeat(16_400) } } }));
    expect([refusal.code, refusal.details]).to.deep.equal(
      ['VALIDATION_ERROR', [{ pointer: '#/body/metadata', message: 'must NOT have more than 16384 bytes', rule: 'maxBytes' }]]);
  });

  it('cost a fixed number of statements, however many there are', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    for (let count = 0; count < 5; count += 1) await project(ada);
    const [id = ''] = (await run('listProjects', ada)).data.items.map((item) => item.id);
    const path = { project_id: id };
    const cost = async (work: () => Promise<unknown>): Promise<number> => (await statementsOf(work)).length;
    const { data } = await run('listProjects', ada, { query: { limit: 2 } });
    expect(await cost(() => run('listProjects', ada))).to.equal(2);
    expect(await cost(() => run('listProjects', ada, { query: { limit: 2, cursor: data.page.next_cursor ?? '' } }))).to.equal(1);
    expect(await cost(() => run('getProject', ada, { path }))).to.equal(2);
    expect(await cost(() => run('updateProject', ada, { path, body: { name: 'x' } }))).to.equal(6);
    // The lock, the count, the row, audit and event.
    expect(await cost(() => run('createProject', ada, { body: { name: 'x' } }))).to.equal(5);
    // The policy, and again behind the lock; the row, audit and event; the erasure and two jobs with their messages; the builds and the live sessions that are open.
    expect(await cost(() => run('deleteProject', ada, { path }))).to.equal(13);
  });
});

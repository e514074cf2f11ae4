import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, type Reply, useBackend } from '../../support/backend.ts';
import { eventsOf, joinProject, joinTeam, teamOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

type Tag = DataOf<'createProjectTag'>;
const color = '#0a7f5a';

describe('the tags of a project', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const tag = async (who: Person, projectId: string, name: string): Promise<Tag> =>
    (await backend.current.run('createProjectTag', who, { path: { project_id: projectId }, body: { name, color } })).data;

  it('are made, changed and deleted with a version; each leaves its audit and tells of the project', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const made = await run('createProjectTag', ada, { path: { project_id: projectId }, body: { name: 'mobile', color } });
    expect([made.status, made.etag, made.data]).to.deep.equal([201, '1', { id: made.data.id, name: 'mobile', color }]);
    const path = { project_id: projectId, tag_id: made.data.id };
    const changed = await run('updateProjectTag', ada, { path, body: { name: 'Mobile' } }, { ifMatch: '1' });
    expect([changed.data, changed.etag]).to.deep.equal([{ id: made.data.id, name: 'Mobile', color }, '2']);
    expect((await run('updateProjectTag', ada, { path, body: { name: 'Mobile', color } })).etag, 'nothing changed').to.equal('2');
    for (const call of [() => run('updateProjectTag', ada, { path, body: { name: 'x' } }, { ifMatch: '1' }), () => run('deleteProjectTag', ada, { path }, { ifMatch: '1' })]) {
      expect(await codeOf(call())).to.equal('PRECONDITION_FAILED');
    }
    expect((await run('deleteProjectTag', ada, { path }, { ifMatch: '2' })).status).to.equal(204);
    expect(await codeOf(run('deleteProjectTag', ada, { path }))).to.equal('NOT_FOUND');
    expect(await sql('select event_type, entity_type, user_id, project_id, data from audit_logs where entity_id = ? order by id', [made.data.id])).to.deep.equal([
      ['project.tag_created', { name: 'mobile', color }],
      ['project.tag_updated', { from: { name: 'mobile', color }, to: { name: 'Mobile', color } }],
      ['project.tag_deleted', { name: 'Mobile', color }],
    ].map(([type, data]) => ({ event_type: type, entity_type: 'tag', user_id: ada.userId, project_id: projectId, data })));
    const told = await eventsOf(backend.current, ['project.updated'], projectId);
    expect(told).to.deep.equal([1, 2, 3].map(() => ({ type: 'project.updated', projectId, data: { fields: ['tags'] } })));
  });

  it('have names that are one in upper and lower case within a project, and free in another', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const [here, there] = [await project(ada), await project(ada)];
    await tag(ada, here, 'Mobile');
    const other = await tag(ada, here, 'web');
    for (const call of [
      () => run('createProjectTag', ada, { path: { project_id: here }, body: { name: 'mOBILE', color } }),
      () => run('updateProjectTag', ada, { path: { project_id: here, tag_id: other.id }, body: { name: 'MOBILE' } }),
    ]) {
      const refusal = await refusalOf(call());
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { field: 'name' }]);
    }
    await tag(ada, there, 'mobile');
    const race = await Promise.allSettled(Array.from({ length: 6 }, (_, at) => tag(ada, here, at % 2 === 0 ? 'bees' : 'BEES')));
    expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
  });

  it('are fifty at most, also when the last place is raced for, and free a place when they go', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    await sql(`insert into project_tags (id, project_id, name, color) select gen_random_uuid(), ?, 'tag ' || at, '#000000' from generate_series(1, 48) at`, [projectId]);
    const race = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => tag(ada, projectId, `last ${at}`)));
    expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(2);
    const refusal = await refusalOf(tag(ada, projectId, 'one more'));
    expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { allowed: 50 }]);
    const { data } = await run('getProject', ada, { path: { project_id: projectId } });
    expect(data.tags).to.have.length(50);
    await run('deleteProjectTag', ada, { path: { project_id: projectId, tag_id: data.tags[0]?.id ?? '' } });
    await tag(ada, projectId, 'one more');
  });

  it('are listed by name and walked by cursor in that order, which is the project\'s too', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const names = ['a|b', 'A', 'b', 'Z', 'ä', '🐝', 'a'.repeat(50), '%', 'B|'];
    for (const name of names) await tag(ada, path.project_id, name);
    const { data } = await run('listProjectTags', ada, { path });
    const whole = data.items.map(({ name }) => name);
    expect(whole).to.deep.equal([...names].sort((a, b) => Buffer.compare(Buffer.from(a.toLowerCase()), Buffer.from(b.toLowerCase()))));
    expect(data.page).to.deep.equal({ limit: 50, offset: 0, total: 9, next_cursor: null });
    expect((await run('getProject', ada, { path })).data.tags).to.deep.equal(data.items);
    const listed = await run('listProjects', ada);
    expect(listed.data.items[0]?.tags).to.deep.equal(data.items);
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { data: DataOf<'listProjectTags'> } = await run('listProjectTags', ada, { path, query: { limit: 2, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...page.data.items.map(({ name }) => name));
      cursor = page.data.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal(whole);
    const first = await run('listProjectTags', ada, { path, query: { limit: 1 } });
    const elsewhere = { project_id: await project(ada) };
    expect(await codeOf(run('listProjectTags', ada, { path: elsewhere, query: { cursor: first.data.page.next_cursor ?? '' } }))).to.equal('VALIDATION_ERROR');
    expect(await countStatements(() => run('listProjectTags', ada, { path }))).to.equal(3);
  });

  it('move the project\'s ETag with each change, and make nobody\'s change of the project fail', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const seen: string[] = [];
    const see = async (): Promise<void> => { seen.push((await run('getProject', ada, { path })).etag ?? ''); };
    await see();
    const { id } = await tag(ada, path.project_id, 'mobile');
    await see();
    await run('updateProjectTag', ada, { path: { ...path, tag_id: id }, body: { color: '#000000' } });
    await see();
    expect(new Set(seen).size).to.equal(3);
    await run('updateProject', ada, { path, body: { name: 'Kept' } }, { ifMatch: seen[0] ?? '' });
  });

  it('are every member\'s to change, and nobody else\'s to see: a stranger is answered as if nothing were there', async () => {
    const { http, run, project } = backend.current;
    const [ada, ben, cy, eve] = [await person(), await person(), await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, cy);
    const projectId = await project(ada, { team_id: teamId });
    await joinProject(backend.current, projectId, ada, ben);
    const made = await tag(ben, projectId, 'by Ben');
    await run('updateProjectTag', cy, { path: { project_id: projectId, tag_id: made.id }, body: { name: 'by Cy' } });
    const ask = (who: Person, method: string, path: string, json?: unknown): Promise<Reply> =>
      http(method, path, { headers: who.headers, ...(json === undefined ? {} : { json }) });
    for (const [method, below, json] of [
      ['GET', '/tags'], ['POST', '/tags', { name: 'x', color }], ['PATCH', `/tags/${made.id}`, { name: 'x' }], ['DELETE', `/tags/${made.id}`],
      ['PUT', '/favorite'], ['DELETE', '/favorite'], ['GET', '/activity'],
    ] as const) {
      const [hidden, missing] = [await ask(eve, method, `/projects/${projectId}${below}`, json), await ask(eve, method, `/projects/${newId()}${below}`, json)];
      expect([hidden.status, hidden.text], `${method} ${below}`).to.deep.equal([404, missing.text]);
    }
    // A tag of another project is none of this one's.
    const other = await project(ada);
    const [elsewhere, missing] = [await ask(ada, 'PATCH', `/projects/${other}/tags/${made.id}`, { name: 'x' }), await ask(ada, 'PATCH', `/projects/${other}/tags/${newId()}`, { name: 'x' })];
    expect([elsewhere.status, elsewhere.text]).to.deep.equal([404, missing.text]);
    expect((await ask(ada, 'DELETE', `/projects/${other}/tags/${made.id}`)).status).to.equal(404);
    expect((await run('listProjectTags', ada, { path: { project_id: projectId } })).data.items.map(({ name }) => name)).to.deep.equal(['by Cy']);
  });

  it('end with the project: nothing is made of one that is deleted meanwhile', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const outcomes = await Promise.allSettled([run('deleteProject', ada, { path }), ...Array.from({ length: 5 }, (_, at) => tag(ada, path.project_id, `t${at}`))]);
    expect(outcomes[0]?.status).to.equal('fulfilled');
    expect(await codeOf(tag(ada, path.project_id, 'late'))).to.equal('NOT_FOUND');
    const [last] = await sql<{ event_type: string }>('select event_type from audit_logs where project_id = ? order by created_at desc, id desc limit 1', [path.project_id]);
    const made = outcomes.filter(({ status }) => status === 'fulfilled').length - 1;
    const [counted] = await sql<{ count: number }>('select count(*)::int as count from project_tags where project_id = ?', [path.project_id]);
    expect(counted?.count).to.equal(made);
    expect(last).to.not.equal(undefined);
  });

  it('are made once under one Idempotency-Key, with the first answer, its place and its version', async () => {
    const { http, project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const send = (name: string): Promise<Reply> => http('POST', `/projects/${projectId}/tags`, { headers: { ...ada.headers, 'idempotency-key': 'one-tag-only' }, json: { name, color } });
    const [first, again] = [await send('mobile'), await send('mobile')];
    expect([first.status, again.status, again.text]).to.deep.equal([201, 201, first.text]);
    expect(again.headers.get('idempotency-replayed')).to.equal('true');
    for (const name of ['etag', 'location']) expect(again.headers.get(name), name).to.equal(first.headers.get(name)).and.to.be.a('string');
    expect((await send('web')).error?.code).to.equal('IDEMPOTENCY_CONFLICT');
  });

  it('are reached by an API key for its projects alone, and changed only with the scope to write', async () => {
    const { http, run, project } = backend.current;
    const ada = await person();
    const [inside, outside] = [await project(ada), await project(ada)];
    const keyed = async (scopes: ('projects:read' | 'projects:write')[]): Promise<Record<string, string>> =>
      ({ 'x-api-key': (await run('createApiKey', ada, { body: { name: 'CI', scopes, project_ids: [inside] } })).data.key });
    const [reading, writing] = [await keyed(['projects:read']), await keyed(['projects:write'])];
    const json = { name: 'mobile', color };
    const status = async (headers: Record<string, string>, method: string, path: string, sent?: unknown): Promise<number> =>
      (await http(method, path, { headers, ...(sent === undefined ? {} : { json: sent }) })).status;
    expect(await status(reading, 'GET', `/projects/${inside}/tags`)).to.equal(200);
    expect(await status(reading, 'GET', `/projects/${inside}/activity`)).to.equal(200);
    expect(await status(reading, 'GET', `/projects/${outside}/tags`)).to.equal(404);
    expect(await status(reading, 'GET', `/projects/${outside}/activity`)).to.equal(404);
    expect(await status(reading, 'POST', `/projects/${inside}/tags`, json)).to.equal(403);
    expect(await status(writing, 'POST', `/projects/${outside}/tags`, json)).to.equal(404);
    expect(await status(writing, 'POST', `/projects/${inside}/tags`, json)).to.equal(201);
    expect(await status(writing, 'PUT', `/projects/${inside}/favorite`), 'a mark is a person\'s').to.equal(403);
  });
});

describe('a favourite', () => {
  const backend = useBackend();

  it('is the caller\'s alone, the same when marked or taken away again, and part of the project\'s ETag', async () => {
    const { run, project, sql } = backend.current;
    const [ada, ben] = [await backend.current.person(), await backend.current.person()];
    const path = { project_id: await project(ada) };
    await joinProject(backend.current, path.project_id, ada, ben);
    const see = async (who: Person): Promise<{ is: boolean; etag: string | null }> => {
      const { data, etag } = await run('getProject', who, { path });
      return { is: data.is_favorite, etag };
    };
    const [before, others] = [await see(ada), await see(ben)];
    const [{ told }] = await sql<{ told: number }>('select count(*)::int as told from outbox') as [{ told: number }];
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => run('favoriteProject', ada, { path })));
    expect(outcomes.map(({ status }) => status)).to.deep.equal([204, 204, 204, 204]);
    const marked = await see(ada);
    expect(marked.is).to.equal(true);
    expect(marked.etag).to.not.equal(before.etag);
    expect(await see(ben)).to.deep.equal(others);
    expect((await run('listProjects', ada, { query: { favorite: true } })).data.items.map(({ id }) => id)).to.deep.equal([path.project_id]);
    expect((await run('listProjects', ben, { query: { favorite: true } })).data.items).to.deep.equal([]);
    for (let times = 0; times < 2; times += 1) expect((await run('unfavoriteProject', ada, { path })).status).to.equal(204);
    expect(await see(ada)).to.deep.equal(before);
    expect(await sql('select count(*)::int as told from outbox'), 'nobody is told').to.deep.equal([{ told }]);
  });
});

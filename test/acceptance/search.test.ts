import { expect } from 'chai';
import { type Person, useSystem } from '../support/system.ts';
import { failureOf } from '../support/failures.ts';

const missing = '01920000-0000-7000-8000-00000000ffff';

describe('search over the wire', () => {
  const system = useSystem({ apis: 2 });

  const begin = async (): Promise<Person & { projectId: string }> => {
    const person = await system.current.person();
    return { ...person, projectId: (await person.hive.api.createProject({ body: { name: 'Field Notes' } })).id };
  };

  it('finds projects, tasks and comments in one list, faults forgiven, with the places to highlight', async () => {
    const { hive, projectId } = await begin();
    const path = { project_id: projectId };
    const task = await hive.api.createTask({ path, body: { title: '🚀 Choose a tile format' } });
    const comment = await hive.api.createComment({ path, body: { entity_type: 'task', entity_id: task.id, body: 'Vector tiles, or the café\'s own format?' } });
    const { items, page } = await hive.api.search({ query: { q: 'FORMAT tile' } });
    expect(page).to.deep.equal({ limit: 50, offset: 0, total: 2, next_cursor: null });
    expect(items.map(({ type, id }) => [type, id])).to.deep.equal([['task', task.id], ['comment', comment.id]]);
    expect(items[0]).to.deep.include({
      project_id: projectId, project_name: 'Field Notes', title: '🚀 Choose a tile format', excerpt: null, commented_on: null, updated_at: task.updated_at,
      highlights: [{ field: 'title', start: 12, end: 16 }, { field: 'title', start: 17, end: 23 }],
    });
    expect(items[1]).to.deep.include({ title: '🚀 Choose a tile format', excerpt: 'Vector tiles, or the café\'s own format?', commented_on: { entity_type: 'task', entity_id: task.id } });
    for (const [q, type] of [['fromat', 'task'], ['cafe', 'comment'], ['feild notes', 'project']] as const) {
      expect((await hive.api.search({ query: { q } })).items[0]?.type, q).to.equal(type);
    }
    expect((await hive.api.search({ query: { q: 'format', types: ['comment', 'project'] } })).items.map(({ id }) => id)).to.deep.equal([comment.id]);
  });

  it('is walked to the end, each once, over either process', async () => {
    const { hive, projectId } = await begin();
    for (let at = 0; at < 9; at += 1) await hive.api.createTask({ path: { project_id: projectId }, body: { title: `Wander ${at}` } });
    const seen: string[] = [];
    for await (const { id } of hive.paginate(hive.api.search, { query: { q: 'wander', limit: 2 } })) seen.push(id);
    expect(seen).to.deep.equal((await hive.api.search({ query: { q: 'wander' } })).items.map(({ id }) => id));
    expect(new Set(seen).size).to.equal(9);
  });

  it('shows a stranger nothing, and a restricted key only its projects', async () => {
    const [ada, ben] = [await begin(), await begin()];
    const other = (await ada.hive.api.createProject({ body: { name: 'Other notes' } })).id;
    expect((await ben.hive.api.search({ query: { q: 'other notes' } })).items).to.deep.equal([]);
    for (const projectId of [ada.projectId, missing]) {
      expect(await failureOf(ben.hive.api.search({ query: { q: 'notes', project_id: projectId } }))).to.include({ code: 'NOT_FOUND', status: 404 });
    }
    const { key } = await ada.hive.api.createApiKey({ body: { name: 'search', scopes: ['search:read'], project_ids: [other] } });
    const answer = await fetch(`${system.current.urlOf(1)}/api/v1/search?q=notes`, { headers: { 'x-api-key': key } });
    const { data } = await answer.json() as { data: { items: { project_id: string }[] } };
    expect([answer.status, data.items.map(({ project_id: id }) => id)]).to.deep.equal([200, [other]]);
    await ada.hive.api.deleteProject({ path: { project_id: other } });
    expect((await ada.hive.api.search({ query: { q: 'other notes' } })).items).to.deep.equal([]);
  });

  it('asks for three characters', async () => {
    const { hive } = await begin();
    for (const q of ['ab', '  ab  ']) expect(await failureOf(hive.api.search({ query: { q } })), q).to.include({ code: 'VALIDATION_ERROR', status: 400 });
  });
});

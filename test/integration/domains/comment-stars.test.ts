import { expect } from 'chai';
import { type Person, useBackend } from '../../support/backend.ts';
import { joinProject } from '../../support/belonging.ts';
import { bodiesOf, commentIn, readComment, replyTo, walkComments } from '../../support/comments.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { taskIn } from '../../support/tasks.ts';

describe('stars of comments', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const star = (who: Person, { id }: { id: string }): Promise<unknown> => backend.current.run('starComment', who, { path: { comment_id: id } });
  const unstar = (who: Person, { id }: { id: string }): Promise<unknown> => backend.current.run('unstarComment', who, { path: { comment_id: id } });

  it('are each person\'s own, on or off, and counted; again changes nothing', async () => {
    const { project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const made = await commentIn(backend.current, ada, projectId);
    const seenBy = async (who: Person): Promise<[boolean, number]> => {
      const { is_starred: isStarred, star_count: stars } = await readComment(backend.current, who, made);
      return [isStarred, stars];
    };
    await unstar(ben, made);
    for (let twice = 0; twice < 2; twice += 1) await star(ben, made);
    expect([await seenBy(ada), await seenBy(ben)]).to.deep.equal([[false, 1], [true, 1]]);
    await star(ada, made);
    expect([await seenBy(ada), await seenBy(ben)]).to.deep.equal([[true, 2], [true, 2]]);
    for (let twice = 0; twice < 2; twice += 1) await unstar(ben, made);
    expect([await seenBy(ada), await seenBy(ben)]).to.deep.equal([[true, 1], [false, 1]]);
    expect((await readComment(backend.current, ada, made)).updated_at, 'the comment is as it was').to.equal(made.updated_at);
  });

  it('count right when forty come at once, by twenty people twice each, and when they go while others come', async () => {
    const { project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const people = await Promise.all(Array.from({ length: 20 }, person));
    await sql("insert into project_members (id, project_id, user_id, role, joined_at) select gen_random_uuid(), ?, id, 'Member', now() from unnest(?::uuid[]) as id", [projectId, people.map(({ userId }) => userId)]);
    const made = await commentIn(backend.current, ada, projectId);
    await Promise.all([...people, ...people].map((who) => star(who, made)));
    expect((await readComment(backend.current, ada, made)).star_count).to.equal(20);
    await Promise.all([...people.slice(0, 10).map((who) => unstar(who, made)), star(ada, made), ...people.slice(10).map((who) => star(who, made))]);
    expect((await readComment(backend.current, ada, made)).star_count).to.equal(11);
  });

  it('narrow a list to one\'s own, or to the others, and nobody walks it by somebody else\'s cursor', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    for (const text of ['a', 'b', 'c', 'd']) {
      const made = await commentIn(backend.current, ada, projectId, { body: text });
      if (text !== 'c') await star(ada, made);
      if (text === 'c') await star(ben, made);
    }
    const bodies = (who: Person, query: Record<string, unknown>) => bodiesOf(backend.current, who, projectId, query);
    expect([await bodies(ada, { starred: true }), await bodies(ada, { starred: false }), await bodies(ben, { starred: true }), await bodies(ben, { starred: false })])
      .to.deep.equal([['a', 'b', 'd'], ['c'], ['c'], ['a', 'b', 'd']]);
    const { data } = await run('listComments', ada, { path: { project_id: projectId }, query: { starred: true, limit: 1 } });
    expect(await codeOf(run('listComments', ben, { path: { project_id: projectId }, query: { starred: true, limit: 1, cursor: data.page.next_cursor ?? '' } }))).to.equal('VALIDATION_ERROR');
  });
});

describe('lists of comments', () => {
  const backend = useBackend();

  it('are narrowed by every filter, together too, and say how many there are', async () => {
    const { run, project, person } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const task = await taskIn(backend.current, ada, projectId);
    const code = (path: string) => ({ entity_type: 'code', anchor: { path, line_start: 1, line_end: 2 } }) as const;
    const on = { project: { entity_type: 'project' }, task: { entity_type: 'task', entity_id: task.id }, map: code('src/Map.tsx'), app: code('src/App.tsx') } as const;
    for (const [name, where] of Object.entries(on)) {
      const root = await commentIn(backend.current, ada, projectId, { ...where, body: name });
      await replyTo(backend.current, ben, root, `${name}+`);
    }
    const list = (query: Record<string, unknown>) => bodiesOf(backend.current, ada, projectId, query);
    const { data: { items } } = await run('listComments', ada, { path: { project_id: projectId } });
    const rootOfMap = items.find(({ body }) => body === 'map')?.id;
    for (const [query, bodies] of [
      [{}, ['project', 'project+', 'task', 'task+', 'map', 'map+', 'app', 'app+']],
      [{ sort: '-created_at' }, ['app+', 'app', 'map+', 'map', 'task+', 'task', 'project+', 'project']],
      [{ entity_type: 'code' }, ['map', 'map+', 'app', 'app+']],
      [{ entity_type: 'code', path: 'src/Map.tsx' }, ['map', 'map+']],
      [{ entity_type: 'code', path: 'src/map.tsx' }, []],
      [{ entity_type: 'task', entity_id: task.id.toUpperCase() }, ['task', 'task+']],
      [{ entity_type: 'project', entity_id: projectId }, ['project', 'project+']],
      [{ entity_type: 'preview' }, []],
      [{ parent_id: rootOfMap }, ['map+']],
      [{ top_level: true }, ['project', 'task', 'map', 'app']],
      [{ top_level: false, author_id: ben.userId, entity_type: 'code' }, ['map+', 'app+']],
      [{ author_id: ada.userId, sort: '-created_at', limit: 2, offset: 1 }, ['map', 'task']],
      [{ top_level: true, author_id: ben.userId }, []],
    ] as const) expect(await list(query), JSON.stringify(query)).to.deep.equal(bodies);
    const { data: { page } } = await run('listComments', ada, { path: { project_id: projectId }, query: { entity_type: 'code', limit: 1, offset: 1 } });
    expect([page.total, page.offset, page.limit]).to.deep.equal([4, 1, 1]);
    for (const [query, pointer] of [
      [{ entity_id: task.id }, '#/query/entity_id'], [{ path: 'src/Map.tsx' }, '#/query/path'], [{ entity_type: 'task', path: 'src/Map.tsx' }, '#/query/path'],
    ] as const) {
      const { code: refused, details } = await refusalOf(list(query));
      expect([refused, (details as { pointer: string }[])[0]?.pointer]).to.deep.equal(['VALIDATION_ERROR', pointer]);
    }
  });

  it('are walked to the end in both orders, each comment once, also where many were written in one moment and others come meanwhile', async () => {
    const { project, person, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    await sql("insert into comments (id, project_id, entity_type, entity_id, author_id, body, created_at) select gen_random_uuid(), ?, 'project', ?, ?, 'n' || n, timestamptz '2026-03-02' + n / 7 * interval '1 millisecond' from generate_series(1, 40) as n", [projectId, projectId, ada.userId]);
    for (const sort of ['created_at', '-created_at']) {
      const whole = await bodiesOf(backend.current, ada, projectId, { sort, limit: 200 });
      expect(await walkComments(backend.current, ada, projectId, { sort, limit: 3 })).to.deep.equal(whole);
      expect(new Set(whole).size).to.equal(40);
    }
    const { data } = await backend.current.run('listComments', ada, { path: { project_id: projectId }, query: { sort: '-created_at', limit: 5 } });
    await commentIn(backend.current, ada, projectId, { body: 'newer' });
    const next = await bodiesOf(backend.current, ada, projectId, { sort: '-created_at', limit: 5, cursor: data.page.next_cursor ?? '' });
    expect(next.some((body) => body === 'newer' || data.items.some((seen) => seen.body === body))).to.equal(false);
    for (const query of [{ sort: 'created_at' }, { sort: '-created_at', top_level: true }, { sort: '-created_at', entity_type: 'project' }]) {
      expect(await codeOf(bodiesOf(backend.current, ada, projectId, { ...query, cursor: data.page.next_cursor ?? '' })), JSON.stringify(query)).to.equal('VALIDATION_ERROR');
    }
  });
});

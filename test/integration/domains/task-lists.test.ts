import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { joinProject } from '../../support/belonging.ts';
import { codeOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { depend, labelIn, setStatus, type Task, taskIn, titlesOf, walk } from '../../support/tasks.ts';

const sorts = ['created_at', '-created_at', 'updated_at', '-updated_at', 'due_date', '-due_date', 'title', '-title'] as const;

describe('tasks in a list', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const task = (who: Person, projectId: string, body: Parameters<typeof taskIn>[3] = {}): Promise<Task> => taskIn(backend.current, who, projectId, body);
  const titles = (who: Person, projectId: string, query: Record<string, unknown> = {}): Promise<string[]> => titlesOf(backend.current, who, projectId, query);

  it('are narrowed by status, assignee, label, due date, part of the title and ids, all together', async () => {
    const { project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const label = await labelIn(backend.current, ada, projectId, 'map');
    const made = {
      one: await task(ada, projectId, { title: 'one', status: 'done', due_date: '2026-03-01T00:00:00.000Z' }),
      two: await task(ada, projectId, { title: 'two', assignee_id: ben.userId, due_date: '2026-03-02T00:00:00.000Z', label_ids: [label] }),
      three: await task(ada, projectId, { title: 'three', assignee_id: ben.userId, status: 'in_progress', label_ids: [label] }),
      four: await task(ada, projectId, { title: 'four', status: 'cancelled' }),
    };
    const elsewhere = await task(ada, await project(ada), { title: 'two' });
    const list = (query: Record<string, unknown>): Promise<string[]> => titles(ada, projectId, query);
    expect(await list({})).to.deep.equal(['four', 'three', 'two', 'one']);
    expect(await list({ status: ['done'] })).to.deep.equal(['one']);
    expect(await list({ status: ['cancelled', 'done'] })).to.deep.equal(['four', 'one']);
    expect(await list({ assignee_id: ben.userId })).to.deep.equal(['three', 'two']);
    expect(await list({ label_id: label })).to.deep.equal(['three', 'two']);
    expect(await list({ label_id: newId() })).to.deep.equal([]);
    expect(await list({ due_before: '2026-03-02T00:00:00Z' })).to.deep.equal(['one']);
    expect(await list({ due_after: '2026-03-02T00:00:00Z' })).to.deep.equal(['two']);
    expect(await list({ due_after: '2026-03-01T00:00:00Z', due_before: '2026-03-03T00:00:00+01:00' })).to.deep.equal(['two', 'one']);
    expect(await list({ ids: [made.four.id, made.one.id, elsewhere.id, newId()] })).to.deep.equal(['four', 'one']);
    expect(await list({ assignee_id: ben.userId, label_id: label, status: ['todo'], q: 'w', ids: [made.two.id, made.three.id], due_after: '2026-01-01T00:00:00Z' })).to.deep.equal(['two']);
  });

  it('are found by one, two and more letters of their title without regard to case, every character for itself', async () => {
    const { project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    for (const title of ['Żółw map', '100% honey', 'bee_keeper', 'beeXkeeper', 'back\\slash', 'a|bar', '山田 太郎']) await task(ada, projectId, { title });
    const found = (q: string): Promise<string[]> => titles(ada, projectId, { q, sort: 'title' });
    expect(await found('Ż')).to.deep.equal(['Żółw map']);
    expect(await found('żół')).to.deep.equal(['Żółw map']);
    expect(await found('MA')).to.deep.equal(['Żółw map']);
    expect(await found('%')).to.deep.equal(['100% honey']);
    expect(await found('_k')).to.deep.equal(['bee_keeper']);
    expect(await found('BEE')).to.deep.equal(['bee_keeper', 'beexkeeper'.replace('x', 'X')]);
    expect(await found('k\\s')).to.deep.equal(['back\\slash']);
    expect(await found('|')).to.deep.equal(['a|bar']);
    expect(await found('田 ')).to.deep.equal(['山田 太郎']);
    expect(await found('nothing of this kind')).to.deep.equal([]);
  });

  it('are walked by cursor in every order as the whole list is, without dates last, ties by id', async () => {
    const { project, run, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    for (let at = 0; at < 24; at += 1) {
      await task(ada, projectId, {
        title: `${['Same|same', 'b', 'A', 'ä', '🐝'.repeat(200 - (at % 3)), `t${at}`][at % 6]}`,
        ...(at % 3 === 0 ? {} : { due_date: `2026-03-0${1 + (at % 4)}T00:00:00.000Z` }),
      });
    }
    await sql("update tasks set created_at = date_trunc('second', created_at) where project_id = ?", [projectId]);
    for (const sort of sorts) {
      const whole = (await run('listTasks', ada, { path: { project_id: projectId }, query: { sort } })).data.items;
      expect(whole).to.have.length(24);
      expect(await walk(backend.current, ada, projectId, { sort, limit: 5 }), sort).to.deep.equal(whole.map(({ title }) => title));
      const key = ({ title, ...item }: Task): string => (sort.endsWith('title') ? title.toLowerCase() : (item[sort.replace('-', '') as 'due_date'] ?? ''));
      const places = whole.map((item) => [key(item), item.id] as const);
      const ordered = [...places].sort(([a, i], [b, j]) => {
        if ((a === '') !== (b === '')) return a === '' ? 1 : -1;
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b)) || Buffer.compare(Buffer.from(i), Buffer.from(j));
        return sort.startsWith('-') ? -bytes : bytes;
      });
      expect(places.map(([, id]) => id), sort).to.deep.equal(ordered.map(([, id]) => id));
      const offset = (await run('listTasks', ada, { path: { project_id: projectId }, query: { sort, limit: 7, offset: 9 } })).data;
      expect(offset.items.map(({ id }) => id), sort).to.deep.equal(whole.slice(9, 16).map(({ id }) => id));
      expect(offset.page).to.deep.include({ offset: 9, total: 24 });
    }
  });

  it('are walked without loss or double while others are made and changed', async () => {
    const { project, run } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    for (let at = 0; at < 11; at += 1) await task(ada, projectId, { title: `t${at}` });
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const { data }: { data: { items: Task[]; page: { next_cursor: string | null; total: number | null; offset: number | null } } } =
        await run('listTasks', ada, { path: { project_id: projectId }, query: { limit: 3, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...data.items.map(({ title }) => title));
      if (cursor !== null) expect(data.page).to.include({ offset: null, total: null });
      cursor = data.page.next_cursor;
      await task(ada, projectId, { title: 'late' });
      await setStatus(backend.current, ada, data.items[0]?.id ?? '', 'in_review');
    } while (cursor !== null);
    expect(walked).to.deep.equal(Array.from({ length: 11 }, (_, at) => `t${10 - at}`));
  });

  it('refuse a cursor of another list, order or filter, and one that is none', async () => {
    const { project, run } = backend.current;
    const ada = await person();
    const [here, there] = [await project(ada), await project(ada)];
    for (let at = 0; at < 3; at += 1) await task(ada, here, { title: `t${at}` });
    const next = async (query: Record<string, unknown>): Promise<string> =>
      (await run('listTasks', ada, { path: { project_id: here }, query: { limit: 1, ...query } })).data.page.next_cursor ?? '';
    const refuse = async (projectId: string, query: Record<string, unknown>): Promise<void> => {
      expect(await codeOf(run('listTasks', ada, { path: { project_id: projectId }, query })), JSON.stringify(query)).to.equal('VALIDATION_ERROR');
    };
    const cursor = await next({});
    await refuse(here, { cursor, q: 't' });
    await refuse(here, { cursor, sort: 'title' });
    await refuse(here, { cursor, status: ['todo'] });
    await refuse(there, { cursor });
    await refuse(here, { cursor: 'bm9uZQ' });
    const twoStates = await next({ status: ['todo', 'done'] });
    expect((await run('listTasks', ada, { path: { project_id: here }, query: { cursor: twoStates, status: ['done', 'todo'] } })).data.items, 'in another order of words').to.have.length(2);
    const garble = (made: string, change: (parts: string[]) => string[]): string =>
      Buffer.from(change(Buffer.from(made, 'base64url').toString().split('|')).join('|')).toString('base64url');
    await refuse(here, { cursor: garble(cursor, ([, id = '', mark = '']) => ['yesterday', id, mark]) });
    await refuse(here, { sort: 'due_date', cursor: garble(await next({ sort: 'due_date' }), ([, id = '', mark = '']) => ['2026-02-30T00:00:00.000Z', id, mark]) });
    await refuse(here, { sort: 'title', cursor: garble(await next({ sort: 'title' }), ([at = '', , mark = '']) => [at, 'no-id', mark]) });
  });

  it('cost a fixed number of statements, whatever they carry', async () => {
    const { project, run } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const label = await labelIn(backend.current, ada, projectId, 'map');
    const path = { project_id: projectId };
    const cost = async (query: Record<string, unknown>): Promise<number> => countStatements(() => run('listTasks', ada, { path, query }));
    const first = await task(ada, projectId, { label_ids: [label] });
    expect(await cost({})).to.equal(3);
    for (let at = 0; at < 12; at += 1) await depend(backend.current, ada, (await task(ada, projectId, { label_ids: [label] })).id, first.id);
    expect(await cost({ limit: 5 })).to.equal(3);
    expect(await cost({ label_id: label, q: 'map', status: ['todo'], sort: '-due_date' })).to.equal(3);
    const { data } = await run('listTasks', ada, { path, query: { limit: 5 } });
    expect(await cost({ limit: 5, cursor: data.page.next_cursor })).to.equal(2);
  });
});

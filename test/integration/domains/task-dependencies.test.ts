import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { depend, setStatus, type Task, taskIn } from '../../support/tasks.ts';

const fulfilled = (tries: readonly PromiseSettledResult<unknown>[]): number => tries.filter(({ status }) => status === 'fulfilled').length;

describe('what tasks wait for', () => {
  const backend = useBackend();
  let ada: Person;
  before(async () => { ada = await backend.current.person(); });
  const project = (): Promise<string> => backend.current.project(ada);
  const tasks = (projectId: string, count: number): Promise<Task[]> => Promise.all(Array.from({ length: count }, (_, at) => taskIn(backend.current, ada, projectId, { title: `t${at}` })));
  const ids = async (projectId: string, count: number): Promise<string[]> => (await tasks(projectId, count)).map(({ id }) => id);
  const add = (task = '', on = ''): Promise<unknown> => depend(backend.current, ada, task, on);
  const remove = (task = '', on = ''): Promise<unknown> => backend.current.run('removeTaskDependency', ada, { path: { task_id: task, depends_on_task_id: on } });
  const set = (task = '', status: Task['status'] = 'done'): Promise<Task> => setStatus(backend.current, ada, task, status);
  const read = async (task = ''): Promise<Task> => (await backend.current.run('getTask', ada, { path: { task_id: task } })).data;
  const list = async (task = '', query: Record<string, unknown> = {}): Promise<DataOf<'listTaskDependencies'>> =>
    (await backend.current.run('listTaskDependencies', ada, { path: { task_id: task }, query })).data;
  /** Edges as they are, without the way that refuses circles. */
  const write = (edges: readonly (readonly [string, string])[]): Promise<unknown> =>
    backend.current.database.db.knex.batchInsert('task_dependencies', edges.map(([task_id, depends_on_task_id]) => ({ task_id, depends_on_task_id })), 1_000);

  it('is added and taken away alike when repeated, each leaving its audit once', async () => {
    const [a = '', b = ''] = await ids(await project(), 2);
    await add(a, b);
    await add(a, b.toUpperCase());
    expect((await read(a)).is_blocked).to.equal(true);
    const { items } = await list(a);
    expect(items).to.have.length(1);
    expect(items[0]).to.include({ task_id: a, depends_on_task_id: b, title: (await read(b)).title, status: 'todo' });
    await remove(a, b);
    await remove(a, b);
    await remove(a, newId());
    expect((await read(a)).is_blocked).to.equal(false);
    const rows = await backend.current.sql<{ event_type: string; data: unknown }>("select event_type, data from audit_logs where entity_id = ? and event_type like 'task.dependency%' order by id", [a]);
    expect(rows.map(({ event_type: type, data }) => [type, data])).to.deep.equal([
      ['task.dependency_added', { depends_on_task_id: b }], ['task.dependency_removed', { depends_on_task_id: b }],
    ]);
  });

  it('is listed in the order it was added, walked by cursor in the same', async () => {
    const [task = '', ...on] = await ids(await project(), 8);
    for (const one of on) await add(task, one);
    await backend.current.sql("update task_dependencies set created_at = now() + interval '1 second' where task_id = ? and depends_on_task_id = any(?)", [task, on.slice(2, 5)]);
    const whole = (await list(task)).items.map((item) => item.depends_on_task_id);
    expect(whole).to.deep.equal([...on.slice(0, 2), ...on.slice(5), ...on.slice(2, 5).sort()]);
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await list(task, { limit: 2, ...(cursor === null ? {} : { cursor }) });
      walked.push(...page.items.map((item) => item.depends_on_task_id));
      cursor = page.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal(whole);
    expect((await list(task)).page.total).to.equal(7);
    expect(await countStatements(() => list(task))).to.equal(3);
  });

  it('is of one project, and of one the caller sees', async () => {
    const { run } = backend.current;
    const eve = await backend.current.person();
    const [[a = '', c = ''], [b = '']] = [await ids(await project(), 2), await ids(await project(), 1)];
    expect(await codeOf(add(a, b))).to.equal('NOT_FOUND');
    expect(await codeOf(add(a, newId()))).to.equal('NOT_FOUND');
    const hers = await taskIn(backend.current, eve, await backend.current.project(eve));
    expect(await codeOf(add(a, hers.id))).to.equal('NOT_FOUND');
    for (const call of [
      () => depend(backend.current, eve, a, c), () => depend(backend.current, eve, hers.id, a), () => run('listTaskDependencies', eve, { path: { task_id: a } }),
      () => run('removeTaskDependency', eve, { path: { task_id: a, depends_on_task_id: c } }),
    ]) expect(await codeOf(call())).to.equal('NOT_FOUND');
  });

  describe('an unfinished one', () => {
    it('keeps a task from becoming done, and names itself; done and cancelled do not', async () => {
      const [task = '', one = '', two = '', three = ''] = await ids(await project(), 4);
      for (const on of [one, two, three]) await add(task, on);
      await set(three, 'cancelled');
      const refusal = await refusalOf(set(task));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { blocking_task_ids: [one, two].sort() }]);
      for (const status of ['in_progress', 'in_review', 'cancelled', 'todo'] as const) await set(task, status);
      await set(one);
      expect(await codeOf(set(task))).to.equal('CONFLICT');
      await set(two);
      expect((await read(task)).is_blocked).to.equal(false);
      expect((await set(task)).status).to.equal('done');
      await set(one, 'todo');
      expect(await read(task), 'what is done stays done').to.include({ status: 'done', is_blocked: true });
      await set(task, 'todo');
      expect(await codeOf(set(task))).to.equal('CONFLICT');
    });

    it('that is reopened or added while the task becomes done comes wholly before it or after it', async () => {
      const { sql } = backend.current;
      const projectId = await project();
      let refused = 0;
      for (let round = 0; round < 40; round += 1) {
        const [task = '', on = ''] = await ids(projectId, 2);
        const isAdding = round % 2 === 0;
        if (!isAdding) {
          await set(on);
          await add(task, on);
        }
        const [done, other] = await Promise.allSettled([set(task), isAdding ? add(task, on) : set(on, 'todo')]);
        expect(other.status).to.equal('fulfilled');
        if (done.status === 'rejected') {
          refused += 1;
          expect(done.reason).to.include({ code: 'CONFLICT' });
          continue;
        }
        // Ids of the audit are in the order they were made, each while its locks were held.
        const lastOf = async (id: string, type: string): Promise<string> =>
          (await sql<{ id: string }>('select id from audit_logs where entity_id = ? and event_type = ? order by id desc limit 1', [id, type]))[0]?.id ?? '';
        const [made, changed] = [await lastOf(task, 'task.updated'), isAdding ? await lastOf(task, 'task.dependency_added') : await lastOf(on, 'task.updated')];
        expect(made < changed, 'done was first').to.equal(true);
      }
      expect(refused, 'both orders were seen').to.be.within(1, 39);
    });
  });

  describe('a circle', () => {
    it('is refused with its tasks in their order, however long, and of oneself', async () => {
      const chain = await ids(await project(), 6);
      for (const [at, id] of chain.slice(0, -1).entries()) await add(id, chain[at + 1]);
      const [first = '', second = '', ...rest] = chain;
      const refusal = await refusalOf(add(chain.at(-1), first));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { cycle: [chain.at(-1), first, second, ...rest] }]);
      expect((await refusalOf(add(second, first))).details).to.deep.equal({ cycle: [second, first, second] });
      expect((await refusalOf(add(first, first))).details).to.deep.equal({ cycle: [first, first] });
      await add(first, chain[3]);
      const short = (await refusalOf(add(chain[4], first))).details as { cycle: string[] };
      expect(short.cycle.length).to.be.within(4, 6);
      expect([short.cycle[0], short.cycle.at(-1)]).to.deep.equal([chain[4], chain[4]]);
    });

    it('is never closed by two edges that are added at once, nor by three', async () => {
      const projectId = await project();
      for (let round = 0; round < 50; round += 1) {
        const size = 2 + (round % 2);
        const ring = await ids(projectId, size);
        const edges = await Promise.allSettled(ring.map((id, at) => add(id, ring[(at + 1) % size])));
        expect(fulfilled(edges), `round ${round}`).to.equal(size - 1);
        for (const one of edges) if (one.status === 'rejected') expect(one.reason).to.include({ code: 'CONFLICT' });
      }
      const circles = await backend.current.sql(`
        with recursive walk (start, id) as (
          select task_id, depends_on_task_id from task_dependencies
          union select w.start, d.depends_on_task_id from walk w join task_dependencies d on d.task_id = w.id)
        select start from walk where start = id`);
      expect(circles).to.deep.equal([]);
    });

    it('is found in a chain of thousands and in a thick net; beyond ten thousand tasks nothing is added', async () => {
      const { sql } = backend.current;
      const projectId = await project();
      const grow = async (count: number): Promise<string[]> => {
        const made = Array.from({ length: count }, () => newId());
        await sql("insert into tasks (id, project_id, title, created_by) select id, ?, 'x', ? from unnest(?::uuid[]) as id", [projectId, ada.userId, made]);
        return made;
      };
      const chain = await grow(9_000);
      await write(chain.slice(0, -1).map((id, at) => [id, chain[at + 1] ?? ''] as const));
      const refusal = await refusalOf(add(chain.at(-1), chain[0]));
      expect((refusal.details as { cycle: string[] }).cycle).to.deep.equal([chain.at(-1), ...chain]);
      const [before = ''] = await grow(1);
      await add(before, chain[0]);
      const net = await grow(800);
      await write(net.flatMap((id, at) => net.slice(at + 1, at + 90).map((on) => [id, on] as const)));
      const closing = (await refusalOf(add(net.at(-1), net[0]))).details as { cycle: string[] };
      expect([closing.cycle[0], closing.cycle[1], closing.cycle.at(-1)]).to.deep.equal([net.at(-1), net[0], net.at(-1)]);
      const [more = '', ...tail] = await grow(1_500);
      await write([[chain.at(-1) ?? '', more], ...tail.map((id, at) => [[more, ...tail][at] ?? '', id] as const)]);
      const [late = ''] = await grow(1);
      expect((await refusalOf(add(late, chain[0]))).details, 'more than is walked').to.deep.equal({ allowed: 10_000 });
    });
  });

  it('is at most a hundred for a task, also when the last place is raced for', async () => {
    const projectId = await project();
    const [task = '', ...others] = await ids(projectId, 106);
    await write(others.slice(0, 99).map((on) => [task, on] as const));
    const race = await Promise.allSettled(others.slice(99).map((on) => add(task, on)));
    expect(fulfilled(race)).to.equal(1);
    for (const one of race) if (one.status === 'rejected') expect(one.reason).to.deep.include({ code: 'CONFLICT', details: { allowed: 100 } });
    await add(task, others[0]);
    await remove(task, others[0]);
    await add(task, others[0]);
    expect((await list(task)).page.total).to.equal(100);
  });

  it('ends with either task, whatever is added meanwhile, and nothing fails but what finds nothing', async () => {
    const { run, sql } = backend.current;
    const projectId = await project();
    for (let round = 0; round < 20; round += 1) {
      const [a = '', b = ''] = await ids(projectId, 2);
      const [added, gone] = await Promise.allSettled([add(a, b), run('deleteTask', ada, { path: { task_id: round % 2 === 0 ? a : b } })]);
      expect(gone.status).to.equal('fulfilled');
      if (added.status === 'rejected') expect(added.reason).to.include({ code: 'NOT_FOUND' });
      expect(await sql('select 1 from task_dependencies where task_id = ?', [a])).to.deep.equal([]);
    }
  });

  it('costs a fixed number of statements', async () => {
    const [a = '', b = ''] = await ids(await project(), 2);
    expect(await countStatements(() => add(a, b))).to.equal(7);
    expect(await countStatements(() => add(a, b))).to.equal(4);
    expect(await countStatements(() => remove(a, b))).to.equal(3);
  });
});

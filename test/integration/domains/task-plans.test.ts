/** How lists of tasks are read where there are many: 10,000 in the project, 200,000 in the table. */
import { expect } from 'chai';
import { taskCount, type TaskFilters, taskPage, type TaskSort } from '#domains/tasks/queries.ts';
import { newId } from '#platform/ids.ts';
import type { Keyset } from '#platform/paging.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { planOf } from '../../support/plans.ts';

const projects = 20;
const tasksOfProject = 10_000;
const none: TaskFilters = { status: null, assignee_id: null, label_id: null, due_before: null, due_after: null, q: null, ids: null };
const moment = '2026-03-05T12:00:00.000Z';
const inOrder: Readonly<Record<TaskSort, string>> = {
  created_at: 'tasks_created_at_idx', '-created_at': 'tasks_created_at_idx', updated_at: 'tasks_updated_at_idx', '-updated_at': 'tasks_updated_at_idx',
  due_date: 'tasks_due_first_idx', '-due_date': 'tasks_due_last_idx', title: 'tasks_title_idx', '-title': 'tasks_title_idx',
};
const sorts = Object.keys(inOrder) as TaskSort[];
const keys: Readonly<Record<string, readonly string[]>> = { due_date: [moment, 'none'], title: ['map of the'] };

describe('lists of many tasks', () => {
  // Rows by the hundred thousand are made in one statement.
  const backend = useBackend({ POSTGRES_STATEMENT_TIMEOUT_MS: '120000' });
  let ada: Person;
  let ben: Person;
  let projectId: string;
  let labelId: string;
  let some: string[];

  before('two hundred thousand tasks', async function () {
    this.timeout(180_000);
    const { person, sql } = backend.current;
    [ada, ben] = [await person(), await person()];
    const ids = Array.from({ length: projects }, () => newId());
    await sql("insert into projects (id, owner_id, name) select id, ?, 'Field Notes' from unnest(?::uuid[]) as id", [ada.userId, ids]);
    projectId = ids[0] ?? '';
    labelId = newId();
    // The indexes are made anew over all rows at once, which takes a tenth of the time; they are those of the migration.
    const indexes = await sql<{ name: string; definition: string }>(`
      select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i where i.indrelid = 'tasks'::regclass and not i.indisprimary`);
    for (const { name } of indexes) await sql(`drop index ${name}`);
    await sql(`
      insert into tasks (id, project_id, title, status, assignee_id, due_date, created_by, completed_at, created_at, updated_at)
      select gen_random_uuid(), p.id, (array['Draw', 'Choose', 'Measure', 'Fix', 'Write'])[1 + n % 5] || ' the ' || md5(n::text) || (case when n % 500 = 0 then ' quokka' else ' map' end),
             (array['todo', 'in_progress', 'in_review', 'done', 'cancelled'])[1 + n % 5], case when n % 50 = 0 then ?::uuid end,
             case when n % 3 > 0 then timestamptz '2026-03-01' + n * interval '1 minute' end, ?, case when n % 5 = 3 then now() end,
             timestamptz '2026-01-01' + n * interval '7 seconds', timestamptz '2026-02-01' + n * interval '3 seconds'
        from unnest(?::uuid[]) as p (id), generate_series(1, ${tasksOfProject}) as n`, [ben.userId, ada.userId, ids]);
    for (const { definition } of indexes) await sql(definition);
    await sql("insert into task_labels (id, project_id, name, color) values (?, ?, 'map', '#0a7f5a')", [labelId, projectId]);
    await sql(`
      insert into task_labels (id, project_id, name, color) select gen_random_uuid(), p.id, 'label ' || n, '#000000' from projects p, generate_series(1, 10) as n`);
    // One in twenty carries the label that is looked for; every other task another one of its project.
    await sql('insert into task_label_links (task_id, label_id) select id, ? from (select id, row_number() over () as n from tasks where project_id = ?) t where n % 20 = 0', [labelId, projectId]);
    await sql(`
      insert into task_label_links (task_id, label_id)
      select t.id, l.id from (select id, project_id, row_number() over () as n from tasks) t join task_labels l on l.project_id = t.project_id and l.name = 'label ' || (1 + t.n % 10) where t.n % 2 = 0`);
    await sql(`
      insert into task_dependencies (task_id, depends_on_task_id)
      select id, before from (select id, lag(id) over (partition by project_id order by created_at) as before, row_number() over () as n from tasks) t where before is not null and n % 4 = 0`);
    for (const table of ['projects', 'tasks', 'task_labels', 'task_label_links', 'task_dependencies']) await sql(`analyze ${table}`);
    some = (await sql<{ id: string }>('select id from tasks where project_id = ? order by id limit 100', [projectId])).map(({ id }) => id);
  });

  const filtered = (): Readonly<Record<string, Partial<TaskFilters>>> => ({
    'one status': { status: ['in_review'] },
    'several statuses': { status: ['in_progress', 'todo'] },
    'somebody': { assignee_id: ben.userId },
    'somebody who has none': { assignee_id: newId() },
    'a label': { label_id: labelId },
    'a label that nothing carries': { label_id: newId() },
    'due before': { due_before: moment },
    'due after': { due_after: moment },
    'due between': { due_after: moment, due_before: '2026-03-05T13:00:00.000Z' },
    'one letter': { q: 'q' },
    'one letter that nothing has': { q: '~' },
    'two letters': { q: 'qu' },
    'two letters that nothing has': { q: '~~' },
    'a rare word': { q: 'quokka' },
    'a common word': { q: 'the' },
    'a word that nothing has': { q: 'wombat' },
    'one task': { ids: some.slice(0, 1) },
    'a hundred tasks': { ids: some },
    'all at once': { status: ['todo', 'done'], assignee_id: ben.userId, label_id: labelId, due_after: moment, due_before: '2026-03-09T00:00:00Z', q: 'map', ids: some },
    'a label and a status': { label_id: labelId, status: ['todo'] },
    'somebody and a word': { assignee_id: ben.userId, q: 'map' },
  });
  const placesIn = (sort: TaskSort): (Keyset | null)[] => [null, ...(keys[sort.replace('-', '')] ?? [moment]).map((at) => ({ at, id: newId() }))];
  const pagesIn = (sort: TaskSort): { limit: number; offset: number; after: Keyset | null }[] =>
    [...placesIn(sort).map((after) => ({ limit: 50, offset: 0, after })), { limit: 200, offset: 5_000, after: null }];
  /** Of every table that grows. */
  const large = ['tasks', 'task_label_links', 'task_dependencies'];

  for (const sort of sorts) {
    it(`by ${sort} are read in the order of an index, from any place, whatever values the plan is made for`, async () => {
      const { db } = backend.current.database;
      for (const page of pagesIn(sort)) {
        for (const isGeneric of [false, true]) {
          const statement = taskPage(projectId, none, sort, page);
          expect(statement.name, 'a named statement').not.to.equal('');
          const { nodes, readWhole } = await planOf(db, statement, isGeneric);
          expect(nodes[nodes.indexOf('Limit') + 1], nodes.join(' → ')).to.equal(`Index Scan ${inOrder[sort]}`);
          expect(readWhole.filter((table) => large.includes(table)), nodes.join(' → ')).to.deep.equal([]);
        }
      }
    });
  }

  it('under every filter, in every order and from any place are found by an index', async () => {
    const { db } = backend.current.database;
    const wrong: string[] = [];
    for (const [name, filters] of Object.entries(filtered())) {
      for (const sort of sorts) {
        for (const page of pagesIn(sort)) {
          const { nodes, readWhole } = await planOf(db, taskPage(projectId, { ...none, ...filters }, sort, page));
          if (readWhole.some((table) => large.includes(table))) wrong.push(`${name} by ${sort}, ${JSON.stringify(page)}: ${nodes.join(' → ')}`);
        }
      }
    }
    expect(wrong).to.deep.equal([]);
  }).timeout(120_000);

  it('are counted by an index under every filter', async () => {
    const { db } = backend.current.database;
    for (const [name, filters] of Object.entries({ everything: {}, ...filtered() })) {
      const { nodes, readWhole } = await planOf(db, taskCount(projectId, { ...none, ...filters }));
      expect(readWhole.filter((table) => large.includes(table)), `${name}: ${nodes.join(' → ')}`).to.deep.equal([]);
    }
    expect((await planOf(db, taskCount(projectId, none), true)).readWhole).to.deep.equal([]);
  });

  it('are these statements, and answer what they should', async () => {
    const { run, sql } = backend.current;
    const path = { project_id: projectId };
    const whole = await run('listTasks', ada, { path, query: { limit: 200 } });
    expect(whole.data.items).to.have.length(200);
    expect(whole.data.page.total).to.equal(10_000);
    const rare = await run('listTasks', ada, { path, query: { q: 'QUOKKA', sort: '-due_date' } });
    expect(rare.data.page.total).to.equal(20);
    expect((await run('listTasks', ada, { path, query: { label_id: labelId } })).data.page.total).to.equal(500);
    await sql("insert into tasks (id, project_id, title, created_by) values (gen_random_uuid(), ?, 'one more', ?)", [projectId, ada.userId]);
    expect((await run('listTasks', ada, { path })).data.page.total, 'beyond 10,000 nobody counts').to.equal(null);
  });
});

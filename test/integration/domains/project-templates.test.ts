import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { defaultSettings } from '#domains/projects/settings.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { titlesOf } from '../../support/tasks.ts';

type Template = DataOf<'listProjectTemplates'>['items'][number];

describe('project templates', () => {
  const backend = useBackend();
  let ada: Person;
  before(async () => { ada = await backend.current.person(); });

  const list = async (query: Record<string, unknown> = {}): Promise<DataOf<'listProjectTemplates'>> => (await backend.current.run('listProjectTemplates', ada, { query })).data;
  const named = async (name: string): Promise<Template> => (await list()).items.find((template) => template.name === name) ?? expect.fail(name);
  const insert = async (values: { name: string; position: number; labels?: unknown[]; tasks?: unknown[]; settings?: unknown; isActive?: boolean }): Promise<string> => {
    const id = newId();
    const { name, position, labels = [], tasks = [], settings = {}, isActive = true } = values;
    await backend.current.sql('insert into project_templates (id, name, position, labels, tasks, settings, is_active) values (?, ?, ?, ?, ?, ?, ?)', [
      id, name, position, JSON.stringify(labels), JSON.stringify(tasks), JSON.stringify(settings), isActive,
    ]);
    return id;
  };

  it('that are shipped say something, and carry labels out of their own', async () => {
    const { items } = await list();
    expect(items.map(({ name }) => name)).to.deep.equal(['Empty app', 'Mobile app', 'Design review', 'Store release', 'Bug bash']);
    for (const { name, description, labels, tasks } of items) {
      expect(description, name).to.be.a('string').with.length.greaterThan(20);
      const own = labels.map((label) => label.name);
      expect(new Set(own.map((label) => label.toLowerCase())).size, name).to.equal(own.length);
      for (const task of tasks) expect(own, `${name}: ${task.title}`).to.include.members(task.labels);
      expect(new Set(tasks.map(({ title }) => title)).size, name).to.equal(tasks.length);
    }
  });

  it('stand in the operators\' order, ties by id, each once on every walk, without those that are hidden', async () => {
    const [low, tied] = [await insert({ name: 'First of all', position: -5 }), await insert({ name: 'Beside the empty one', position: 10 })];
    const hidden = await insert({ name: 'Hidden', position: 0, isActive: false });
    const all = await list();
    const names = all.items.map(({ name }) => name);
    expect(names).to.deep.equal(['First of all', 'Empty app', 'Beside the empty one', 'Mobile app', 'Design review', 'Store release', 'Bug bash']);
    expect(all.page).to.deep.equal({ limit: 50, offset: 0, total: 7, next_cursor: null });
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const { items, page }: DataOf<'listProjectTemplates'> = await list({ limit: 2, ...(cursor === null ? {} : { cursor }) });
      walked.push(...items.map(({ name }) => name));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal(names);
    expect((await list({ limit: 2, offset: 3 })).items.map(({ name }) => name)).to.deep.equal(['Mobile app', 'Design review']);
    const garbled = Buffer.from(`ten|${newId()}|x`).toString('base64url');
    for (const foreign of [garbled, (await backend.current.run('listProjects', ada, { query: { limit: 1 } })).data.page.next_cursor ?? garbled]) {
      expect((await refusalOf(list({ cursor: foreign }))).code).to.equal('VALIDATION_ERROR');
    }
    const { page } = await list({ limit: 1 });
    expect([await countStatements(() => list()), await countStatements(() => list({ limit: 1, cursor: page.next_cursor }))]).to.deep.equal([2, 1]);
    await backend.current.sql('delete from project_templates where id = any(?)', [[low, tied, hidden]]);
  });

  it('bring settings, labels and tasks into a project, in their order, and one row of the trail tells of it', async () => {
    const { run, sql } = backend.current;
    const template = await named('Store release');
    const { data: project } = await run('createProject', ada, { body: { name: 'Field Notes', template_id: template.id } });
    const path = { project_id: project.id };
    expect((await run('getProjectSettings', ada, { path })).data).to.deep.equal({ ...defaultSettings, preview: { ...defaultSettings.preview, environment: 'production', dev: false } });
    const { data: tasks } = await run('listTasks', ada, { path });
    expect(tasks.items.map(({ title, description, labels }) => ({ title, description, labels: labels.map(({ name }) => name).sort() })))
      .to.deep.equal(template.tasks.map((task) => ({ ...task, labels: [...task.labels].sort() })));
    expect(tasks.items.every(({ status, assignee_id: assignee, created_by: by }) => status === 'todo' && assignee === null && by === ada.userId)).to.equal(true);
    expect(await titlesOf(backend.current, ada, project.id, { sort: 'created_at' })).to.deep.equal(template.tasks.map(({ title }) => title).reverse());
    const trail = await sql<{ event_type: string; data: unknown }>('select event_type, data from audit_logs where project_id = ?', [project.id]);
    expect(trail).to.deep.equal([{ event_type: 'project.created', data: { name: 'Field Notes', template_id: template.id, labels: 5, tasks: 10 } }]);
    expect(await sql("select topic from outbox where payload ->> 'projectId' = ?", [project.id])).to.deep.equal([{ topic: 'project.created' }]);
  });

  it('are copied: what becomes of a template later leaves the projects as they are', async () => {
    const { run, sql } = backend.current;
    const id = await insert({ name: 'For a moment', position: 99, settings: { ai: { style: 'thorough' } }, tasks: [{ title: 'Once', description: null, labels: [] }] });
    const { data: project } = await run('createProject', ada, { body: { name: 'Copy', template_id: id } });
    await sql('delete from project_templates where id = ?', [id]);
    expect((await run('getProjectSettings', ada, { path: { project_id: project.id } })).data.ai.style).to.equal('thorough');
    expect(await titlesOf(backend.current, ada, project.id)).to.deep.equal(['Once']);
  });

  it('that are unknown or hidden are refused with a pointer, and nothing is made', async () => {
    const { run, sql } = backend.current;
    const hidden = await insert({ name: 'Retired', position: 1, isActive: false });
    const ben = await backend.current.person();
    for (const templateId of [hidden, newId()]) {
      const refusal = await refusalOf(run('createProject', ben, { body: { name: 'x', template_id: templateId } }));
      expect([refusal.code, refusal.details]).to.deep.equal(['VALIDATION_ERROR', [{ pointer: '#/body/template_id', message: 'is not a template', rule: 'template' }]]);
    }
    expect(await sql('select 1 from projects where owner_id = ?', [ben.userId])).to.deep.equal([]);
    await run('createProject', ben, { body: { name: 'x', template_id: null } });
  });

  it('leave nothing behind where the project may not be made', async () => {
    const { run, sql, person } = backend.current;
    const free = await person('free');
    const { id } = await named('Mobile app');
    for (let count = 0; count < 5; count += 1) await run('createProject', free, { body: { name: `${count}`, template_id: id } });
    expect((await refusalOf(run('createProject', free, { body: { name: 'more', template_id: id } }))).code).to.equal('QUOTA_EXCEEDED');
    expect(await sql('select 1 from tasks where created_by = ?', [free.userId])).to.have.length(50);
  });

  it('cost the same statements however much they bring, up to what the contract allows', async () => {
    const { run, sql } = backend.current;
    const labels = Array.from({ length: 50 }, (_, at) => ({ name: `label ${at}`, color: '#0a7f5a' }));
    const tasks = Array.from({ length: 100 }, (_, at) => ({ title: `Task ${at}`, description: 'x'.repeat(20_000), labels: labels.map(({ name }) => name) }));
    const [largest, smallest] = [
      await insert({ name: 'Largest', position: 1, labels, tasks }),
      await insert({ name: 'Smallest', position: 1, labels: labels.slice(0, 1), tasks: [{ title: 'One', description: null, labels: ['label 0'] }] }),
    ];
    const make = (templateId: string): Promise<number> => countStatements(() => run('createProject', ada, { body: { name: 'x', template_id: templateId } }));
    expect([await make(smallest), await make(largest)]).to.deep.equal([9, 9]);
    const [made] = await sql<{ tasks: string; links: string }>(`
      select count(distinct t.id) as tasks, count(k.*) as links from tasks t left join task_label_links k on k.task_id = t.id where t.title like 'Task %'`);
    expect(made).to.deep.equal({ tasks: 100, links: 5_000 });
  });

  it('are kept by the table within what the contract says', async () => {
    const { sql } = backend.current;
    const refused = async (column: string, value: string): Promise<string> => {
      try {
        await sql(`insert into project_templates (id, name, position, ${column}) values (?, 'x', 1, ?)`, [newId(), value]);
        return 'taken';
      } catch (error) {
        return String((error as { code?: unknown }).code);
      }
    };
    expect(await refused('framework', 'React Native')).to.equal('23514');
    expect(await refused('labels', '{}')).to.equal('23514');
    expect(await refused('tasks', JSON.stringify(Array.from({ length: 101 }, () => ({}))))).to.equal('23514');
    expect(await sql("insert into project_templates (id, name, position) values (?, 'EMPTY app', 1)", [newId()]).catch((error: unknown) => (error as { code?: unknown }).code)).to.equal('23505');
  });
});

describe('the trail of a changed project', () => {
  const backend = useBackend();

  it('tells old and new names and whether it was archived, and of long fields that they changed', async () => {
    const { run, sql, person, project } = backend.current;
    const ada = await person();
    const id = await project(ada, { name: 'Old' });
    const path = { project_id: id };
    await run('updateProject', ada, { path, body: { name: 'New', description: 'Secret plans', metadata: { key: 'hidden' } } });
    const { data: archived } = await run('updateProject', ada, { path, body: { archived: true } });
    await run('updateProject', ada, { path, body: { archived: false, description: null } });
    await run('updateProject', ada, { path, body: { metadata: {} } });
    const rows = await sql<{ data: unknown }>("select data from audit_logs where project_id = ? and event_type = 'project.updated' order by id", [id]);
    expect(rows.map(({ data }) => data)).to.deep.equal([
      { fields: ['name', 'description', 'metadata'], from: { name: 'Old' }, to: { name: 'New' } },
      { fields: ['archived_at'], from: { archived_at: null }, to: { archived_at: archived.archived_at } },
      { fields: ['archived_at', 'description'], from: { archived_at: archived.archived_at }, to: { archived_at: null } },
      { fields: ['metadata'] },
    ]);
  });
});

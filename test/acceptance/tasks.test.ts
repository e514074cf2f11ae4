import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { type Person, type System, until, useSystem } from '../support/system.ts';
import { failureOf } from '../support/failures.ts';

const missing = '01920000-0000-7000-8000-00000000ffff';

describe('tasks over the wire', () => {
  const system = useSystem({ apis: 2 });

  const begin = async (): Promise<Person & { projectId: string }> => {
    const person = await system.current.person();
    return { ...person, projectId: (await person.hive.api.createProject({ body: { name: 'Field Notes' } })).id };
  };
  const join = async (on: System, projectId: string, { tokens }: Person): Promise<void> => {
    await on.sql("insert into project_members (id, project_id, user_id, role) values (gen_random_uuid(), $1, $2, 'Member')", [projectId, tokens.user.id]);
  };
  const url = (path: string, api = 0): string => `${system.current.urlOf(api)}/api/v1${path}`;

  it('are made, listed, read, changed and deleted, with their labels', async () => {
    const { hive, tokens, projectId } = await begin();
    const path = { project_id: projectId };
    const label = await hive.api.createLabel({ path, body: { name: 'map', color: '#0a7f5a' } });
    const task = await hive.api.createTask({ path, body: { title: 'Draw the map offline', assignee_id: tokens.user.id, due_date: '2026-03-09T17:00:00.000Z', label_ids: [label.id] } });
    expect(task).to.deep.include({ status: 'todo', created_by: tokens.user.id, labels: [{ id: label.id, name: 'map', color: '#0a7f5a' }], is_blocked: false, completed_at: null });
    expect((await hive.api.listTasks({ path, query: { status: ['todo', 'done'], label_id: label.id, q: 'MAP', sort: 'due_date' } })).items).to.deep.equal([task]);
    const one = { task_id: task.id };
    expect(await hive.api.getTask({ path: one })).to.deep.equal(task);
    const done = await hive.api.updateTask({ path: one, body: { status: 'done', due_date: null } });
    expect(done).to.include({ status: 'done', due_date: null });
    expect(done.completed_at).to.be.a('string');
    const renamed = await hive.api.updateLabel({ path: { label_id: label.id }, body: { name: 'chart' } });
    expect((await hive.api.listLabels({ path })).items).to.deep.equal([renamed]);
    await hive.api.detachLabel({ path: { ...one, label_id: label.id } });
    expect((await hive.api.getTask({ path: one })).labels).to.deep.equal([]);
    await hive.api.attachLabel({ path: { ...one, label_id: label.id } });
    await hive.api.deleteLabel({ path: { label_id: label.id } });
    expect((await hive.api.getTask({ path: one })).labels).to.deep.equal([]);
    await hive.api.deleteTask({ path: one });
    expect(await failureOf(hive.api.getTask({ path: one }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect((await hive.api.listTasks({ path })).page.total).to.equal(0);
  });

  it('are walked to the end in any order, each once', async () => {
    const { hive, projectId } = await begin();
    const path = { project_id: projectId };
    for (let at = 0; at < 9; at += 1) await hive.api.createTask({ path, body: { title: `Task ${at}`, ...(at % 2 === 0 ? {} : { due_date: `2026-03-0${at}T00:00:00Z` }) } });
    for (const sort of ['-due_date', 'title', 'updated_at'] as const) {
      const seen: string[] = [];
      for await (const { title } of hive.paginate(hive.api.listTasks, { path, query: { limit: 2, sort } })) seen.push(title);
      const whole = (await hive.api.listTasks({ path, query: { sort } })).items.map(({ title }) => title);
      expect(seen, sort).to.deep.equal(whole);
      expect(new Set(seen).size).to.equal(9);
    }
  });

  it('wait for others: a circle is refused with its way, and done comes after what is waited for', async () => {
    const { hive, projectId } = await begin();
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((title) => hive.api.createTask({ path: { project_id: projectId }, body: { title } })));
    if (a === undefined || b === undefined || c === undefined) throw new Error('There are three tasks.');
    const add = (task: { id: string }, on: { id: string }): Promise<unknown> => hive.api.addTaskDependency({ path: { task_id: task.id, depends_on_task_id: on.id } });
    await add(a, b);
    await add(b, c);
    const circle = await failureOf(add(c, a));
    expect([circle.code, circle.details]).to.deep.equal(['CONFLICT', { cycle: [c.id, a.id, b.id, c.id] }]);
    expect((await hive.api.listTaskDependencies({ path: { task_id: a.id } })).items.map((item) => item.depends_on_task_id)).to.deep.equal([b.id]);
    const early = await failureOf(hive.api.updateTask({ path: { task_id: a.id }, body: { status: 'done' } }));
    expect([early.status, early.details]).to.deep.equal([409, { blocking_task_ids: [b.id] }]);
    await hive.api.removeTaskDependency({ path: { task_id: a.id, depends_on_task_id: b.id } });
    expect((await hive.api.updateTask({ path: { task_id: a.id }, body: { status: 'done' } })).is_blocked).to.equal(false);
  });

  it('lets none of two edges that close a circle at once through beside the other, over two processes', async () => {
    const { hive, tokens, projectId } = await begin();
    for (let round = 0; round < 15; round += 1) {
      const [a, b] = await Promise.all(['a', 'b'].map((title) => hive.api.createTask({ path: { project_id: projectId }, body: { title } })));
      const add = (api: number, task = '', on = ''): Promise<Response> =>
        fetch(url(`/tasks/${task}/dependencies/${on}`, api), { method: 'PUT', headers: { authorization: `Bearer ${tokens.access_token}` } });
      const answers = await Promise.all([add(0, a?.id, b?.id), add(1, b?.id, a?.id)]);
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 409]);
    }
  });

  it('go to members alone, and are told apart from what is missing by nobody else', async () => {
    const ada = await begin();
    const [ben, eve] = [await system.current.person(), await system.current.person()];
    await join(system.current, ada.projectId, ben);
    const path = { project_id: ada.projectId };
    const task = await ada.hive.api.createTask({ path, body: { title: 'x', assignee_id: ben.tokens.user.id } });
    const refused = await failureOf(ada.hive.api.updateTask({ path: { task_id: task.id }, body: { assignee_id: eve.tokens.user.id } }));
    expect([refused.code, refused.details]).to.deep.equal(['VALIDATION_ERROR', [{ pointer: '#/body/assignee_id', message: 'is not an active member of the project', rule: 'member' }]]);
    expect((await ben.hive.api.updateTask({ path: { task_id: task.id }, body: { status: 'in_progress' } })).status).to.equal('in_progress');
    const seen = async (id: string): Promise<string> => (await fetch(url(`/tasks/${id}`), { headers: { authorization: `Bearer ${eve.tokens.access_token}` } })).text();
    expect(await seen(task.id)).to.equal(await seen(missing));
  });

  it('let one of two writers with the same ETag win, and answer 304 to who holds it', async () => {
    const { hive, tokens, projectId } = await begin();
    const { id } = await hive.api.createTask({ path: { project_id: projectId }, body: { title: 'Race' } });
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const etag = (await fetch(url(`/tasks/${id}`), { headers })).headers.get('etag') ?? '';
    expect((await fetch(url(`/tasks/${id}`, 1), { headers: { ...headers, 'if-none-match': etag } })).status).to.equal(304);
    const write = (api: number): Promise<Response> => fetch(url(`/tasks/${id}`, api), {
      method: 'PATCH', headers: { ...headers, 'content-type': 'application/json', 'if-match': etag }, body: JSON.stringify({ title: `by ${api}` }),
    });
    const answers = await Promise.all([write(0), write(1)]);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 412]);
  });

  it('carry links and uploads, which go straight to storage and are kept once', async () => {
    const { hive, projectId } = await begin();
    const task = await hive.api.createTask({ path: { project_id: projectId }, body: { title: 'Draw the map' } });
    const path = { task_id: task.id };
    const bytes = Buffer.from('a map of the river');
    const link = await hive.api.createAttachment({ path, body: { name: 'Tiles', external_url: 'https://docs.example.com/tiles' } });
    expect(await hive.api.downloadAttachment({ path: { attachment_id: link.id } })).to.deep.equal({ url: 'https://docs.example.com/tiles', expires_in: null });
    const created = await hive.api.createAttachment({
      path, body: { name: 'map.png', upload: { content_type: 'image/png', size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') } },
    });
    const one = { attachment_id: created.id };
    expect(await failureOf(hive.api.completeAttachment({ path: one }))).to.include({ code: 'CONFLICT', status: 409 });
    const put = (body: Buffer): Promise<Response> => fetch(created.upload?.upload_url ?? '', { method: 'PUT', headers: created.upload?.headers ?? {}, body });
    expect((await put(Buffer.from('a map of the rivet'))).ok).to.equal(false);
    expect((await put(bytes)).ok).to.equal(true);
    const ready = await hive.api.completeAttachment({ path: one });
    expect(await hive.api.completeAttachment({ path: one })).to.deep.equal(ready);
    const { url: download, expires_in: seconds } = await hive.api.downloadAttachment({ path: one });
    const answer = await fetch(download);
    expect([await answer.text(), answer.headers.get('content-disposition')?.slice(0, 29), seconds]).to.deep.equal([bytes.toString(), 'attachment; filename="map.png', 600]);
    expect((await hive.api.listAttachments({ path })).items.map(({ id, kind, status }) => [id, kind, status])).to.deep.equal([[link.id, 'link', 'ready'], [created.id, 'upload', 'ready']]);
    await hive.api.deleteAttachment({ path: one });
    expect(await failureOf(hive.api.downloadAttachment({ path: one }))).to.include({ code: 'NOT_FOUND' });
    await until('the bytes to be erased', async () => !(await fetch(download)).ok, 20_000);
  });
});

import { createHash } from 'node:crypto';
import { expect } from 'chai';
import pg from 'pg';
import { until, useSystem } from '../support/system.ts';
import { failureOf } from '../support/failures.ts';

describe('projects over the wire', () => {
  const system = useSystem();

  it('creates, lists, reads, changes and deletes', async () => {
    const { hive, tokens } = await system.current.person();
    const created = await hive.api.createProject({ body: { name: 'Field Notes', metadata: { repository: 'field-notes' } } });
    expect(created).to.include({ name: 'Field Notes', owner_id: tokens.user.id, role: 'owner', team_id: null });
    const listed = await hive.api.listProjects({});
    expect(listed.items.map((project) => project.id)).to.deep.equal([created.id]);
    expect(listed.page).to.deep.equal({ limit: 50, offset: 0, total: 1, next_cursor: null });
    const path = { project_id: created.id };
    expect((await hive.api.getProject({ path })).metadata).to.deep.equal({ repository: 'field-notes' });
    const changed = await hive.api.updateProject({ path, body: { name: 'Notes', description: null } });
    expect(changed.name).to.equal('Notes');
    await hive.api.deleteProject({ path });
    expect(await failureOf(hive.api.getProject({ path }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect((await hive.api.listProjects({})).items).to.deep.equal([]);
  });

  it('starts with what a template brings, all of it at once', async () => {
    const { hive } = await system.current.person();
    const templates = [];
    for await (const template of hive.paginate(hive.api.listProjectTemplates, { query: { limit: 2 } })) templates.push(template);
    expect(templates.map(({ name }) => name)).to.include.members(['Empty app', 'Mobile app', 'Design review']);
    const template = templates.find(({ name }) => name === 'Mobile app') ?? expect.fail('the template');
    const { id } = await hive.api.createProject({ body: { name: 'Field Notes', template_id: template.id } });
    const path = { project_id: id };
    expect(await hive.api.getProjectSettings({ path })).to.deep.equal(template.settings);
    expect((await hive.api.listLabels({ path })).items.map(({ name, color }) => ({ name, color }))).to.have.deep.members(template.labels);
    const { items } = await hive.api.listTasks({ path });
    expect(items.map(({ title, labels }) => ({ title, labels: labels.map(({ name }) => name).sort() })))
      .to.deep.equal(template.tasks.map(({ title, labels }) => ({ title, labels: [...labels].sort() })));
    const refused = await failureOf(hive.api.createProject({ body: { name: 'Field Notes', template_id: '01920000-0000-7000-8000-00000000ffff' } }));
    expect(refused).to.include({ code: 'VALIDATION_ERROR', status: 400 });
    expect((await hive.api.listProjects({})).items).to.have.length(1);
  });

  it('is gone at once when it is deleted, and erased by the processes that run', async () => {
    const { hive } = await system.current.person();
    const { items: [template] } = await hive.api.listProjectTemplates({ query: { limit: 1, offset: 1 } });
    const { id } = await hive.api.createProject({ body: { name: 'Short-lived', template_id: template?.id ?? null } });
    const path = { project_id: id };
    const { items: [task] } = await hive.api.listTasks({ path });
    const content = 'kept for a moment';
    const sha256 = createHash('sha256').update(content).digest('hex');
    const { upload, id: attachmentId } = await hive.api.createAttachment({
      path: { task_id: task?.id ?? '' }, body: { name: 'a.txt', upload: { content_type: 'text/plain', size: content.length, sha256 } },
    });
    expect((await fetch(upload?.upload_url ?? '', { method: 'PUT', headers: upload?.headers ?? {}, body: content })).status).to.equal(200);
    await hive.api.completeAttachment({ path: { attachment_id: attachmentId } });
    const { url } = await hive.api.downloadAttachment({ path: { attachment_id: attachmentId } });
    expect(await (await fetch(url)).text()).to.equal(content);
    await hive.api.deleteProject({ path });
    expect(await failureOf(hive.api.listTasks({ path }))).to.include({ code: 'NOT_FOUND', status: 404 });
    const name = async (): Promise<unknown> => (await system.current.sql('select name from projects where id = $1', [id]))[0]?.['name'];
    await until('the erasure', async () => (await name()) === 'Erased project');
    expect(await system.current.sql('select id from tasks where project_id = $1', [id])).to.deep.equal([]);
    expect((await fetch(url)).status).to.equal(404);
  });

  it('is erased to its end though the process that does it is killed in the middle', async function () {
    this.timeout(90_000);
    const { hive } = await system.current.person();
    const { items: [template] } = await hive.api.listProjectTemplates({ query: { limit: 1, offset: 1 } });
    const { id } = await hive.api.createProject({ body: { name: 'Short-lived', template_id: template?.id ?? null } });
    const noted = async (): Promise<Record<string, unknown>> => (await system.current.sql('select stages, completed_at from project_erasures where project_id = $1', [id]))[0] ?? {};
    const holder = new pg.Client({ connectionString: system.current.databaseUrl });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select id from tasks where project_id = $1 for update', [id]);
      await hive.api.deleteProject({ path: { project_id: id } });
      await until('the erasure to come to the tasks', async () => 'previews' in Object(await noted().then(({ stages }) => stages)));
      await system.current.killApis();
    } finally {
      await holder.query('rollback');
      await holder.end();
    }
    expect(await noted().then(({ stages }) => Object.keys(stages as object))).to.not.include('tasks');
    // Its lease has run out: nobody extends it any more.
    await system.current.sql("update system_jobs set lease_expires_at = now() - interval '1 second' where kind = 'projects.erase' and status = 'running'", []);
    await system.current.restartApi();
    await until('the first round', async () => 'project' in Object(await noted().then(({ stages }) => stages)));
    expect(await system.current.sql('select id from tasks where project_id = $1', [id])).to.deep.equal([]);
    // Three hours later.
    await system.current.sql("update system_jobs set run_after = now() - interval '1 second' where kind = 'projects.erase' and payload ->> 'project_id' = $1", [id]);
    await system.current.sql("update outbox set run_after = now() - interval '1 second' where sent_at is null", []);
    await until('the second round', async () => (await noted())['completed_at'] != null);
    expect(await system.current.sql("select event_type from audit_logs where project_id = $1 and event_type = 'project.erased'", [id])).to.have.length(1);
  });

  it('merges settings group by group over the defaults', async () => {
    const { hive } = await system.current.person();
    const { id } = await hive.api.createProject({ body: { name: 'Settings' } });
    const path = { project_id: id };
    expect((await hive.api.getProjectSettings({ path })).preview.entry_file).to.equal('index.js');
    const changed = await hive.api.updateProjectSettings({ path, body: { preview: { entry_file: 'App.tsx' } } });
    expect(changed.preview).to.include({ entry_file: 'App.tsx', target_platform: 'ios' });
    expect(changed.ai).to.deep.equal({ enabled: true, style: 'concise' });
    expect(await hive.api.getProjectSettings({ path })).to.deep.equal(changed);
  });

  it('walks a list by cursor to its end, each project once', async () => {
    const { hive } = await system.current.person();
    const made = new Set<string>();
    for (let count = 0; count < 7; count += 1) made.add((await hive.api.createProject({ body: { name: `Project ${count}` } })).id);
    const seen: string[] = [];
    for await (const project of hive.paginate(hive.api.listProjects, { query: { limit: 2 } })) seen.push(project.id);
    expect(seen).to.have.length(7);
    expect(new Set(seen)).to.deep.equal(made);
  });

  it('answers what belongs to somebody else as it answers what does not exist', async () => {
    const [ada, ben] = [await system.current.person(), await system.current.person()];
    const { id } = await ada.hive.api.createProject({ body: { name: 'Hidden' } });
    const textOf = async (projectId: string): Promise<string> => {
      const response = await fetch(`${system.current.baseUrl}/api/v1/projects/${projectId}`, { headers: { authorization: `Bearer ${ben.tokens.access_token}` } });
      expect(response.status).to.equal(404);
      return response.text();
    };
    expect(await textOf(id)).to.equal(await textOf('01920000-0000-7000-8000-00000000ffff'));
  });

  it('lets one of two writers with the same ETag win', async () => {
    const { hive, tokens } = await system.current.person();
    const { id } = await hive.api.createProject({ body: { name: 'Race' } });
    const url = `${system.current.baseUrl}/api/v1/projects/${id}`;
    const authorization = `Bearer ${tokens.access_token}`;
    const read = await fetch(url, { headers: { authorization } });
    const etag = read.headers.get('etag') ?? '';
    expect(etag).to.match(/^"[^"]+"$/);
    expect((await fetch(url, { headers: { authorization, 'if-none-match': etag } })).status).to.equal(304);
    const write = (name: string): Promise<Response> => fetch(url, {
      method: 'PATCH', headers: { authorization, 'content-type': 'application/json', 'if-match': etag }, body: JSON.stringify({ name }),
    });
    const statuses = (await Promise.all([write('One'), write('Two')])).map((response) => response.status);
    expect(statuses.sort()).to.deep.equal([200, 412]);
  });

  it('answers a repeated creation byte for byte, and refuses the key for another body', async () => {
    const { hive, tokens } = await system.current.person();
    const send = (name: string): Promise<Response> => fetch(`${system.current.baseUrl}/api/v1/projects`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.access_token}`, 'content-type': 'application/json', 'idempotency-key': 'the-same-key-1' },
      body: JSON.stringify({ name }),
    });
    const first = await send('Once');
    const again = await send('Once');
    expect([first.status, again.status]).to.deep.equal([201, 201]);
    expect(again.headers.get('idempotency-replayed')).to.equal('true');
    expect(again.headers.get('location')).to.equal(first.headers.get('location'));
    expect(await again.text()).to.equal(await first.text());
    expect((await send('Other')).status).to.equal(409);
    expect((await hive.api.listProjects({})).items).to.have.length(1);
  });

  it('stops at the number of projects the tier allows, and names the tier that allows more', async () => {
    const { hive } = await system.current.person('free');
    for (let count = 0; count < 4; count += 1) await hive.api.createProject({ body: { name: `Project ${count}` } });
    const tries = await Promise.allSettled([1, 2, 3].map((count) => hive.api.createProject({ body: { name: `Last ${count}` } })));
    expect(tries.filter((one) => one.status === 'fulfilled')).to.have.length(1);
    const failure = await failureOf(hive.api.createProject({ body: { name: 'Too many' } }));
    expect(failure).to.include({ code: 'QUOTA_EXCEEDED', status: 402 });
    expect(failure.details).to.deep.equal({ limit: 'projects', allowed: 5, used: 5, tier: 'free', upgrade_to: 'pro' });
  });

  it('carries tags: made, recoloured, listed, filtered by, taken off, with a version that stops who is late', async () => {
    const { hive, tokens } = await system.current.person();
    const [{ id }] = [await hive.api.createProject({ body: { name: 'Tagged' } }), await hive.api.createProject({ body: { name: 'Plain' } })];
    const path = { project_id: id };
    const tag = await hive.api.createProjectTag({ path, body: { name: 'Mobile', color: '#f2a900' } });
    const changed = await hive.api.updateProjectTag({ path: { ...path, tag_id: tag.id }, body: { color: '#0a7f5a' } });
    expect(changed).to.deep.equal({ id: tag.id, name: 'Mobile', color: '#0a7f5a' });
    expect((await hive.api.listProjectTags({ path })).items).to.deep.equal([changed]);
    expect((await hive.api.getProject({ path })).tags).to.deep.equal([changed]);
    expect((await hive.api.listProjects({ query: { tag: 'mobile' } })).items.map((project) => project.id)).to.deep.equal([id]);
    expect(await failureOf(hive.api.createProjectTag({ path, body: { name: 'MOBILE', color: '#000000' } }))).to.include({ code: 'CONFLICT', status: 409 });
    const late = await fetch(`${system.current.baseUrl}/api/v1/projects/${id}/tags/${tag.id}`, {
      method: 'DELETE', headers: { authorization: `Bearer ${tokens.access_token}`, 'if-match': '"1"' },
    });
    expect(late.status).to.equal(412);
    await hive.api.deleteProjectTag({ path: { ...path, tag_id: tag.id } });
    expect((await hive.api.listProjectTags({ path })).page).to.deep.equal({ limit: 50, offset: 0, total: 0, next_cursor: null });
  });

  it('is marked as a favourite and unmarked, as often as one likes', async () => {
    const { hive } = await system.current.person();
    const { id } = await hive.api.createProject({ body: { name: 'Liked' } });
    const path = { project_id: id };
    for (let times = 0; times < 2; times += 1) await hive.api.favoriteProject({ path });
    expect((await hive.api.getProject({ path })).is_favorite).to.equal(true);
    for (let times = 0; times < 2; times += 1) await hive.api.unfavoriteProject({ path });
    expect((await hive.api.listProjects({ query: { favorite: true } })).items).to.deep.equal([]);
  });

  it('tells what happened in it, page by page, the newest first', async () => {
    const { hive, tokens } = await system.current.person();
    const { id } = await hive.api.createProject({ body: { name: 'Told' } });
    const path = { project_id: id };
    const tag = await hive.api.createProjectTag({ path, body: { name: 'mobile', color: '#f2a900' } });
    await hive.api.updateProject({ path, body: { name: 'Renamed' } });
    const told: string[] = [];
    for await (const one of hive.paginate(hive.api.listProjectActivity, { path, query: { limit: 2 } })) told.push(`${one.event_type} ${one.username}`);
    const { username } = tokens.user;
    expect(told).to.deep.equal([`project.updated ${username}`, `project.tag_created ${username}`, `project.created ${username}`]);
    const ofTag = await hive.api.listProjectActivity({ path, query: { entity_id: tag.id } });
    expect(ofTag.items.map((one) => one.data)).to.deep.equal([{ name: 'mobile', color: '#f2a900' }]);
  });
});

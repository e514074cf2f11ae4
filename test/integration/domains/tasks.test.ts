import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { eventsOf, joinProject, joinTeam, teamOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { depend, labelIn, setStatus, type Task, taskIn, titlesOf } from '../../support/tasks.ts';

describe('tasks', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const task = (who: Person, projectId: string, body: Parameters<typeof taskIn>[3] = {}): Promise<Task> => taskIn(backend.current, who, projectId, body);
  const titles = (who: Person, projectId: string, query: Record<string, unknown> = {}): Promise<string[]> => titlesOf(backend.current, who, projectId, query);
  const auditOf = (id: string): Promise<unknown[]> => backend.current.sql('select event_type, user_id, project_id, data from audit_logs where entity_id = ? order by id', [id]);

  it('come with creator, defaults, labels by name and version, and leave audit and event in the same transaction', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const [river, map] = [await labelIn(backend.current, ada, projectId, 'river'), await labelIn(backend.current, ada, projectId, 'Map', '#aabbcc')];
    const { status, data, etag } = await run('createTask', ada, {
      path: { project_id: projectId }, body: { title: 'Draw the map offline', due_date: '2026-03-09T18:30:00.25+01:30', label_ids: [river, map.toUpperCase()] },
    });
    expect(status).to.equal(201);
    expect(data).to.deep.include({
      project_id: projectId, title: 'Draw the map offline', description: null, status: 'todo', assignee_id: null, due_date: '2026-03-09T17:00:00.250Z',
      labels: [{ id: map, name: 'Map', color: '#aabbcc' }, { id: river, name: 'river', color: '#0a7f5a' }],
      is_blocked: false, created_by: ada.userId, completed_at: null,
    });
    const read = await run('getTask', ada, { path: { task_id: data.id } });
    expect([read.data, read.etag]).to.deep.equal([data, etag]);
    expect(await auditOf(data.id)).to.deep.equal([{
      event_type: 'task.created', user_id: ada.userId, project_id: projectId,
      data: { title: data.title, status: 'todo', assignee_id: null, due_date: data.due_date, label_ids: [map, river] },
    }]);
    expect(await eventsOf(backend.current, ['task.created', 'task.assigned', 'task.completed'], data.id)).to.deep.equal([{
      type: 'task.created', projectId,
      data: {
        task_id: data.id, title: data.title, status: 'todo', assignee_id: null, created_by: ada.userId, due_date: data.due_date,
        completed_at: null, created_at: data.created_at, updated_at: data.updated_at, changed_by: ada.userId,
      },
    }]);
  });

  it('are due within the years that the contract knows, also where rounding or an offset leads out of them', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const { id } = await task(ada, projectId);
    for (const dueDate of ['2999-12-31T23:59:59.9999Z', '2999-12-31T23:59:59-00:01', '1000-01-01T00:00:00+00:01']) {
      const refusals = [
        await refusalOf(run('updateTask', ada, { path: { task_id: id }, body: { due_date: dueDate } })),
        await refusalOf(run('createTask', ada, { path: { project_id: projectId }, body: { title: 'x', due_date: dueDate } })),
      ];
      for (const { code, details } of refusals) expect([code, details], dueDate).to.deep.include.members(['VALIDATION_ERROR', [{ pointer: '#/body/due_date', message: 'must be within the years 1000 to 2999, UTC', rule: 'year' }]]);
    }
    expect(await titles(ada, projectId, { sort: 'due_date' })).to.deep.equal(['Draw the map']);
    for (const dueDate of ['2999-12-31T23:59:59.999Z', '1000-01-01T00:00:00.000Z']) {
      expect((await run('updateTask', ada, { path: { task_id: id }, body: { due_date: dueDate } })).data.due_date).to.equal(dueDate);
    }
  });

  it('are seen and changed by members of the project and of its team, and do not exist for anybody else', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cleo, eve] = [await person(), await person(), await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, cleo);
    const projectId = await project(ada, { team_id: teamId });
    await joinProject(backend.current, projectId, ada, ben);
    const { id } = await task(ada, projectId);
    const path = { task_id: id };
    for (const who of [ben, cleo]) {
      expect((await run('getTask', who, { path })).data.id).to.equal(id);
      expect((await run('updateTask', who, { path, body: { title: who.username } })).data.title).to.equal(who.username);
      expect(await titles(who, projectId)).to.deep.equal([who.username]);
    }
    const hidden: Promise<unknown>[] = [
      run('getTask', eve, { path }), run('updateTask', eve, { path, body: { title: 'x' } }), run('deleteTask', eve, { path }),
      run('listTasks', eve, { path: { project_id: projectId } }), run('createTask', eve, { path: { project_id: projectId }, body: { title: 'x' } }),
    ];
    expect(await Promise.all(hidden.map(codeOf))).to.deep.equal(hidden.map(() => 'NOT_FOUND'));
  });

  it('are answered to a stranger in the very bytes of what does not exist', async () => {
    const { http, project } = backend.current;
    const [ada, eve] = [await person(), await person()];
    const projectId = await project(ada);
    const { id } = await task(ada, projectId);
    const other = newId();
    const asked = (method: string, path: string, json?: unknown) => http(method, path, { headers: eve.headers, ...(json === undefined ? {} : { json }) });
    for (const [method, template, json] of [
      ['GET', '/tasks/:id'], ['PATCH', '/tasks/:id', { title: 'x' }], ['DELETE', '/tasks/:id'], ['GET', '/tasks/:id/dependencies'], ['GET', '/tasks/:id/attachments'],
      ['PUT', `/tasks/:id/dependencies/${other}`], ['PUT', `/tasks/:id/labels/${other}`],
    ] as const) {
      const [hidden, missing] = [await asked(method, template.replace(':id', id), json), await asked(method, template.replace(':id', other), json)];
      expect([hidden.status, hidden.text], template).to.deep.equal([404, missing.text]);
    }
  });

  describe('an assignee', () => {
    it('is an active member, by whatever way; nobody else is taken', async () => {
      const { run, project, sql } = backend.current;
      const [ada, ben, cleo, dan, eve] = [await person(), await person(), await person(), await person(), await person()];
      const teamId = await teamOf(backend.current, ada);
      await joinTeam(backend.current, teamId, ada, cleo);
      const projectId = await project(ada, { team_id: teamId });
      await joinProject(backend.current, projectId, ada, ben);
      await run('addProjectMember', ada, { path: { project_id: projectId }, body: { user_id: dan.userId } });
      const path = { task_id: (await task(ada, projectId)).id };
      for (const { userId } of [ada, ben, cleo]) {
        expect((await run('updateTask', ada, { path, body: { assignee_id: userId } })).data.assignee_id).to.equal(userId);
      }
      const details = [{ pointer: '#/body/assignee_id', message: 'is not an active member of the project', rule: 'member' }];
      for (const userId of [dan.userId, eve.userId, newId()]) {
        for (const call of [
          () => run('updateTask', ada, { path, body: { assignee_id: userId } }),
          () => run('createTask', ada, { path: { project_id: projectId }, body: { title: 'x', assignee_id: userId } }),
        ]) {
          const refusal = await refusalOf(call());
          expect([refusal.code, refusal.details]).to.deep.equal(['VALIDATION_ERROR', details]);
        }
      }
      await sql('update users set suspended_at = now() where id = ?', [ben.userId]);
      expect(await codeOf(run('updateTask', ada, { path, body: { assignee_id: ben.userId } })), 'suspended').to.equal('VALIDATION_ERROR');
      await sql('update users set deleted_at = now() where id = ?', [ben.userId]);
      expect(await codeOf(run('updateTask', ada, { path, body: { assignee_id: ben.userId } })), 'deleted').to.equal('VALIDATION_ERROR');
    });

    it('who has left keeps the task while others change the rest of it', async () => {
      const { run, project } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const projectId = await project(ada);
      await joinProject(backend.current, projectId, ada, ben);
      const { id } = await task(ada, projectId, { assignee_id: ben.userId });
      await run('removeProjectMember', ada, { path: { project_id: projectId, user_id: ben.userId } });
      const { data } = await run('updateTask', ada, { path: { task_id: id }, body: { title: 'kept', assignee_id: ben.userId.toUpperCase() } });
      expect([data.title, data.assignee_id]).to.deep.equal(['kept', ben.userId]);
      await run('updateTask', ada, { path: { task_id: id }, body: { assignee_id: null } });
      expect(await codeOf(run('updateTask', ada, { path: { task_id: id }, body: { assignee_id: ben.userId } }))).to.equal('VALIDATION_ERROR');
    });

    it('is told of by an event with who did it, once for each new one', async () => {
      const { run, project } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const projectId = await project(ada);
      await joinProject(backend.current, projectId, ada, ben);
      const { id } = await task(ada, projectId, { assignee_id: ben.userId });
      const path = { task_id: id };
      await run('updateTask', ben, { path, body: { assignee_id: ben.userId } });
      await run('updateTask', ben, { path, body: { assignee_id: ada.userId } });
      await run('updateTask', ada, { path, body: { assignee_id: null } });
      const events = await eventsOf(backend.current, ['task.assigned'], id);
      expect(events.map(({ data }) => [data['assignee_id'], data['by'], data['previous_assignee_id'], data['title']])).to.deep.equal([
        [ben.userId, ada.userId, null, 'Draw the map'], [ada.userId, ben.userId, ben.userId, 'Draw the map'],
      ]);
    });
  });

  describe('a change', () => {
    it('merges: absent stays, null clears; audit and event say what changed, and nothing where nothing did', async () => {
      const { run, project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const made = await task(ada, projectId, { description: 'Tiles', due_date: '2026-03-09T17:00:00.000Z' });
      const path = { task_id: made.id };
      const before = await run('getTask', ada, { path });
      const { data, etag } = await run('updateTask', ada, { path, body: { title: 'After', description: null } });
      expect(data).to.include({ title: 'After', description: null, due_date: made.due_date });
      expect(etag).not.to.equal(before.etag);
      expect(Date.parse(data.updated_at)).to.be.greaterThan(Date.parse(made.updated_at));
      const again = await run('updateTask', ada, { path, body: { title: 'After', due_date: '2026-03-09T18:00:00+01:00' } });
      expect([again.etag, again.data.updated_at]).to.deep.equal([etag, data.updated_at]);
      const [, change, ...rest] = await auditOf(made.id) as { event_type: string; data: unknown }[];
      expect(rest).to.deep.equal([]);
      expect([change?.event_type, change?.data]).to.deep.equal(['task.updated', { changed: ['title', 'description'], from: { title: 'Draw the map' }, to: { title: 'After' } }]);
      const events = await eventsOf(backend.current, ['task.updated'], made.id);
      expect(events.map(({ data: told }) => [told['changed'], told['title'], told['changed_by']])).to.deep.equal([[['title', 'description'], 'After', ada.userId]]);
    });

    it('to done and away from it sets and clears completed_at, and is told as completed once each', async () => {
      const { project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const { id } = await task(ada, projectId);
      const set = (status: Task['status']): Promise<Task> => setStatus(backend.current, ada, id, status);
      const done = await set('done');
      expect(done.completed_at).to.be.a('string');
      expect((await set('done')).completed_at).to.equal(done.completed_at);
      expect((await set('in_review')).completed_at).to.equal(null);
      expect((await set('cancelled')).completed_at).to.equal(null);
      expect((await set('done')).completed_at).to.be.a('string');
      expect(await eventsOf(backend.current, ['task.completed'], id)).to.have.length(2);
      expect((await task(ada, projectId, { status: 'done' })).completed_at).to.be.a('string');
    });

    it('of a version that is no more is refused and changes nothing; a label put on makes another, one renamed does not', async () => {
      const { run, project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const label = await labelIn(backend.current, ada, projectId, 'map');
      const path = { task_id: (await task(ada, projectId)).id };
      const read = async (): Promise<string> => (await run('getTask', ada, { path })).etag ?? '';
      const [first, put, rename] = [
        await read(), () => run('attachLabel', ada, { path: { ...path, label_id: label } }), () => run('updateLabel', ada, { path: { label_id: label }, body: { color: '#000000' } }),
      ];
      await put();
      const second = await read();
      expect(second).not.to.equal(first);
      for (const ifMatch of [first, 'nonsense', '0', '']) {
        expect(await codeOf(run('updateTask', ada, { path, body: { title: 'x' } }, { ifMatch }))).to.equal('PRECONDITION_FAILED');
        expect(await codeOf(run('deleteTask', ada, { path }, { ifMatch }))).to.equal('PRECONDITION_FAILED');
      }
      await rename();
      expect(await read(), 'another color is seen').not.to.equal(second);
      const { data } = await run('updateTask', ada, { path, body: { title: 'through' } }, { ifMatch: second });
      expect(data).to.deep.include({ title: 'through', labels: [{ id: label, name: 'map', color: '#000000' }] });
    });

    it('of one version goes through once, however many try at once', async () => {
      const { run, project } = backend.current;
      const ada = await person();
      const path = { task_id: (await task(ada, await project(ada))).id };
      const { etag } = await run('getTask', ada, { path });
      const tries = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => run('updateTask', ada, { path, body: { title: `n${at}` } }, { ifMatch: etag ?? '' })));
      expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      for (const one of tries) if (one.status === 'rejected') expect(one.reason).to.include({ code: 'PRECONDITION_FAILED' });
    });
  });

  it('take labels of their project alone, each fault named', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const [here, there] = [await project(ada), await project(ada)];
    const [mine, foreign, missing] = [await labelIn(backend.current, ada, here, 'map'), await labelIn(backend.current, ada, there, 'map'), newId()];
    const refusal = await refusalOf(run('createTask', ada, { path: { project_id: here }, body: { title: 'x', label_ids: [foreign, mine, missing] } }));
    expect([refusal.code, refusal.details]).to.deep.equal(['VALIDATION_ERROR', [0, 2].map((at) =>
      ({ pointer: `#/body/label_ids/${at}`, message: 'is not a label of the project', rule: 'label' }))]);
    expect(await sql('select id from tasks where project_id = ?', [here])).to.deep.equal([]);
  });

  it('that are deleted take links, dependencies both ways, attachments and their version along, and unblock others', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const label = await labelIn(backend.current, ada, projectId, 'map');
    const [first, middle, last] = [await task(ada, projectId), await task(ada, projectId, { label_ids: [label] }), await task(ada, projectId)];
    await depend(backend.current, ada, middle.id, first.id);
    await depend(backend.current, ada, last.id, middle.id);
    await run('createAttachment', ada, { path: { task_id: middle.id }, body: { name: 'notes', external_url: 'https://example.com/notes' } });
    const blocked = await run('getTask', ada, { path: { task_id: last.id } });
    expect(blocked.data.is_blocked).to.equal(true);
    expect((await run('deleteTask', ada, { path: { task_id: middle.id } })).status).to.equal(204);
    const free = await run('getTask', ada, { path: { task_id: last.id } });
    expect(free.data.is_blocked).to.equal(false);
    expect(free.etag).not.to.equal(blocked.etag);
    for (const table of ['task_label_links', 'task_dependencies', 'task_attachments']) {
      expect(await sql(`select 1 from ${table} where task_id = ?`, [middle.id]), table).to.deep.equal([]);
    }
    expect(await sql('select 1 from task_dependencies where depends_on_task_id = ?', [middle.id])).to.deep.equal([]);
    expect(await codeOf(run('getTask', ada, { path: { task_id: middle.id } }))).to.equal('NOT_FOUND');
    expect(await codeOf(run('deleteTask', ada, { path: { task_id: middle.id } }))).to.equal('NOT_FOUND');
    expect((await auditOf(middle.id) as { event_type: string }[]).at(-1)?.event_type).to.equal('task.deleted');
    const [event] = await eventsOf(backend.current, ['task.deleted'], middle.id);
    expect(event).to.deep.include({ projectId });
    expect(event?.data).to.include({ task_id: middle.id, title: 'Draw the map', deleted_by: ada.userId });
  });

  it('are deleted once by many at once', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const { id } = await task(ada, await project(ada));
    const tries = await Promise.allSettled(Array.from({ length: 6 }, () => run('deleteTask', ada, { path: { task_id: id } })));
    expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect(await eventsOf(backend.current, ['task.deleted'], id)).to.have.length(1);
  });

  it('are gone with their project', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const { id } = await task(ada, projectId);
    await run('deleteProject', ada, { path: { project_id: projectId } });
    expect(await codeOf(run('getTask', ada, { path: { task_id: id } }))).to.equal('NOT_FOUND');
    expect(await codeOf(run('listTasks', ada, { path: { project_id: projectId } }))).to.equal('NOT_FOUND');
  });

  it('are reached by an API key in its projects alone, with the scope of what it does', async () => {
    const { run, project, http } = backend.current;
    const ada = await person();
    const [inside, outside] = [await project(ada), await project(ada)];
    const [seen, hidden] = [await task(ada, inside), await task(ada, outside)];
    const keyFor = async (scopes: ('tasks:read' | 'tasks:write')[]): Promise<Record<string, string>> =>
      ({ 'x-api-key': (await run('createApiKey', ada, { body: { name: 'CI', scopes, project_ids: [inside] } })).data.key });
    const [reader, writer] = [await keyFor(['tasks:read']), await keyFor(['tasks:write'])];
    const outcome = async (method: string, path: string, headers: Record<string, string>, json?: unknown): Promise<string> => {
      const { status, error } = await http(method, path, { headers, ...(json === undefined ? {} : { json }) });
      return `${status} ${error?.code ?? 'ok'}`;
    };
    expect(await outcome('GET', `/tasks/${seen.id}`, reader)).to.equal('200 ok');
    expect(await outcome('GET', `/tasks/${hidden.id}`, reader)).to.equal('404 NOT_FOUND');
    expect(await outcome('GET', `/projects/${inside}/tasks`, reader)).to.equal('200 ok');
    expect(await outcome('GET', `/projects/${outside}/tasks`, reader)).to.equal('404 NOT_FOUND');
    expect(await outcome('PATCH', `/tasks/${seen.id}`, reader, { title: 'x' })).to.equal('403 FORBIDDEN');
    expect(await outcome('PATCH', `/tasks/${seen.id}`, writer, { title: 'x' })).to.equal('200 ok');
    expect(await outcome('PATCH', `/tasks/${hidden.id}`, writer, { title: 'x' })).to.equal('404 NOT_FOUND');
    expect(await outcome('PUT', `/tasks/${seen.id}/dependencies/${hidden.id}`, writer)).to.equal('404 NOT_FOUND');
  });

  it('are referred to by other domains in one statement, those gone left out', async () => {
    const { project, database: { db } } = backend.current;
    const { TaskService } = await import('#domains/tasks/service.ts');
    const ada = await person();
    const projectId = await project(ada);
    const { id } = await task(ada, projectId, { assignee_id: ada.userId });
    const tasks = new TaskService({ db } as ConstructorParameters<typeof TaskService>[0]);
    expect(await tasks.subjects([id, newId()])).to.deep.equal([{ id, project_id: projectId, title: 'Draw the map', assignee_id: ada.userId, created_by: ada.userId }]);
  });

  it('cost a fixed number of statements', async () => {
    const { project, run } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const label = await labelIn(backend.current, ada, projectId, 'map');
    const path = { project_id: projectId };
    const one = { task_id: (await task(ada, projectId, { label_ids: [label] })).id };
    expect(await countStatements(() => run('getTask', ada, { path: one }))).to.equal(2);
    expect(await countStatements(() => run('createTask', ada, { path, body: { title: 'x' } }))).to.equal(4);
    expect(await countStatements(() => run('createTask', ada, { path, body: { title: 'x', assignee_id: ada.userId, label_ids: [label] } }))).to.equal(7);
    expect(await countStatements(() => run('updateTask', ada, { path: one, body: { title: 'y' } }))).to.equal(6);
    expect(await countStatements(() => run('updateTask', ada, { path: one, body: { status: 'done', assignee_id: ada.userId } }))).to.equal(8);
    expect(await countStatements(() => run('deleteTask', ada, { path: one })), 'its comments and attachments with it').to.equal(8);
  });
});

import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { eventsOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { labelIn, taskIn } from '../../support/tasks.ts';

describe('labels', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const label = (who: Person, projectId: string, name: string): Promise<string> => labelIn(backend.current, who, projectId, name);
  const attach = (who: Person, taskId: string, labelId: string): Promise<unknown> => backend.current.run('attachLabel', who, { path: { task_id: taskId, label_id: labelId } });
  const detach = (who: Person, taskId: string, labelId: string): Promise<unknown> => backend.current.run('detachLabel', who, { path: { task_id: taskId, label_id: labelId } });
  const carried = async (who: Person, taskId: string): Promise<string[]> => (await backend.current.run('getTask', who, { path: { task_id: taskId } })).data.labels.map(({ name }) => name);

  it('are made, renamed and deleted with a version, and each leaves its audit', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const made = await run('createLabel', ada, { path: { project_id: projectId }, body: { name: 'map', color: '#0a7f5a' } });
    expect([made.status, made.etag]).to.deep.equal([201, '1']);
    expect(made.data).to.include({ project_id: projectId, name: 'map', color: '#0a7f5a' });
    const path = { label_id: made.data.id };
    const changed = await run('updateLabel', ada, { path, body: { name: 'MAP' } }, { ifMatch: '1' });
    expect([changed.data.name, changed.data.color, changed.etag]).to.deep.equal(['MAP', '#0a7f5a', '2']);
    expect((await run('updateLabel', ada, { path, body: { name: 'MAP' } })).etag).to.equal('2');
    for (const call of [() => run('updateLabel', ada, { path, body: { name: 'x' } }, { ifMatch: '1' }), () => run('deleteLabel', ada, { path }, { ifMatch: '1' })]) {
      expect(await codeOf(call())).to.equal('PRECONDITION_FAILED');
    }
    expect((await run('deleteLabel', ada, { path }, { ifMatch: '2' })).status).to.equal(204);
    expect(await codeOf(run('deleteLabel', ada, { path }))).to.equal('NOT_FOUND');
    expect(await sql('select event_type, project_id, data from audit_logs where entity_id = ? order by id', [made.data.id])).to.deep.equal([
      { event_type: 'label.created', project_id: projectId, data: { name: 'map', color: '#0a7f5a' } },
      { event_type: 'label.updated', project_id: projectId, data: { from: { name: 'map', color: '#0a7f5a' }, to: { name: 'MAP', color: '#0a7f5a' } } },
      { event_type: 'label.deleted', project_id: projectId, data: { name: 'MAP', color: '#0a7f5a' } },
    ]);
  });

  it('have names that are one in upper and lower case within a project, and free in another', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const [here, there] = [await project(ada), await project(ada)];
    await label(ada, here, 'Map');
    const other = await label(ada, here, 'river');
    for (const call of [
      () => run('createLabel', ada, { path: { project_id: here }, body: { name: 'mAP', color: '#000000' } }),
      () => run('updateLabel', ada, { path: { label_id: other }, body: { name: 'MAP' } }),
    ]) {
      const refusal = await refusalOf(call());
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { field: 'name' }]);
    }
    await label(ada, there, 'map');
    const race = await Promise.allSettled(Array.from({ length: 6 }, (_, at) => label(ada, here, at % 2 === 0 ? 'bees' : 'BEES')));
    expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
  });

  it('are listed by name and walked by cursor in the same order, whatever is in a name', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const names = ['a|b', 'A', 'b', 'Z', 'ä', '🐝', 'a'.repeat(50), '%', 'B|'];
    for (const name of names) await label(ada, path.project_id, name);
    const { data } = await run('listLabels', ada, { path });
    const whole = data.items.map(({ name }) => name);
    expect(whole).to.deep.equal([...names].sort((a, b) => Buffer.compare(Buffer.from(a.toLowerCase()), Buffer.from(b.toLowerCase()))));
    expect(data.page).to.deep.equal({ limit: 50, offset: 0, total: 9, next_cursor: null });
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { data: DataOf<'listLabels'> } = await run('listLabels', ada, { path, query: { limit: 2, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...page.data.items.map(({ name }) => name));
      cursor = page.data.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal(whole);
    expect(await codeOf(run('listLabels', ada, { path, query: { cursor: 'bm9uZQ' } }))).to.equal('VALIDATION_ERROR');
    expect(await countStatements(() => run('listLabels', ada, { path }))).to.equal(3);
  });

  it('are put on a task and taken off, each told once as a change of the task, and alike when repeated', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const [map, river] = [await label(ada, projectId, 'map'), await label(ada, projectId, 'river')];
    const { id } = await taskIn(backend.current, ada, projectId);
    const before = await run('getTask', ada, { path: { task_id: id } });
    await attach(ada, id, river);
    await attach(ada, id, map);
    const after = await run('getTask', ada, { path: { task_id: id } });
    expect(after.data.labels.map(({ name }) => name)).to.deep.equal(['map', 'river']);
    expect(Date.parse(after.data.updated_at)).to.be.greaterThan(Date.parse(before.data.updated_at));
    await attach(ada, id, map.toUpperCase());
    expect((await run('getTask', ada, { path: { task_id: id } })).etag).to.equal(after.etag);
    await detach(ada, id, river);
    await detach(ada, id, river);
    await detach(ada, id, newId());
    expect(await carried(ada, id)).to.deep.equal(['map']);
    expect((await sql<{ event_type: string }>("select event_type from audit_logs where entity_id = ? and event_type like 'task.label%' order by id", [id])).map((row) => row.event_type))
      .to.deep.equal(['task.label_attached', 'task.label_attached', 'task.label_detached']);
    const events = await eventsOf(backend.current, ['task.updated'], id);
    expect(events.map(({ data }) => data['changed'])).to.deep.equal([['labels'], ['labels'], ['labels']]);
  });

  it('hold on every task that carries them: renamed everywhere, off every task when deleted', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const map = await label(ada, projectId, 'map');
    const [one, two] = [await taskIn(backend.current, ada, projectId, { label_ids: [map] }), await taskIn(backend.current, ada, projectId, { label_ids: [map] })];
    await run('updateLabel', ada, { path: { label_id: map }, body: { name: 'chart' } });
    expect([await carried(ada, one.id), await carried(ada, two.id)]).to.deep.equal([['chart'], ['chart']]);
    const { etag } = await run('getTask', ada, { path: { task_id: one.id } });
    await run('deleteLabel', ada, { path: { label_id: map } });
    expect([await carried(ada, one.id), await carried(ada, two.id)]).to.deep.equal([[], []]);
    expect((await run('getTask', ada, { path: { task_id: one.id } })).etag).not.to.equal(etag);
  });

  it('of another project, and of a project one has no part in, do not exist', async () => {
    const { run, project } = backend.current;
    const [ada, eve] = [await person(), await person()];
    const [here, there] = [await project(ada), await project(ada)];
    const [mine, foreign] = [await label(ada, here, 'map'), await label(ada, there, 'map')];
    const { id } = await taskIn(backend.current, ada, here);
    expect(await codeOf(attach(ada, id, foreign))).to.equal('NOT_FOUND');
    expect(await codeOf(attach(ada, id, newId()))).to.equal('NOT_FOUND');
    const hidden = [
      () => attach(eve, id, mine), () => detach(eve, id, mine), () => run('updateLabel', eve, { path: { label_id: mine }, body: { name: 'x' } }),
      () => run('deleteLabel', eve, { path: { label_id: mine } }), () => run('listLabels', eve, { path: { project_id: here } }),
      () => run('createLabel', eve, { path: { project_id: here }, body: { name: 'x', color: '#000000' } }),
    ];
    for (const call of hidden) expect(await codeOf(call())).to.equal('NOT_FOUND');
    expect(await carried(ada, id)).to.deep.equal([]);
  });

  it('are at most 50 on a task and 500 in a project, also when the last place is raced for', async () => {
    const { run, project, database: { db } } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const rows = Array.from({ length: 492 }, (_, at) => ({ id: newId(), project_id: projectId, name: `label ${at}`, color: '#000000' }));
    await db.knex('task_labels').insert(rows);
    const last = await Promise.allSettled(Array.from({ length: 20 }, (_, at) => label(ada, projectId, `last ${at}`)));
    expect(last.filter(({ status }) => status === 'fulfilled')).to.have.length(8);
    const refusal = await refusalOf(label(ada, projectId, 'one more'));
    expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { allowed: 500 }]);
    const { id } = await taskIn(backend.current, ada, projectId, { label_ids: rows.slice(0, 48).map((row) => row.id) });
    const race = await Promise.allSettled(rows.slice(48, 54).map((row) => attach(ada, id, row.id)));
    expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(2);
    for (const one of race) if (one.status === 'rejected') expect(one.reason).to.deep.include({ code: 'CONFLICT', details: { allowed: 50 } });
    expect(await carried(ada, id)).to.have.length(50);
    await attach(ada, id, rows[0]?.id ?? '');
    expect((await run('listLabels', ada, { path: { project_id: projectId } })).data.page.total).to.equal(500);
  });

  it('that are put on while they are deleted are on no task in the end, and nothing fails but what finds nothing', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const { id } = await taskIn(backend.current, ada, projectId);
    for (let round = 0; round < 20; round += 1) {
      const map = await label(ada, projectId, `map ${round}`);
      const [gone, put] = await Promise.allSettled([
        run('deleteLabel', ada, { path: { label_id: map } }), attach(ada, id, map), taskIn(backend.current, ada, projectId, { label_ids: [map] }),
      ]);
      expect(gone.status).to.equal('fulfilled');
      if (put.status === 'rejected') expect(put.reason).to.include({ code: 'NOT_FOUND' });
    }
    expect(await carried(ada, id)).to.deep.equal([]);
  });
});

import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import type { ExportFile } from '#domains/personal-data.ts';
import { eraseTasksOf } from '#domains/tasks/erasure.ts';
import { taskFiles, taskSections } from '#domains/tasks/export.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { joinProject } from '../../support/belonging.ts';
import { depend, labelIn, taskIn } from '../../support/tasks.ts';

const noSignal = new AbortController().signal;

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

describe('the data of tasks', () => {
  const backend = useBackend();
  const section = async (name: string, who: Person): Promise<Record<string, unknown>[]> => {
    const found = taskSections(backend.current.database.db).find((one) => one.name === name);
    return found === undefined ? expect.fail(name) : await all(found.rows(who.userId)) as Record<string, unknown>[];
  };
  const upload = async (who: Person, taskId: string, name: string, content: string): Promise<string> => {
    const bytes = Buffer.from(content);
    const { data } = await backend.current.run('createAttachment', who, {
      path: { task_id: taskId }, body: { name, upload: { content_type: 'text/plain', size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') } },
    });
    await fetch(data.upload?.upload_url ?? '', { method: 'PUT', headers: data.upload?.headers ?? {}, body: bytes });
    await backend.current.run('completeAttachment', who, { path: { attachment_id: data.id } });
    return data.id;
  };

  it('that an account takes along are those of its projects, and of others\' projects what it made or has to do; people by name alone', async () => {
    const { project, person, database: { db }, storage } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const [hers, his] = [await project(ada), await project(ben)];
    await joinProject(backend.current, hers, ada, ben);
    await joinProject(backend.current, his, ben, ada);
    const label = await labelIn(backend.current, ada, hers, 'map');
    const [first, second] = [await taskIn(backend.current, ben, hers, { title: 'made by Ben in hers' }), await taskIn(backend.current, ada, hers, { title: 'hers', assignee_id: ben.userId, label_ids: [label] })];
    await depend(backend.current, ada, second.id, first.id);
    const [made, given, other] = [
      await taskIn(backend.current, ada, his, { title: 'made in his' }), await taskIn(backend.current, ben, his, { title: 'given to her', assignee_id: ada.userId }),
      await taskIn(backend.current, ben, his, { title: 'none of hers' }),
    ];
    const rows = await section('tasks', ada);
    expect(rows.map(({ title }) => title)).to.deep.equal(['made by Ben in hers', 'hers', 'made in his', 'given to her']);
    expect(rows[1]).to.deep.include({ created_by: ada.username, assignee: ben.username, labels: [{ name: 'map', color: '#0a7f5a' }], depends_on: [first.id] });
    expect(JSON.stringify(rows)).not.to.contain(ben.userId).and.not.to.contain('@');

    const attached = [await upload(ada, second.id, '..', 'of hers'), await upload(ada, made.id, 'a.txt', 'in his'), await upload(ben, other.id, 'b.txt', 'of his')];
    expect((await section('task_attachments', ada)).map(({ id, uploaded_by: by }) => [id, by])).to.deep.equal([[attached[0], ada.username], [attached[1], ada.username]]);
    const files: ExportFile[] = await all(taskFiles(db, storage)(ada.userId));
    expect(files.map(({ path, size }) => [path, size])).to.deep.equal([[`files/attachments/${attached[0]}/file`, 7]]);
    const content = await files[0]?.open(noSignal);
    expect(content == null ? null : (await buffer(content)).toString()).to.equal('of hers');
    await storage.delete((await backend.current.sql<{ object_key: string }>('select object_key from task_attachments where id = ?', [attached[0]]))[0]?.object_key ?? '');
    expect(await files[0]?.open(noSignal)).to.equal(null);
    expect(given.assignee_id).to.equal(ada.userId);
  });

  it('of one project are erased to the last row, in short steps that can be repeated, and no other project\'s', async () => {
    const { project, person, sql, database: { db } } = backend.current;
    const ada = await person();
    const [gone, stays] = [await project(ada), await project(ada)];
    for (const projectId of [gone, stays]) {
      const [a, b] = [await taskIn(backend.current, ada, projectId, { label_ids: [await labelIn(backend.current, ada, projectId, 'map')] }), await taskIn(backend.current, ada, projectId)];
      await depend(backend.current, ada, a.id, b.id);
      await upload(ada, a.id, 'a.txt', 'x');
    }
    await sql("insert into tasks (id, project_id, title, created_by) select gen_random_uuid(), ?, 'x', ? from generate_series(1, 2300)", [gone, ada.userId]);
    expect(await eraseTasksOf(db, gone, noSignal)).to.equal(2_300 + 2 + 1 + 1);
    expect(await eraseTasksOf(db, gone, noSignal)).to.equal(0);
    const rowsOf = async (projectId: string): Promise<number> => Number((await sql<{ rows: number }>(`
      select (select count(*) from tasks where project_id = $1) + (select count(*) from task_labels where project_id = $1)
           + (select count(*) from task_label_links l where not exists (select 1 from tasks t where t.id = l.task_id))
           + (select count(*) from task_dependencies d where not exists (select 1 from tasks t where t.id = d.task_id)) as rows`.replaceAll('$1', `'${projectId}'`)))[0]?.rows);
    expect([await rowsOf(gone), await rowsOf(stays)]).to.deep.equal([0, 3]);
    const stopped = AbortSignal.abort(new Error('stop'));
    expect(await eraseTasksOf(db, stays, stopped).catch((error: unknown) => (error as Error).message)).to.equal('stop');
  });
});

import { expect } from 'chai';
import { commentTraces, eraseCommentsOf } from '#domains/comments/erasure.ts';
import { commentSections } from '#domains/comments/export.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { joinProject } from '../../support/belonging.ts';
import { bodiesOf, commentIn, deleteComment, readComment, replyTo } from '../../support/comments.ts';

const noSignal = new AbortController().signal;

describe('the data of comments', () => {
  const backend = useBackend();
  const section = async (name: string, who: Person): Promise<Record<string, unknown>[]> => {
    const rows: object[] = [];
    const found = commentSections(backend.current.database.db).find((one) => one.name === name) ?? expect.fail(name);
    for await (const row of found.rows(who.userId)) rows.push(row);
    return rows as Record<string, unknown>[];
  };
  const star = (who: Person, { id }: { id: string }): Promise<unknown> => backend.current.run('starComment', who, { path: { comment_id: id } });

  it('that an account takes along are its own words wherever it wrote them, of others\' in its projects that they wrote, and what it starred', async () => {
    const { project, person } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const [hers, his] = [await project(ada), await project(ben)];
    await joinProject(backend.current, hers, ada, ben);
    await joinProject(backend.current, his, ben, ada);
    const own = await commentIn(backend.current, ada, hers, { body: 'hers', entity_type: 'code', anchor: { path: 'a.ts', line_start: 1, line_end: 2 } });
    const answer = await replyTo(backend.current, ben, own, 'Ben\'s words');
    const there = await commentIn(backend.current, ada, his, { body: 'hers in his' });
    const others = await replyTo(backend.current, ben, there, 'his in his');
    const gone = await commentIn(backend.current, ada, hers, { body: 'gone' });
    await replyTo(backend.current, ada, gone, 'after it');
    await deleteComment(backend.current, ada, gone);
    for (const one of [answer, others]) await star(ada, one);
    await star(ben, own);
    const rows = await section('comments', ada);
    expect(rows.map(({ author, body, is_deleted }) => [author, body, is_deleted]).sort()).to.deep.equal([
      [ada.username, 'after it', false], [ada.username, 'hers', false], [ada.username, 'hers in his', false], [ben.username, null, false], [null, null, true],
    ].sort());
    expect(rows[0]).to.deep.include({ id: own.id, project_id: hers, parent_id: null, entity_type: 'code', anchor: own.anchor });
    expect(JSON.stringify(rows)).not.to.contain(ben.userId).and.not.to.contain('Ben\'s words');
    expect((await section('comment_stars', ada)).map(({ id }) => id)).to.deep.equal([answer.id, others.id].sort());
    await backend.current.sql('update projects set deleted_at = now() where id in (?, ?)', [hers, his]);
    expect([await section('comments', ada), await section('comment_stars', ada)]).to.deep.equal([[], []]);
  });

  it('of one project are erased to the last row, replies before what they reply to, in short steps that can be repeated; no other project\'s', async () => {
    const { project, person, sql, database: { db } } = backend.current;
    const ada = await person();
    const [gone, stays] = [await project(ada), await project(ada)];
    for (const projectId of [gone, stays]) {
      let last = await commentIn(backend.current, ada, projectId, { body: `@${ada.username}` });
      for (let deep = 1; deep <= 20; deep += 1) last = await replyTo(backend.current, ada, last);
      await star(ada, last);
    }
    await sql(`
      with roots as (insert into comments (id, project_id, entity_type, entity_id, author_id, body) select gen_random_uuid(), '${gone}', 'project', '${gone}', '${ada.userId}', 'x' from generate_series(1, 300) returning id)
      insert into comments (id, project_id, parent_id, depth, entity_type, entity_id, author_id, body) select gen_random_uuid(), '${gone}', id, 1, 'project', '${gone}', '${ada.userId}', 'x' from roots, generate_series(1, 7)`);
    const rowsOf = async (projectId: string): Promise<number[]> => {
      const [row] = await sql<{ rows: number[] }>(`
        select array[(select count(*) from comments where project_id = '${projectId}'),
                     (select count(*) from comment_stars s join comments c on c.id = s.comment_id where c.project_id = '${projectId}'),
                     (select count(*) from comment_mentions m join comments c on c.id = m.comment_id where c.project_id = '${projectId}')] as rows`);
      return (row?.rows ?? []).map(Number);
    };
    expect(await rowsOf(gone)).to.deep.equal([2_421, 1, 1]);
    expect(await eraseCommentsOf(db, stays, AbortSignal.abort(new Error('stop'))).catch((error: unknown) => (error as Error).message)).to.equal('stop');
    expect(await eraseCommentsOf(db, gone, noSignal)).to.equal(2_421);
    expect(await eraseCommentsOf(db, gone, noSignal)).to.equal(0);
    expect([await rowsOf(gone), await rowsOf(stays)]).to.deep.equal([[0, 0, 0], [21, 1, 1]]);
  });

  it('of an erased account: its stars are gone, and that it was mentioned; what it wrote in others\' projects is theirs, by an id without a name', async () => {
    const { project, person, run, database: { db } } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const his = await project(ben);
    await joinProject(backend.current, his, ben, ada);
    const wrote = await commentIn(backend.current, ada, his, { body: 'Stays.' });
    const spoken = await replyTo(backend.current, ben, wrote, `@${ada.username} and @${ben.username}: yes`);
    for (const who of [ada, ben]) await star(who, wrote);
    expect(await commentTraces(db).run(ada.userId, noSignal)).to.equal(2);
    expect(await commentTraces(db).run(ada.userId, noSignal)).to.equal(0);
    const seen = await readComment(backend.current, ben, wrote);
    expect(seen).to.deep.include({ author_id: ada.userId, body: 'Stays.', star_count: 1, is_deleted: false });
    expect((await readComment(backend.current, ben, spoken)).mentions).to.deep.equal([{ user_id: ben.userId, username: ben.username }]);
    expect(await bodiesOf(backend.current, ben, his, { author_id: ada.userId })).to.deep.equal(['Stays.']);
    await run('deleteComment', ben, { path: { comment_id: wrote.id } });
    expect(await bodiesOf(backend.current, ben, his)).to.deep.equal([null, spoken.body]);
  });
});

import { expect } from 'chai';
import type { Knex } from 'knex';
import { eraseCommentsOf } from '#domains/comments/erasure.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { eventsOf, joinProject, joinTeam, teamOf } from '../../support/belonging.ts';
import { bodiesOf, type Comment, commentIn, deleteComment, readComment, replyTo } from '../../support/comments.ts';
import { queuedJob } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { taskIn } from '../../support/tasks.ts';
import { until } from '../../support/until.ts';

/** How each of many calls at once ended: `ok`, or the code. */
async function endings(calls: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const one of await Promise.allSettled(calls)) {
    const ending = one.status === 'fulfilled' ? 'ok' : String((one.reason as { code?: string }).code ?? one.reason);
    counts[ending] = (counts[ending] ?? 0) + 1;
  }
  return counts;
}

describe('the end of comments', function () {
  this.timeout(30_000);
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const comment = (who: Person, projectId: string, more: Parameters<typeof commentIn>[3] = {}): Promise<Comment> => commentIn(backend.current, who, projectId, more);
  const reply = (who: Person, parent: Comment, text?: string): Promise<Comment> => replyTo(backend.current, who, parent, text);
  const remove = (who: Person, one: Comment): Promise<unknown> => deleteComment(backend.current, who, one);
  /** The project's comments: the text of each, or `-` for a tombstone. */
  const left = async (who: Person, projectId: string): Promise<string> => (await bodiesOf(backend.current, who, projectId, { limit: 200 })).map((body) => body ?? '-').join(' ');
  /** What no rule allows: tombstones without replies. */
  const wrong = (projectId: string): Promise<unknown[]> => backend.current.sql(`
    select c.id from comments c where c.project_id = ? and c.deleted_at is not null and not exists (select 1 from comments r where r.parent_id = c.id)`, [projectId]);

  it('is asked for by the author, the project\'s owner, an Admin of its team; nobody else', async () => {
    const [ada, ben, cleo, dan, olga] = [await person(), await person(), await person(), await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, cleo);
    await joinTeam(backend.current, teamId, ada, dan, 'admin');
    await joinTeam(backend.current, teamId, ada, olga, 'owner');
    const projectId = await backend.current.project(ada, { team_id: teamId });
    await joinProject(backend.current, projectId, ada, ben);
    for (const [who, outcome] of [[ben, 'ok'], [ada, 'ok'], [dan, 'ok'], [olga, 'ok'], [cleo, 'FORBIDDEN']] as const) {
      const made = await comment(ben, projectId);
      expect(await endings([remove(who, made)])).to.deep.equal({ [outcome]: 1 });
    }
    const [last] = await backend.current.sql<{ id: string }>('select id from comments where project_id = ?', [projectId]);
    expect(await codeOf(backend.current.run('deleteComment', cleo, { path: { comment_id: last?.id ?? '' } }, { ifMatch: 'another' })), 'whatever version').to.equal('FORBIDDEN');
  });

  it('leaves a tombstone where there are replies: what it said, who said it, whom it mentioned and its stars are gone', async () => {
    const { run, project, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const root = await comment(ben, projectId, { entity_type: 'code', anchor: { path: 'src/Map.tsx', line_start: 1, line_end: 2 }, body: `@${ada.username} secret words` });
    await reply(ada, root, 'a');
    const path = { comment_id: root.id };
    for (const who of [ada, ben]) await run('starComment', who, { path });
    await run('updateComment', ben, { path, body: { body: `@${ada.username} more secret words` } });
    await run('deleteComment', ada, { path });
    const tombstone = await readComment(backend.current, ada, root);
    expect(tombstone).to.deep.equal({
      ...root, author_id: null, body: null, mentions: [], reply_count: 1, is_deleted: true, edited_at: null, updated_at: tombstone.updated_at,
    });
    expect((await run('listComments', ben, { path: { project_id: projectId } })).data.items[0]).to.deep.equal(tombstone);
    const rows = await sql<{ rows: string }>("select (select string_agg(c::text, ' ') from comments c) || (select count(*) from comment_stars) || (select count(*) from comment_mentions) as rows");
    expect(rows[0]?.rows).to.match(/00$/);
    expect(rows[0]?.rows).to.not.contain('secret');
    expect(await sql("select data, user_id from audit_logs where event_type = 'comment.deleted' and entity_id = ?", [root.id])).to.deep.equal([{
      user_id: ada.userId, data: { entity_type: 'code', entity_id: projectId, parent_id: null, author_id: ben.userId, is_tombstone: true },
    }]);
    expect(await eventsOf(backend.current, ['comment.deleted'], root.id)).to.deep.equal([{
      type: 'comment.deleted', projectId,
      data: { comment_id: root.id, project_id: projectId, entity_type: 'code', entity_id: projectId, parent_id: null, author_id: ben.userId, deleted_by: ada.userId, is_tombstone: true },
    }]);
  });

  it('of a tombstone changes nothing, whoever asks and whatever version it names; nothing else is done to one', async () => {
    const { run, project, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const root = await comment(ada, projectId);
    await reply(ben, root, 'a');
    await remove(ada, root);
    const path = { comment_id: root.id };
    const before = await run('getComment', ada, { path });
    for (const who of [ada, ben]) expect((await run('deleteComment', who, { path }, { ifMatch: 'another' })).status).to.equal(204);
    await run('unstarComment', ben, { path });
    for (const call of [() => run('updateComment', ada, { path, body: { body: 'x' } }), () => run('starComment', ada, { path }), () => reply(ben, root)]) {
      expect(await codeOf(call())).to.equal('CONFLICT');
    }
    expect(await run('getComment', ada, { path })).to.deep.include({ data: before.data, etag: before.etag });
    expect(await sql("select id from audit_logs where event_type = 'comment.deleted' and entity_id = ?", [root.id])).to.have.length(1);
  });

  it('takes along every tombstone above whose last reply that was, up to the first that lives or has another', async () => {
    const { project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const thread = [await comment(ada, projectId, { body: '0' })];
    for (let deep = 1; deep <= 20; deep += 1) thread.push(await reply(ada, thread[deep - 1] ?? expect.fail(), String(deep)));
    const beside = await reply(ada, thread[4] ?? expect.fail(), 'beside');
    for (const one of thread.slice(2, 20)) await remove(ada, one);
    expect(await left(ada, projectId)).to.equal(`0 1 ${'- '.repeat(18)}20 beside`);
    await remove(ada, thread[20] ?? expect.fail());
    expect(await left(ada, projectId), 'the fourth has another').to.equal('0 1 - - - beside');
    await remove(ada, beside);
    expect(await left(ada, projectId), 'the first lives').to.equal('0 1');
    await remove(ada, thread[0] ?? expect.fail());
    await remove(ada, thread[1] ?? expect.fail());
    expect(await left(ada, projectId)).to.equal('');
  });

  describe('at once', () => {
    const rounds = 8;

    it('of all replies to a tombstone leaves none: neither they nor it, over threads of any depth', async () => {
      const { project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      for (let round = 0; round < rounds; round += 1) {
        const top = await comment(ada, projectId);
        const middle = await reply(ada, top);
        const replies = await Promise.all(Array.from({ length: 24 }, () => reply(ada, middle)));
        for (const one of [middle, top]) await remove(ada, one);
        expect(await endings(replies.map((one) => remove(ada, one)))).to.deep.equal({ ok: 24 });
        expect(await left(ada, projectId)).to.equal('');
      }
    });

    it('of a whole thread, in any order, leaves nothing, and no tombstone without replies in between', async () => {
      const { project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      for (let round = 0; round < rounds; round += 1) {
        const all = [await comment(ada, projectId)];
        for (let at = 1; at < 24; at += 1) all.push(await reply(ada, all[Math.floor((at - 1) / 2)] ?? expect.fail()));
        const shuffled = all.map((one, at) => ({ one, at: (at * 7 + round * 5) % 24 })).sort((a, b) => a.at - b.at).map(({ one }) => one);
        expect(await endings(shuffled.map((one) => remove(ada, one)))).to.deep.equal({ ok: 24 });
        expect(await wrong(projectId)).to.deep.equal([]);
        expect(await left(ada, projectId)).to.equal('');
      }
    });

    it('with replies to the same comment leaves a tombstone with every reply that came, or nothing and no reply', async () => {
      const { project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const seen = new Set<string>();
      for (let round = 0; round < rounds * 2; round += 1) {
        const [root, ending] = [await comment(ada, projectId, { body: 'root' }), { replies: 0 }];
        const replies = Array.from({ length: 20 }, () => reply(ada, root, 'r'));
        // The deletion comes among them, each time at another place.
        if (round % 2 === 0) await Promise.race(replies);
        const removed = remove(ada, root);
        const outcomes = await endings(replies);
        expect(await endings([removed])).to.deep.equal({ ok: 1 });
        ending.replies = outcomes['ok'] ?? 0;
        expect(Object.keys(outcomes).filter((code) => !['ok', 'CONFLICT', 'VALIDATION_ERROR'].includes(code))).to.deep.equal([]);
        expect(await left(ada, projectId)).to.equal(ending.replies === 0 ? '' : ['-', ...Array.from({ length: ending.replies }, () => 'r')].join(' '));
        seen.add(ending.replies === 0 ? 'gone' : 'tombstone');
        await backend.current.sql('delete from comments where parent_id is not null and project_id = ?', [projectId]);
        await backend.current.sql('delete from comments where project_id = ?', [projectId]);
      }
      expect([...seen]).to.include('tombstone');
    });

    it('with the last reply to a tombstone and a new reply to that one leaves a thread that hangs together', async () => {
      const { project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      for (let round = 0; round < rounds * 3; round += 1) {
        const root = await comment(ada, projectId);
        const only = await reply(ada, root, 'only');
        await remove(ada, root);
        const [answers, [removed]] = [[reply(ada, only, 'new'), reply(ada, only, 'new')], [remove(ada, only)]];
        const came = (await endings(answers))['ok'] ?? 0;
        expect(await endings(removed === undefined ? [] : [removed])).to.deep.equal({ ok: 1 });
        expect(await left(ada, projectId)).to.equal(came === 0 ? '' : ['- -', ...Array.from({ length: came }, () => 'new')].join(' '));
        await eraseCommentsOf(backend.current.database.db, projectId, new AbortController().signal);
      }
    });

    it('by many of one comment is done once: one audit, one event, and the others find nothing', async () => {
      const { project, sql } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const made = await comment(ada, projectId);
      expect(await endings(Array.from({ length: 20 }, () => remove(ada, made)))).to.deep.equal({ ok: 1, NOT_FOUND: 19 });
      expect(await sql("select id from audit_logs where event_type = 'comment.deleted' and entity_id = ?", [made.id])).to.have.length(1);
      expect(await eventsOf(backend.current, ['comment.deleted'], made.id)).to.have.length(1);
    });

    it('with stars leaves none on what is gone or a tombstone', async () => {
      const { project, sql, run } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const people = await Promise.all(Array.from({ length: 20 }, person));
      await sql("insert into project_members (id, project_id, user_id, role, joined_at) select gen_random_uuid(), ?, id, 'Member', now() from unnest(?::uuid[]) as id", [projectId, people.map(({ userId }) => userId)]);
      for (const hasReply of [true, false]) {
        const made = await comment(ada, projectId);
        if (hasReply) await reply(ada, made);
        const stars = people.map((who) => run('starComment', who, { path: { comment_id: made.id } }));
        await Promise.race(stars);
        await remove(ada, made);
        const outcomes = await endings(stars);
        expect((outcomes['ok'] ?? 0) + (outcomes[hasReply ? 'CONFLICT' : 'NOT_FOUND'] ?? 0)).to.equal(20);
        expect(await sql('select user_id from comment_stars where comment_id = ?', [made.id])).to.deep.equal([]);
      }
    });
  });

  describe('comes with what they are on', () => {
    it('a task takes its comments along, replies, stars, mentions and tombstones too, and no other\'s', async () => {
      const { run, project, sql } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const [gone, stays] = [await taskIn(backend.current, ada, projectId), await taskIn(backend.current, ada, projectId)];
      for (const { id } of [gone, stays]) {
        const root = await comment(ada, projectId, { entity_type: 'task', entity_id: id, body: `@${ada.username}` });
        const inner = await reply(ada, await reply(ada, root), `of ${id}`);
        await run('starComment', ada, { path: { comment_id: inner.id } });
        await remove(ada, root);
      }
      await run('deleteTask', ada, { path: { task_id: gone.id } });
      const { data } = await run('listComments', ada, { path: { project_id: projectId } });
      expect(data.items.map(({ entity_id }) => entity_id)).to.deep.equal([stays.id, stays.id, stays.id]);
      expect(await sql('select 1 from comment_stars s join comments c on c.id = s.comment_id where c.project_id = ?', [projectId])).to.have.length(1);
    });

    it('a preview that is deleted takes its comments along at once, and takes no more', async () => {
      const { run, project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const jobId = await queuedJob(backend.current, ada, projectId);
      const root = await comment(ada, projectId, { entity_type: 'preview', entity_id: jobId });
      await reply(ada, root);
      await run('deletePreviewJob', ada, { path: { job_id: jobId } });
      expect(await left(ada, projectId)).to.equal('');
      expect(await codeOf(comment(ada, projectId, { entity_type: 'preview', entity_id: jobId }))).to.equal('VALIDATION_ERROR');
      expect(await codeOf(readComment(backend.current, ada, root))).to.equal('NOT_FOUND');
    });

    it('neither goes without a comment, nor stays one without it, that is written, answered or deleted at that moment', async () => {
      const { run, project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      for (let round = 0; round < 12; round += 1) {
        const isTask = round % 2 === 0;
        const id = isTask ? (await taskIn(backend.current, ada, projectId)).id : await queuedJob(backend.current, ada, projectId, `export default ${round};`);
        const on = { entity_type: isTask ? 'task' : 'preview', entity_id: id } as const;
        const roots = await Promise.all(Array.from({ length: 6 }, () => comment(ada, projectId, on)));
        const replies = await Promise.all(roots.map((root) => reply(ada, root)));
        await remove(ada, roots[0] ?? expect.fail());
        const others = [
          ...Array.from({ length: 8 }, () => comment(ada, projectId, on)), ...roots.slice(1).map((root) => reply(ada, root)), ...replies.map((one) => remove(ada, one)),
          ...roots.slice(3).map((root) => remove(ada, root)),
        ];
        if (round % 3 > 0) await Promise.race(others);
        const deleted = isTask ? run('deleteTask', ada, { path: { task_id: id } }) : run('deletePreviewJob', ada, { path: { job_id: id } });
        const outcomes = await endings(others);
        expect(await endings([deleted]), JSON.stringify(outcomes)).to.deep.equal({ ok: 1 });
        expect(Object.keys(outcomes).filter((code) => !['ok', 'CONFLICT', 'NOT_FOUND', 'VALIDATION_ERROR'].includes(code))).to.deep.equal([]);
        expect(await left(ada, projectId)).to.equal('');
      }
    });

    it('however many there are: ten thousand with stars and replies in one transaction', async () => {
      const { run, project, sql } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const { id } = await taskIn(backend.current, ada, projectId);
      await sql(`
        with roots as (
          insert into comments (id, project_id, entity_type, entity_id, author_id, body) select gen_random_uuid(), '${projectId}', 'task', '${id}', '${ada.userId}', 'root' from generate_series(1, 1000) returning id
        ), replies as (
          insert into comments (id, project_id, parent_id, depth, entity_type, entity_id, author_id, body)
          select gen_random_uuid(), '${projectId}', id, 1, 'task', '${id}', '${ada.userId}', 'reply' from roots, generate_series(1, 9) returning id
        )
        insert into comment_stars (comment_id, user_id) select id, '${ada.userId}' from replies`);
      await run('deleteTask', ada, { path: { task_id: id } });
      expect(await left(ada, projectId)).to.equal('');
    });
  });

  it('that has begun is waited for by whoever replies, stars or comments on the thing, who then hear that it is gone', async () => {
    const { run, project, database: { db } } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    /** What a call comes to that begins while others have the row of `table` and change it. */
    const against = async (table: string, id: string, change: (trx: Knex.Transaction) => Promise<unknown>, call: () => Promise<unknown>): Promise<Record<string, number>> => {
      const ended = await db.knex.transaction(async (trx) => {
        await trx(table).where({ id }).forUpdate().first('id');
        const ending = endings([call()]);
        await until('the call to wait', async () => (await backend.current.sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length > 0);
        await change(trx);
        return { ending };
      });
      return ended.ending;
    };
    const bury = (id: string) => (trx: Knex.Transaction) => trx('comments').where({ id }).update({ body: null, author_id: null, deleted_at: trx.fn.now() });
    const [answered, starred] = [await comment(ada, projectId), await comment(ada, projectId)];
    expect(await against('comments', answered.id, bury(answered.id), () => reply(ada, answered))).to.deep.equal({ CONFLICT: 1 });
    expect(await against('comments', starred.id, bury(starred.id), () => run('starComment', ada, { path: { comment_id: starred.id } }))).to.deep.equal({ CONFLICT: 1 });
    const [jobId, task] = [await queuedJob(backend.current, ada, projectId), await taskIn(backend.current, ada, projectId)];
    const hide = (trx: Knex.Transaction) => trx('preview_jobs').where({ id: jobId }).update({ deleted_at: trx.fn.now() });
    expect(await against('preview_jobs', jobId, hide, () => comment(ada, projectId, { entity_type: 'preview', entity_id: jobId }))).to.deep.equal({ VALIDATION_ERROR: 1 });
    const drop = (trx: Knex.Transaction) => trx('tasks').where({ id: task.id }).delete();
    expect(await against('tasks', task.id, drop, () => comment(ada, projectId, { entity_type: 'task', entity_id: task.id }))).to.deep.equal({ VALIDATION_ERROR: 1 });
  });

  it('is never met by replies to what is not there: the database refuses to delete a comment before its replies', async () => {
    const { project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const root = await comment(ada, projectId);
    await reply(ada, root);
    const failure = await sql('delete from comments where id = ?', [root.id]).then(() => null, (error: unknown) => (error as { code: string }).code);
    expect(failure).to.equal('23503');
    const task = await taskIn(backend.current, ada, projectId);
    await comment(ada, projectId, { entity_type: 'task', entity_id: task.id });
    expect(await sql('delete from tasks where id = ?', [task.id]).then(() => null, (error: unknown) => (error as { code: string }).code)).to.equal('23503');
    expect(await codeOf(deleteComment(backend.current, ada, { id: newId() }))).to.equal('NOT_FOUND');
  });
});

import { expect } from 'chai';
import type { ApiKeyCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { eventsOf, joinProject, joinTeam, teamOf } from '../../support/belonging.ts';
import { bodiesOf, type Comment, commentIn, readComment, replyTo } from '../../support/comments.ts';
import { queuedJob } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { taskIn } from '../../support/tasks.ts';

const span = { path: 'src/Map.tsx', line_start: 12, line_end: 18, commit: '2f1c9f0a7d3b5e8c4a6f1d2e3b4c5d6e7f8091a2' };

describe('comments', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const comment = (who: Person, projectId: string, more: Parameters<typeof commentIn>[3] = {}): Promise<Comment> => commentIn(backend.current, who, projectId, more);
  const auditOf = (id: string): Promise<unknown[]> => backend.current.sql('select event_type, user_id, project_id, data from audit_logs where entity_id = ? order by id', [id]);
  /** The field a request is refused for. */
  const pointerOf = async (call: Promise<unknown>): Promise<string> => {
    const { code, details } = await refusalOf(call);
    return `${code} ${(details as { pointer: string }[])[0]?.pointer}`;
  };

  it('are on the project, its tasks, its previews and spans of its code, as they were written', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const [task, jobId] = [await taskIn(backend.current, ada, projectId), await queuedJob(backend.current, ada, projectId)];
    const shown = { project_id: projectId, parent_id: null, author_id: ada.userId, mentions: [], reply_count: 0, is_starred: false, star_count: 0, is_deleted: false, edited_at: null };
    for (const [on, told] of [
      [{ entity_type: 'project' }, { entity_type: 'project', entity_id: projectId, anchor: null }],
      [{ entity_type: 'project', entity_id: projectId.toUpperCase() }, { entity_type: 'project', entity_id: projectId, anchor: null }],
      [{ entity_type: 'task', entity_id: task.id.toUpperCase() }, { entity_type: 'task', entity_id: task.id, anchor: null }],
      [{ entity_type: 'preview', entity_id: jobId }, { entity_type: 'preview', entity_id: jobId, anchor: null }],
      [{ entity_type: 'code', anchor: span }, { entity_type: 'code', entity_id: projectId, anchor: span }],
      [{ entity_type: 'code', anchor: { path: 'a.ts', line_start: 1, line_end: 1 } }, { entity_type: 'code', entity_id: projectId, anchor: { path: 'a.ts', line_start: 1, line_end: 1, commit: null } }],
    ] as const) {
      const { status, data, etag } = await run('createComment', ada, { path: { project_id: projectId }, body: { body: '*Tiles* \u{1f5fa}', ...on } });
      expect([status, etag]).to.deep.equal([201, (await run('getComment', ada, { path: { comment_id: data.id } })).etag]);
      expect(data).to.deep.include({ ...shown, ...told, body: '*Tiles* \u{1f5fa}' });
      expect(await readComment(backend.current, ada, data)).to.deep.equal(data);
    }
  });

  it('leave audit without their text and an event with everybody whom they concern, in the same transaction', async () => {
    const { project } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const projectId = await project(ada);
    for (const who of [ben, cleo]) await joinProject(backend.current, projectId, ada, who);
    const task = await taskIn(backend.current, ada, projectId, { assignee_id: cleo.userId });
    const first = await comment(ben, projectId, { entity_type: 'task', entity_id: task.id });
    const text = `@${ada.username}, @${cleo.username.toUpperCase()}:\n\n  look   here ${'x'.repeat(300)}`;
    const reply = await comment(cleo, projectId, { parent_id: first.id, body: text });
    expect(reply.mentions).to.deep.equal([{ user_id: ada.userId, username: ada.username }, { user_id: cleo.userId, username: cleo.username }]);
    expect(await auditOf(reply.id)).to.deep.equal([{
      event_type: 'comment.created', user_id: cleo.userId, project_id: projectId,
      data: { entity_type: 'task', entity_id: task.id, parent_id: first.id, mentioned_user_ids: [ada.userId, cleo.userId] },
    }]);
    expect(await eventsOf(backend.current, ['comment.created'], reply.id)).to.deep.equal([{
      type: 'comment.created', projectId,
      data: {
        comment_id: reply.id, project_id: projectId, entity_type: 'task', entity_id: task.id, parent_id: first.id, author_id: cleo.userId,
        excerpt: text.replace(/\s+/g, ' ').slice(0, 200), mentioned_user_ids: [ada.userId], parent_author_id: ben.userId,
        task_assignee_id: cleo.userId, task_creator_id: ada.userId,
      },
    }]);
  });

  it('that are refused point at the field that is wrong', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const [projectId, other] = [await project(ada), await project(ada)];
    const [task, jobId, elsewhere] = [await taskIn(backend.current, ada, other), await queuedJob(backend.current, ada, other), await comment(ada, other)];
    const wrong: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ entity_type: 'task' }, 'entity_id'],
      [{ entity_type: 'preview' }, 'entity_id'],
      [{ entity_type: 'task', entity_id: newId() }, 'entity_id'],
      [{ entity_type: 'task', entity_id: task.id }, 'entity_id'],
      [{ entity_type: 'preview', entity_id: jobId }, 'entity_id'],
      [{ entity_type: 'task', entity_id: jobId }, 'entity_id'],
      [{ entity_type: 'project', entity_id: other }, 'entity_id'],
      [{ entity_type: 'code', entity_id: other, anchor: span }, 'entity_id'],
      [{ entity_type: 'code' }, 'anchor'],
      [{ entity_type: 'project', anchor: span }, 'anchor'],
      [{ entity_type: 'task', entity_id: task.id, anchor: span }, 'anchor'],
      [{ entity_type: 'code', anchor: { ...span, line_end: 11 } }, 'anchor/line_end'],
      [{ entity_type: 'code', anchor: { ...span, path: '/src/Map.tsx' } }, 'anchor/path'],
      [{ entity_type: 'code', anchor: { ...span, path: 'src/../../Map.tsx' } }, 'anchor/path'],
      [{ entity_type: 'code', anchor: { ...span, path: 'src//Map.tsx' } }, 'anchor/path'],
      [{ parent_id: newId() }, 'parent_id'],
      [{ parent_id: elsewhere.id }, 'parent_id'],
      [{ entity_type: 'project', parent_id: elsewhere.id }, 'parent_id'],
    ];
    for (const [more, field] of wrong) {
      const call = run('createComment', ada, { path: { project_id: projectId }, body: { body: 'x', ...more } as never });
      expect(await pointerOf(call), JSON.stringify(more)).to.equal(`VALIDATION_ERROR #/body/${field}`);
    }
    expect(await bodiesOf(backend.current, ada, projectId)).to.deep.equal([]);
  });

  it('are seen and written by members of the project and of its team, and do not exist for anybody else, byte for byte', async () => {
    const { run, project, http } = backend.current;
    const [ada, ben, cleo, eve] = [await person(), await person(), await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, cleo);
    const projectId = await project(ada, { team_id: teamId });
    await joinProject(backend.current, projectId, ada, ben);
    const { id } = await comment(ada, projectId);
    for (const who of [ben, cleo]) {
      expect((await readComment(backend.current, who, { id })).author_id).to.equal(ada.userId);
      await comment(who, projectId, { parent_id: id });
    }
    expect(await codeOf(run('listComments', eve, { path: { project_id: projectId }, query: { limit: 50, sort: 'created_at' } }))).to.equal('NOT_FOUND');
    const other = newId();
    for (const [method, template, json] of [
      ['GET', '/comments/:id'], ['PATCH', '/comments/:id', { body: 'x' }], ['DELETE', '/comments/:id'], ['PUT', '/comments/:id/star'], ['DELETE', '/comments/:id/star'],
    ] as const) {
      const asked = (which: string) => http(method, template.replace(':id', which), { headers: eve.headers, ...(json === undefined ? {} : { json }) });
      const [hidden, missing] = [await asked(id), await asked(other)];
      expect([hidden.status, hidden.text], `${method} ${template}`).to.deep.equal([404, missing.text]);
    }
  });

  it('go to an API key of certain projects in those alone', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const [inside, outside] = [await project(ada), await project(ada)];
    const [seen, hidden] = [await comment(ada, inside), await comment(ada, outside)];
    const key: ApiKeyCaller = { kind: 'api_key', userId: ada.userId, keyId: newId(), tier: 'pro', isVerified: true, scopes: ['comments:read', 'comments:write'], projectIds: [inside] };
    expect((await readComment(backend.current, key, seen)).id).to.equal(seen.id);
    expect((await replyTo(backend.current, key, seen)).author_id).to.equal(ada.userId);
    const path = { comment_id: hidden.id };
    for (const call of [
      () => run('getComment', key, { path }), () => run('updateComment', key, { path, body: { body: 'x' } }), () => run('deleteComment', key, { path }),
      () => run('starComment', key, { path }), () => run('unstarComment', key, { path }), () => bodiesOf(backend.current, key, outside), () => commentIn(backend.current, key, outside),
    ]) expect(await codeOf(call())).to.equal('NOT_FOUND');
  });

  describe('a reply', () => {
    it('is on what its parent is on, and what it says of that itself must agree', async () => {
      const { run, project } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const [task, other] = [await taskIn(backend.current, ada, projectId), await taskIn(backend.current, ada, projectId)];
      const onTask = await comment(ada, projectId, { entity_type: 'task', entity_id: task.id });
      const onCode = await comment(ada, projectId, { entity_type: 'code', anchor: span });
      const ask = (more: Record<string, unknown>) => run('createComment', ada, { path: { project_id: projectId }, body: { body: 'x', ...more } as never });
      for (const [more, told] of [
        [{ parent_id: onTask.id }, onTask], [{ parent_id: onTask.id.toUpperCase(), entity_type: 'task' }, onTask], [{ parent_id: onTask.id, entity_id: task.id.toUpperCase() }, onTask],
        [{ parent_id: onCode.id }, onCode], [{ parent_id: onCode.id, entity_type: 'code', entity_id: projectId, anchor: span }, onCode],
      ] as const) {
        const { data } = await ask(more);
        expect(data).to.deep.include({ parent_id: told.id, entity_type: told.entity_type, entity_id: told.entity_id, anchor: told.anchor });
      }
      for (const [more, field] of [
        [{ parent_id: onTask.id, entity_type: 'project' }, 'entity_type'], [{ parent_id: onTask.id, entity_id: other.id }, 'entity_id'],
        [{ parent_id: onTask.id, anchor: span }, 'anchor'], [{ parent_id: onCode.id, anchor: { ...span, line_end: 19 } }, 'anchor'],
        [{ parent_id: onCode.id, anchor: { path: span.path, line_start: 12, line_end: 18 } }, 'anchor'], [{ parent_id: onCode.id, entity_type: 'task' }, 'entity_type'],
      ] as const) expect(await pointerOf(ask(more)), JSON.stringify(more)).to.equal(`VALIDATION_ERROR #/body/${field}`);
      expect((await readComment(backend.current, ada, onTask)).reply_count).to.equal(3);
    });

    it('may be the twentieth, and not the twenty-first, however many stand beside it', async () => {
      const { project } = backend.current;
      const ada = await person();
      const thread = [await comment(ada, await project(ada))];
      for (let deep = 1; deep <= 20; deep += 1) thread.push(await replyTo(backend.current, ada, thread[deep - 1] ?? expect.fail()));
      const last = thread[20] ?? expect.fail();
      const refusal = await refusalOf(replyTo(backend.current, ada, last));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { allowed: 20 }]);
      await replyTo(backend.current, ada, thread[19] ?? expect.fail());
    });
  });

  describe('a mention', () => {
    it('is of members alone, by whatever way and in whatever case, each once and in the order of the text; not of code or addresses', async () => {
      const { run, project, sql } = backend.current;
      const [ada, ben, cleo, dan, eve, gone] = [await person(), await person(), await person(), await person(), await person(), await person()];
      const teamId = await teamOf(backend.current, ada);
      await joinTeam(backend.current, teamId, ada, cleo);
      const projectId = await project(ada, { team_id: teamId });
      for (const who of [ben, gone]) await joinProject(backend.current, projectId, ada, who);
      await run('addProjectMember', ada, { path: { project_id: projectId }, body: { user_id: dan.userId } });
      await sql('update users set suspended_at = now() where id = ?', [gone.userId]);
      const body = `@${cleo.username.toUpperCase()} @${ben.username} @${cleo.username} @${dan.username} @${eve.username} @${gone.username} @nobody-has-it \`@${ada.username}\` x@${ada.username}.org`;
      const made = await comment(ben, projectId, { body });
      expect(made.mentions).to.deep.equal([cleo, ben].map(({ userId, username }) => ({ user_id: userId, username })));
      expect(made.body).to.equal(body);
    });

    it('is of fifty people at most: the first of the text', async () => {
      const { project, sql } = backend.current;
      const ada = await person();
      const projectId = await project(ada);
      const people = await sql<{ id: string; username: string }>(`
        with people as (
          insert into users (id, email, username, password_hash) select gen_random_uuid(), 'crowd' || n || '-${projectId}@example.com', 'crowd' || n || '-' || left('${projectId}', 8), 'none'
            from generate_series(10, 69) as n returning id, username
        ), members as (insert into project_members (id, project_id, user_id, role, status, joined_at) select gen_random_uuid(), '${projectId}', id, 'Member', 'active', now() from people)
        select id, username from people order by username desc`);
      const { mentions } = await comment(ada, projectId, { body: people.map(({ username }) => `@${username}`).join(' ') });
      expect(mentions).to.deep.equal(people.slice(0, 50).map(({ id, username }) => ({ user_id: id, username })));
    });

    it('shows the name that the person has now', async () => {
      const { project, sql } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const projectId = await project(ada);
      await joinProject(backend.current, projectId, ada, ben);
      const made = await comment(ada, projectId, { body: `@${ben.username}` });
      const renamed = `renamed-${ben.username.slice(-8)}`;
      await sql('update users set username = ? where id = ?', [renamed, ben.userId]);
      expect((await readComment(backend.current, ada, made)).mentions).to.deep.equal([{ user_id: ben.userId, username: renamed }]);
    });
  });

  describe('a change', () => {
    it('is its author\'s alone, is stamped, and leaves audit without the text; to the very same is none', async () => {
      const { run, project } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const projectId = await project(ada);
      await joinProject(backend.current, projectId, ada, ben);
      const made = await comment(ben, projectId);
      const path = { comment_id: made.id };
      expect(await codeOf(run('updateComment', ada, { path, body: { body: 'x' } })), 'the owner').to.equal('FORBIDDEN');
      const same = await run('updateComment', ben, { path, body: { body: made.body ?? '' } });
      expect(same.data).to.deep.equal(made);
      const { data, etag } = await run('updateComment', ben, { path, body: { body: 'On Android only.' } });
      expect(data).to.deep.equal({ ...made, body: 'On Android only.', edited_at: data.edited_at, updated_at: data.updated_at });
      expect(data.edited_at).to.be.a('string');
      expect((await run('getComment', ben, { path })).etag).to.equal(etag).and.not.to.equal(same.etag);
      expect((await auditOf(made.id)).slice(1)).to.deep.equal([{
        event_type: 'comment.updated', user_id: ben.userId, project_id: projectId, data: { changed: ['body'], newly_mentioned_user_ids: [] },
      }]);
      expect(await codeOf(run('updateComment', ben, { path, body: { body: 'x' } }, { ifMatch: same.etag ?? '' }))).to.equal('PRECONDITION_FAILED');
      expect((await run('updateComment', ben, { path, body: { body: 'x' } }, { ifMatch: etag ?? '' })).data.body).to.equal('x');
    });

    it('mentions anew, and tells those alone who never were: also who was taken out and put in again is told once', async () => {
      const { run, project } = backend.current;
      const [ada, ben, cleo, dan] = [await person(), await person(), await person(), await person()];
      const projectId = await project(ada);
      for (const who of [ben, cleo, dan]) await joinProject(backend.current, projectId, ada, who);
      const made = await comment(ada, projectId, { body: `@${ben.username} @${cleo.username}` });
      const write = async (...people: Person[]): Promise<string[]> =>
        (await run('updateComment', ada, { path: { comment_id: made.id }, body: { body: people.map(({ username }) => `@${username}`).join(' ') } })).data.mentions.map(({ username }) => username);
      expect(await write(cleo, dan)).to.deep.equal([cleo.username, dan.username]);
      expect(await write()
        .catch((error: unknown) => (error as Error).message), 'an empty text is none').to.contain('the contract refuses');
      expect(await write(ben, ada, dan)).to.deep.equal([ben.username, ada.username, dan.username]);
      expect(await write(dan, cleo, ben)).to.deep.equal([dan.username, cleo.username, ben.username]);
      const events = await eventsOf(backend.current, ['comment.created', 'comment.updated'], made.id);
      expect(events.map(({ data }) => data['mentioned_user_ids'] ?? data['newly_mentioned_user_ids'])).to.deep.equal([[ben.userId, cleo.userId], [dan.userId], [], []]);
      expect(events[1]?.data).to.deep.include({ comment_id: made.id, project_id: projectId, entity_type: 'project', entity_id: projectId, author_id: ada.userId, excerpt: `@${cleo.username} @${dan.username}` });
      const told = (await auditOf(made.id)).map((row) => (row as { data: Record<string, unknown> }).data['newly_mentioned_user_ids']);
      expect(told.slice(1)).to.deep.equal([[dan.userId], [ada.userId], []]);
    });
  });

  it('have another version when anything that is shown changes, and are judged under If-Match by what they say alone', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const made = await comment(ada, projectId);
    const path = { comment_id: made.id };
    const seen: (string | null)[] = [];
    const look = async (): Promise<string> => {
      const { etag } = await run('getComment', ada, { path });
      seen.push(etag);
      return etag ?? '';
    };
    const first = await look();
    await run('starComment', ben, { path });
    await look();
    await run('starComment', ada, { path });
    await look();
    await replyTo(backend.current, ben, made);
    await look();
    expect(new Set(seen).size).to.equal(4);
    await run('updateComment', ada, { path, body: { body: 'x' } }, { ifMatch: first });
    expect(await codeOf(run('deleteComment', ada, { path }, { ifMatch: first }))).to.equal('PRECONDITION_FAILED');
    await run('deleteComment', ada, { path }, { ifMatch: await look() });
  });

  it('are stored with what holds the database\'s own rules: nothing else gets in beside the services', async () => {
    const { project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const columns = { entity_type: 'project', entity_id: projectId, anchor: null, author_id: ada.userId, body: 'x', depth: 0, parent_id: null, deleted_at: null };
    const insert = (more: Record<string, unknown>): Promise<unknown> => backend.current.database.db.knex('comments').insert({ id: newId(), project_id: projectId, ...columns, ...more });
    await insert({});
    const anchor = (value: unknown): Record<string, unknown> => ({ entity_type: 'code', anchor: JSON.stringify(value) });
    await insert(anchor(span));
    await insert({ body: null, author_id: null, deleted_at: new Date() });
    for (const more of [
      { entity_type: 'team' }, { entity_id: newId() }, { entity_type: 'task', entity_id: newId() }, { entity_type: 'preview', entity_id: newId() }, { entity_type: 'code' },
      { anchor: JSON.stringify(span) }, { body: null }, { body: '' }, { body: 'x'.repeat(10_001) }, { deleted_at: new Date() }, { author_id: null }, { depth: 1 },
      { deleted_at: new Date(), body: null }, { deleted_at: new Date(), author_id: null }, { parent_id: newId(), depth: 1 },
      anchor({ ...span, line_end: 11 }), anchor({ ...span, line_start: 0 }), anchor({ ...span, path: '' }), anchor({ ...span, commit: 'main' }), anchor({ ...span, more: 1 }),
      anchor({ line_start: 1, line_end: 2 }), anchor({ ...span, path: 1 }), anchor({ ...span, line_start: '12' }), anchor({ ...span, line_end: 10_000_001 }), anchor([span]),
    ]) {
      const failure = await insert(more).then(() => null, (error: unknown) => (error as { code: string }).code);
      expect(failure, JSON.stringify(more).slice(0, 200)).to.be.oneOf(['23514', '23503', '22P02']);
    }
    const [root] = await sql<{ id: string }>('select id from comments where project_id = ? limit 1', [projectId]);
    const tooDeep = await insert({ parent_id: root?.id, depth: 21 }).then(() => null, (error: unknown) => (error as { code: string }).code);
    expect(tooDeep).to.equal('23514');
  });

  it('take the same few statements however many there are, whomever they mention and whoever starred them', async () => {
    const { run, project, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const path = { project_id: projectId };
    const root = await comment(ada, projectId, { body: `@${ben.username}` });
    const list = (query: Record<string, unknown> = {}): Promise<number> => countStatements(() => run('listComments', ada, { path, query: { limit: 200, sort: 'created_at', ...query } }));
    const few = await list();
    for (let at = 0; at < 30; at += 1) {
      const reply = await comment(ben, projectId, { parent_id: root.id, body: `@${ada.username} @${ben.username} ${at}` });
      await run('starComment', ada, { path: { comment_id: reply.id } });
    }
    expect([few, await list(), await list({ starred: true, author_id: ben.userId, parent_id: root.id })]).to.deep.equal([3, 3, 3]);
    const { data } = await run('listComments', ada, { path, query: { limit: 10, sort: 'created_at' } });
    expect(await list({ cursor: data.page.next_cursor, limit: 10 })).to.equal(2);
    expect(data.items[0]).to.deep.include({ reply_count: 30, star_count: 0 });
    expect(data.items[1]).to.deep.include({ is_starred: true, star_count: 1, mentions: [ada, ben].map(({ userId, username }) => ({ user_id: userId, username })) });

    const task = await taskIn(backend.current, ada, projectId);
    const onTask = await comment(ada, projectId, { entity_type: 'task', entity_id: task.id });
    const one = { comment_id: onTask.id };
    expect(await countStatements(() => run('getComment', ada, { path: one }))).to.equal(2);
    // Policy, parent's place, task, parent, accounts, members, comment, mentions, audit, event.
    expect(await countStatements(() => comment(ada, projectId, { parent_id: onTask.id, body: `@${ben.username} @${ada.username} @nobody` }))).to.equal(10);
    expect(await countStatements(() => comment(ada, projectId))).to.equal(4);
    expect(await countStatements(() => run('updateComment', ada, { path: one, body: { body: `@${ben.username}` } }))).to.equal(9);
    expect(await countStatements(() => run('starComment', ada, { path: one }))).to.equal(3);
    expect(await countStatements(() => run('unstarComment', ada, { path: one }))).to.equal(2);
    expect(await countStatements(() => run('deleteComment', ada, { path: one })), 'to a tombstone').to.equal(8);
    const [reply] = await sql<{ id: string }>('select id from comments where parent_id = ?', [onTask.id]);
    expect(await countStatements(() => run('deleteComment', ada, { path: { comment_id: reply?.id ?? '' } })), 'with the tombstone above it').to.equal(10);
  });
});

import { expect } from 'chai';
import { type Person, useSystem } from '../support/system.ts';
import { failureOf } from '../support/failures.ts';

const missing = '01920000-0000-7000-8000-00000000ffff';
const anchor = { path: 'src/Map.tsx', line_start: 12, line_end: 18, commit: '2f1c9f0a7d3b5e8c4a6f1d2e3b4c5d6e7f8091a2' };

describe('comments over the wire', () => {
  const system = useSystem({ apis: 2 });

  const begin = async (): Promise<Person & { projectId: string }> => {
    const person = await system.current.person();
    return { ...person, projectId: (await person.hive.api.createProject({ body: { name: 'Field Notes' } })).id };
  };
  const join = async (projectId: string, { tokens }: Person): Promise<void> => {
    await system.current.sql("insert into project_members (id, project_id, user_id, role) values (gen_random_uuid(), $1, $2, 'Member')", [projectId, tokens.user.id]);
  };
  const url = (path: string, api = 0): string => `${system.current.urlOf(api)}/api/v1${path}`;
  const bearer = ({ tokens }: Pick<Person, 'tokens'>): { authorization: string } => ({ authorization: `Bearer ${tokens.access_token}` });

  it('are written on code, answered, starred, changed and deleted: a tombstone stays as long as its last reply', async () => {
    const ada = await begin();
    const ben = await system.current.person();
    await join(ada.projectId, ben);
    const path = { project_id: ada.projectId };
    const root = await ada.hive.api.createComment({ path, body: { body: `@${ben.tokens.user.username.toUpperCase()} the tiles flicker here.`, entity_type: 'code', anchor } });
    expect(root).to.deep.include({
      project_id: ada.projectId, parent_id: null, entity_type: 'code', entity_id: ada.projectId, anchor, author_id: ada.tokens.user.id,
      mentions: [{ user_id: ben.tokens.user.id, username: ben.tokens.user.username }], reply_count: 0, star_count: 0, is_starred: false, is_deleted: false, edited_at: null,
    });
    const one = { comment_id: root.id };
    expect(await ben.hive.api.getComment({ path: one })).to.deep.equal(root);
    const reply = await ben.hive.api.createComment({ path, body: { body: 'On Android only.', parent_id: root.id } });
    expect(reply).to.deep.include({ parent_id: root.id, entity_type: 'code', anchor });
    for (let twice = 0; twice < 2; twice += 1) await ben.hive.api.starComment({ path: one });
    expect((await ben.hive.api.listComments({ path, query: { starred: true } })).items).to.deep.equal([{ ...root, reply_count: 1, star_count: 1, is_starred: true }]);
    for (let twice = 0; twice < 2; twice += 1) await ben.hive.api.unstarComment({ path: one });
    const edited = await ada.hive.api.updateComment({ path: one, body: { body: 'The tiles flicker.' } });
    expect(edited).to.deep.include({ body: 'The tiles flicker.', mentions: [], star_count: 0 });
    expect(edited.edited_at).to.be.a('string');
    expect(await failureOf(ben.hive.api.updateComment({ path: one, body: { body: 'x' } }))).to.include({ code: 'FORBIDDEN', status: 403 });
    expect(await failureOf(ben.hive.api.deleteComment({ path: one }))).to.include({ code: 'FORBIDDEN', status: 403 });
    await ada.hive.api.deleteComment({ path: one });
    const tombstone = await ben.hive.api.getComment({ path: one });
    expect(tombstone).to.deep.include({ is_deleted: true, body: null, author_id: null, mentions: [], reply_count: 1, anchor });
    expect((await ben.hive.api.listComments({ path, query: { entity_type: 'code', path: anchor.path } })).items).to.deep.equal([tombstone, reply]);
    expect(await failureOf(ada.hive.api.createComment({ path, body: { body: 'x', parent_id: root.id } }))).to.include({ code: 'CONFLICT', status: 409 });
    await ada.hive.api.deleteComment({ path: { comment_id: reply.id } });
    expect(await failureOf(ben.hive.api.getComment({ path: one }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect((await ada.hive.api.listComments({ path })).page.total).to.equal(0);
  });

  it('are on tasks and go with them, and are walked to the end in both orders, each once', async () => {
    const { hive, projectId } = await begin();
    const path = { project_id: projectId };
    const task = await hive.api.createTask({ path, body: { title: 'Draw the map offline' } });
    for (let at = 0; at < 9; at += 1) await hive.api.createComment({ path, body: { body: `Comment ${at}`, entity_type: 'task', entity_id: task.id } });
    for (const sort of ['created_at', '-created_at'] as const) {
      const seen: (string | null)[] = [];
      for await (const { body } of hive.paginate(hive.api.listComments, { path, query: { limit: 2, sort } })) seen.push(body);
      expect(seen, sort).to.deep.equal((await hive.api.listComments({ path, query: { sort } })).items.map(({ body }) => body));
      expect(new Set(seen).size).to.equal(9);
    }
    await hive.api.deleteTask({ path: { task_id: task.id } });
    expect((await hive.api.listComments({ path })).page.total).to.equal(0);
  });

  it('are told apart from what is missing by members alone, and point at what is wrong', async () => {
    const ada = await begin();
    const eve = await begin();
    const path = { project_id: ada.projectId };
    const comment = await ada.hive.api.createComment({ path, body: { body: 'x', entity_type: 'project' } });
    const seen = async (id: string): Promise<string> => (await fetch(url(`/comments/${id}`), { headers: bearer(eve) })).text();
    expect(await seen(comment.id)).to.equal(await seen(missing));
    const pointer = async (call: Promise<unknown>): Promise<unknown> => ((await failureOf(call)).details as { pointer: string }[])[0]?.pointer;
    expect(await pointer(eve.hive.api.createComment({ path: { project_id: eve.projectId }, body: { body: 'x', parent_id: comment.id } }))).to.equal('#/body/parent_id');
    expect(await pointer(ada.hive.api.createComment({ path, body: { body: 'x', entity_type: 'task', entity_id: missing } }))).to.equal('#/body/entity_id');
    expect(await pointer(ada.hive.api.createComment({ path, body: { body: 'x', entity_type: 'code' } }))).to.equal('#/body/anchor');
    expect(await pointer(ada.hive.api.listComments({ path, query: { path: 'a.ts' } }))).to.equal('#/query/path');
  });

  it('leave no tombstone behind whose last replies are deleted at once, over two processes', async () => {
    const { hive, projectId, ...ada } = await begin();
    const path = { project_id: projectId };
    for (let round = 0; round < 10; round += 1) {
      const root = await hive.api.createComment({ path, body: { body: 'root', entity_type: 'project' } });
      const replies = await Promise.all(Array.from({ length: 6 }, () => hive.api.createComment({ path, body: { body: 'reply', parent_id: root.id } })));
      await hive.api.deleteComment({ path: { comment_id: root.id } });
      const answers = await Promise.all(replies.map(({ id }, at) => fetch(url(`/comments/${id}`, at % 2), { method: 'DELETE', headers: bearer(ada) })));
      expect(answers.map(({ status }) => status)).to.deep.equal(replies.map(() => 204));
      expect((await hive.api.listComments({ path })).items).to.deep.equal([]);
    }
  });

  it('answer 304 to who holds them, and let one of two writers with the same ETag win', async () => {
    const { hive, projectId, ...ada } = await begin();
    const { id } = await hive.api.createComment({ path: { project_id: projectId }, body: { body: 'Race', entity_type: 'project' } });
    const headers = bearer(ada);
    const etag = (await fetch(url(`/comments/${id}`), { headers })).headers.get('etag') ?? '';
    expect((await fetch(url(`/comments/${id}`, 1), { headers: { ...headers, 'if-none-match': etag } })).status).to.equal(304);
    const write = (api: number): Promise<Response> => fetch(url(`/comments/${id}`, api), {
      method: 'PATCH', headers: { ...headers, 'content-type': 'application/json', 'if-match': etag }, body: JSON.stringify({ body: `by ${api}` }),
    });
    expect((await Promise.all([write(0), write(1)])).map(({ status }) => status).sort()).to.deep.equal([200, 412]);
  });
});

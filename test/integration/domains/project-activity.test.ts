import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { joinProject, joinTeam, teamOf } from '../../support/belonging.ts';
import { codeOf } from '../../support/refusals.ts';
import { countStatements, statementsOf } from '../../support/statements.ts';
import { taskIn } from '../../support/tasks.ts';

type Page = DataOf<'listProjectActivity'>;

describe('what happened in a project', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const list = async (who: Person, projectId: string, query: Record<string, unknown> = {}): Promise<Page> =>
    (await backend.current.run('listProjectActivity', who, { path: { project_id: projectId }, query })).data;
  const typesOf = async (who: Person, projectId: string, query: Record<string, unknown> = {}): Promise<string[]> =>
    (await list(who, projectId, query)).items.map(({ event_type }) => event_type);
  /** Rows as the audit has them, a second apart, the first the oldest. */
  const happened = (projectId: string, userId: string | null, events: readonly string[], data: object = {}): Promise<unknown> => backend.current.sql(`
    insert into audit_logs (id, user_id, project_id, event_type, entity_type, entity_id, data, ip_address, request_id, created_at)
    select gen_random_uuid(), ?, ?, event, split_part(event, '.', 1), gen_random_uuid(), ?::jsonb, '203.0.113.7', 'request-of-somebody', '2026-03-02T09:00:00Z'::timestamptz + at * interval '1 second'
      from unnest(?::text[]) with ordinality as events(event, at)`, [userId, projectId, JSON.stringify(data), events]);

  it('tells who did what to which, newest first, without addresses', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const { id } = await taskIn(backend.current, ben, projectId, { title: 'Draw the map' });
    await run('updateProject', ada, { path: { project_id: projectId }, body: { name: 'Renamed' } });
    const { items, page } = await list(ben, projectId);
    expect(items.map(({ event_type, username }) => `${event_type} ${username}`)).to.deep.equal([
      `project.updated ${ada.username}`, `task.created ${ben.username}`, `project.member_invited ${ada.username}`, `project.created ${ada.username}`,
    ]);
    expect(page).to.deep.equal({ limit: 50, offset: 0, total: 4, next_cursor: null });
    expect(items[1]).to.include({ project_id: projectId, user_id: ben.userId, entity_type: 'task', entity_id: id });
    await happened(projectId, ada.userId, ['project.updated'], { email: 'cy@example.com', nested: [{ ip_address: '203.0.113.7', kept: 1 }], user_agent: 'Firefox' });
    const answer = await backend.current.http('GET', `/projects/${projectId}/activity?until=2026-03-03T00:00:00Z`, { headers: ben.headers });
    expect((answer.data['items'] as { data: unknown }[]).map(({ data }) => data)).to.deep.equal([{ nested: [{ kept: 1 }] }]);
    for (const secret of ['203.0.113.7', '127.0.0.1', 'example.com', 'request-of-somebody']) expect(answer.text).to.not.contain(secret);
  });

  it('shows invitations, webhooks and what nobody thought of to those alone who may invite', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cy] = [await person(), await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, cy, 'admin');
    const projectId = await project(ada, { team_id: teamId });
    await joinProject(backend.current, projectId, ada, ben);
    await run('createInvitation', ada, { body: { target_type: 'project', target_id: projectId, role: 'member', email: 'dan@example.com' } });
    await happened(projectId, ada.userId, ['webhook.created', 'unheard.of', 'comment.created']);
    expect(await typesOf(ben, projectId)).to.deep.equal(['project.member_invited', 'project.created', 'comment.created']);
    expect(await typesOf(ben, projectId, { event_type: 'invitation.created' })).to.deep.equal([]);
    expect((await list(ben, projectId)).page.total).to.equal(3);
    for (const who of [ada, cy]) {
      const { items } = await list(who, projectId);
      const types = items.map(({ event_type }) => event_type);
      expect(types).to.include.members(['invitation.created', 'webhook.created', 'unheard.of', 'comment.created']);
      expect(JSON.stringify(items)).to.not.contain('@');
    }
  });

  it('is narrowed by event, kind, entity, person and time, all together', async () => {
    const { project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await happened(projectId, ada.userId, ['task.created', 'task.updated', 'comment.created']);
    await happened(projectId, ben.userId, ['task.updated']);
    await happened(projectId, null, ['preview.cancelled']);
    const entityId = (await list(ada, projectId, { event_type: 'comment.created' })).items[0]?.entity_id ?? '';
    expect(await typesOf(ada, projectId, { entity_id: entityId.toUpperCase() })).to.deep.equal(['comment.created']);
    expect(await typesOf(ada, projectId, { event_type: 'task.updated' })).to.deep.equal(['task.updated', 'task.updated']);
    expect(await typesOf(ada, projectId, { entity_type: 'task', user_id: ada.userId })).to.deep.equal(['task.updated', 'task.created']);
    expect(await typesOf(ada, projectId, { since: '2026-03-02T09:00:02Z', until: '2026-03-02T10:00:03+01:00' })).to.deep.equal(['task.updated']);
    expect(await typesOf(ada, projectId, { since: '2026-03-03T00:00:00Z', until: '2026-03-02T00:00:00Z' })).to.deep.equal([]);
    expect((await list(ada, projectId, { event_type: 'preview.cancelled' })).items[0]).to.include({ user_id: null, username: null });
    expect(await typesOf(ada, await project(ada), { entity_id: entityId }), 'of another project').to.deep.equal([]);
  });

  it('names nobody whose account has ended', async () => {
    const { project, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    await happened(projectId, ben.userId, ['task.created']);
    await sql('update users set deleted_at = now() where id = ?', [ben.userId]);
    expect((await list(ada, projectId, { user_id: ben.userId })).items[0]).to.include({ user_id: ben.userId, username: null });
  });

  it('is walked by cursor without loss or double while more happens, ties by id; a cursor holds for its filters', async () => {
    const { project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    await happened(projectId, ada.userId, Array.from({ length: 11 }, (_, at) => `task.t${'abcdefghijk'[at]}`));
    await sql("update audit_logs set created_at = '2026-03-02T09:00:00.123Z' where project_id = ? and created_at < '2026-03-02T09:00:07Z'", [projectId]);
    const whole = (await list(ada, projectId)).items.map(({ id }) => id);
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const { items, page }: Page = await list(ada, projectId, { limit: 3, ...(cursor === null ? {} : { cursor }) });
      walked.push(...items.map(({ id }) => id));
      if (cursor !== null) expect(page).to.include({ offset: null, total: null });
      cursor = page.next_cursor;
      await taskIn(backend.current, ada, projectId);
    } while (cursor !== null);
    expect(walked).to.deep.equal(whole);
    const { page } = await list(ada, projectId, { limit: 1 });
    const other = await project(ada);
    for (const [where, query] of [[projectId, { entity_type: 'task' }], [other, {}]] as const) {
      expect(await codeOf(list(ada, where, { cursor: page.next_cursor, ...query }))).to.equal('VALIDATION_ERROR');
    }
  });

  it('costs three statements under an offset and two under a cursor, through an index however long the trail is', async () => {
    const { project, run, sql } = backend.current;
    const ada = await person();
    const [projectId, quiet] = [await project(ada), await project(ada)];
    for (const [id, events] of [[projectId, 20_000], [quiet, 300]] as const) {
      await sql(`
        insert into audit_logs (id, user_id, project_id, event_type, entity_type, entity_id, created_at)
        select gen_random_uuid(), ?, ?, 'task.updated', 'task', gen_random_uuid(), now() - at * interval '1 second' from generate_series(1, ?::int) at`, [ada.userId, id, events]);
    }
    await sql('analyze audit_logs');
    const path = { project_id: projectId };
    expect(await countStatements(() => run('listProjectActivity', ada, { path }))).to.equal(3);
    const { page } = await list(ada, projectId);
    expect(page.total, 'counted no further than the bound').to.equal(null);
    expect(await countStatements(() => run('listProjectActivity', ada, { path, query: { cursor: page.next_cursor ?? '' } }))).to.equal(2);
    const [text] = (await statementsOf(() => run('listProjectActivity', ada, { path }))).filter((one) => one.includes('left join users'));
    expect(await planOf(text ?? '', [projectId, '51', '0'])).to.not.contain('Seq Scan on audit_logs');
    expect(await planOf(text ?? '', [quiet, '51', '0']), 'among many others').to.contain('audit_logs_project_id_idx');
    const [ofOne] = (await statementsOf(() => run('listProjectActivity', ada, { path, query: { entity_id: newId() } }))).filter((one) => one.includes('left join users'));
    expect(await planOf(ofOne ?? '', [projectId, newId(), '51', '0'])).to.contain('audit_logs_project_entity_idx');
  });

  async function planOf(text: string, values: readonly string[]): Promise<string> {
    const filled = values.reduce((sqlText, value, at) => sqlText.replace(new RegExp(`\\$${at + 1}(?!\\d)`, 'g'), `'${value}'`), text);
    const rows = await backend.current.sql<Record<'QUERY PLAN', string>>(`explain ${filled}`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }
});

/** What endpoints are told, by every way that it comes to be told; each message judged by the contract's schema of its type. */
import { expect } from 'chai';
import type { WebhookEventType } from '#generated/sdk/types.gen.ts';
import type { DomainEvent } from '#jobs/outbox.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { joinProject, joinTeam, teamOf } from '../../support/belonging.ts';
import { commentIn, deleteComment } from '../../support/comments.ts';
import { schemaNamed } from '../../support/contract-schema.ts';
import { claim, failureReport, make, queuedJob } from '../../support/preview-jobs.ts';
import { countStatements } from '../../support/statements.ts';
import { labelIn, setStatus, taskIn } from '../../support/tasks.ts';
import { WebhookReceiver } from '../../support/webhook-receiver.ts';

const everyType: readonly WebhookEventType[] = [
  'project.updated', 'project.deleted', 'member.added', 'member.removed', 'task.created', 'task.updated', 'task.completed', 'comment.created',
  'preview.succeeded', 'preview.failed', 'webhook.disabled',
];

interface Message { readonly id: string; readonly type: WebhookEventType; readonly timestamp: string; readonly project_id: string; readonly data: Record<string, unknown> }

const validators = new Map(everyType.map((type) => [type, schemaNamed(`${type.split(/[._]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}Message`)]));

describe('messages of webhooks', () => {
  const backend = useBackend({ OUTGOING_ALLOWED_RANGES: '127.0.0.0/8' });
  const receiver = new WebhookReceiver();
  before(async () => { await receiver.listen(); });
  after(() => receiver.close());
  beforeEach(async () => {
    // What the tests before left is told before anybody listens.
    await backend.current.sendWebhooks();
    receiver.clear();
  });

  const person = (): Promise<Person> => backend.current.person();
  const listen = async (who: Person, projectId: string, types: readonly WebhookEventType[] = everyType, path = '/'): Promise<DataOf<'createWebhook'>> =>
    (await backend.current.run('createWebhook', who, { path: { project_id: projectId }, body: { url: receiver.url(path), event_types: [...types], is_active: true } })).data;
  const begin = async (): Promise<{ ada: Person; projectId: string }> => {
    const ada = await person();
    const projectId = await backend.current.project(ada);
    await listen(ada, projectId);
    return { ada, projectId };
  };
  /** What comes of whatever was done until now, in the order of the events; every one is what the contract says. */
  const told = async (path = '/'): Promise<Message[]> => {
    await backend.current.sendWebhooks();
    const messages = receiver.at<Message>(path).sort((one, other) => (one.timestamp + one.id < other.timestamp + other.id ? -1 : 1));
    for (const message of messages) {
      const validate = validators.get(message.type);
      if (validate?.(message) !== true) throw new Error(`${message.type}: ${JSON.stringify(validate?.errors)}: ${JSON.stringify(message)}`);
    }
    for (const { id, body } of receiver.received) expect((JSON.parse(body) as Message).id).to.equal(id);
    return messages;
  };

  it('say of a task what it is, what changed and who did it', async () => {
    const { ada, projectId } = await begin();
    const { run } = backend.current;
    const first = await taskIn(backend.current, ada, projectId, { title: 'Draw the map', description: 'All of it.' });
    const labelId = await labelIn(backend.current, ada, projectId, 'urgent');
    await run('attachLabel', ada, { path: { task_id: first.id, label_id: labelId } });
    await run('updateTask', ada, { path: { task_id: first.id }, body: { title: 'Draw the whole map' } });
    await setStatus(backend.current, ada, first.id, 'done');
    const messages = await told();
    const task = (await run('getTask', ada, { path: { task_id: first.id } })).data;
    const of = (type: string): Message[] => messages.filter((message) => message.type === type && message.project_id === projectId);
    expect(of('task.created').map(({ data }) => data['changed_by'])).to.deep.equal([ada.userId]);
    expect(of('task.updated').map(({ data }) => data['changed']).sort()).to.deep.equal([['labels'], ['status'], ['title']]);
    expect(of('task.completed').map(({ data }) => data)).to.deep.equal([{ task, changed_by: ada.userId }]);
    // Each says how the task was left by it, though all are told when it was done.
    const statusAfter = (field: string): unknown => (of('task.updated').find(({ data }) => (data['changed'] as string[]).includes(field))?.data['task'] as { status: string }).status;
    expect([statusAfter('title'), statusAfter('status'), (of('task.created')[0]?.data['task'] as { status: string; title: string }).title]).to.deep.equal(['todo', 'done', 'Draw the map']);
    expect(Math.abs(Date.parse(of('task.created')[0]?.timestamp ?? '') - Date.parse(first.created_at))).to.be.lessThan(2_000);
  });

  it('say of a project what was changed, and at last that it was deleted, by whom', async () => {
    const { ada, projectId } = await begin();
    const { run } = backend.current;
    const path = { project_id: projectId };
    await run('updateProject', ada, { path, body: { name: 'Tide Tables', description: 'High and low.', archived: true } });
    await run('updateProjectSettings', ada, { path, body: { notifications: { preview_ready: false } } });
    await run('createProjectTag', ada, { path, body: { name: 'sea', color: '#0a7f5a' } });
    const changes = (await told()).filter(({ type }) => type === 'project.updated');
    expect(changes.map(({ data }) => data['changed']).sort()).to.deep.equal([['name', 'description', 'archived_at'], ['settings'], ['tags']].sort());
    const change = changes.find(({ data }) => (data['changed'] as string[]).includes('name'));
    expect(change?.data).to.deep.include({ changed_by: ada.userId });
    expect(change?.data['project']).to.deep.include({ id: projectId, name: 'Tide Tables', description: 'High and low.', owner_id: ada.userId, team_id: null });

    receiver.clear();
    await run('deleteProject', ada, { path });
    // Its erasure begins before anybody is told.
    await backend.current.runSystemJobs();
    const [end, ...more] = await told();
    expect(more).to.deep.equal([]);
    expect(end).to.deep.include({ type: 'project.deleted', project_id: projectId });
    expect(end?.data).to.deep.include({ project_id: projectId, name: 'Tide Tables', deleted_by: ada.userId });
  });

  it('say of members who came and who went, in a project and in every project of a team', async () => {
    const { run, project } = backend.current;
    const { ada, projectId } = await begin();
    const [ben, cem] = [await person(), await person()];
    await joinProject(backend.current, projectId, ada, ben);
    await run('removeProjectMember', ada, { path: { project_id: projectId, user_id: ben.userId } });
    const own = await told();
    expect(own.map(({ type, data }) => ({ type, ...data }))).to.deep.equal([
      { type: 'member.added', user_id: ben.userId, username: ben.username, role: 'member', source: 'project', changed_by: ben.userId },
      { type: 'member.removed', user_id: ben.userId, username: ben.username, role: 'member', source: 'project', changed_by: ada.userId },
    ]);

    receiver.clear();
    const teamId = await teamOf(backend.current, ada);
    const [one, other] = [await project(ada, { team_id: teamId }), await project(ada, { team_id: teamId })];
    await listen(ada, one, ['member.added', 'member.removed'], '/one');
    await listen(ada, other, ['member.added'], '/other');
    await joinTeam(backend.current, teamId, ada, cem, 'admin');
    await run('removeTeamMember', cem, { path: { team_id: teamId, user_id: cem.userId } });
    expect((await told('/one')).map(({ type, project_id: id, data }) => [type, id, data['source'], data['role'], data['changed_by']])).to.deep.equal([
      ['member.added', one, 'team', 'admin', cem.userId], ['member.removed', one, 'team', 'admin', cem.userId],
    ]);
    const [atOther] = await told('/other');
    expect([atOther?.type, atOther?.project_id]).to.deep.equal(['member.added', other]);
    // An event of a team is one of each of its projects: a message has one project and one id.
    expect(atOther?.id).not.to.equal((await told('/one'))[0]?.id);
    expect(receiver.at('/')).to.deep.equal([]);
  });

  it('say of somebody whose account ended that it left', async () => {
    const { ada, projectId } = await begin();
    const ben = await person();
    await joinProject(backend.current, projectId, ada, ben);
    await told();
    receiver.clear();
    const { db } = backend.current.database;
    const { ProjectDepartureService } = await import('#domains/projects/departure-service.ts');
    const call = { requestId: 'r', caller: ben, ip: null } as never;
    await db.knex.transaction((trx) => new ProjectDepartureService({ begin: () => Promise.resolve() }).leaveAll(trx, call, ben.userId));
    expect((await told()).map(({ type, data }) => ({ type, ...data }))).to.deep.equal([
      { type: 'member.removed', user_id: ben.userId, username: ben.username, role: 'member', source: 'project', changed_by: ben.userId },
    ]);
  });

  it('say what a comment says, and nothing of one that is deleted by then', async () => {
    const { ada, projectId } = await begin();
    const ben = await person();
    await joinProject(backend.current, projectId, ada, ben);
    await told();
    receiver.clear();
    const comment = await commentIn(backend.current, ada, projectId, { body: `See this, @${ben.username}.` });
    await deleteComment(backend.current, ada, await commentIn(backend.current, ada, projectId, { body: 'No, not so.' }));
    const code = await commentIn(backend.current, ben, projectId, {
      entity_type: 'code', body: 'Here.', anchor: { path: 'src/App.tsx', line_start: 3, line_end: 4, commit: null },
    } as never);
    const messages = await told();
    expect(messages.map(({ type, data }) => [type, (data['comment'] as { body: string }).body])).to.deep.equal([['comment.created', comment.body], ['comment.created', 'Here.']]);
    expect(messages[0]?.data['comment']).to.deep.include({ id: comment.id, author_id: ada.userId, mentions: [{ user_id: ben.userId, username: ben.username }], entity_type: 'project', entity_id: projectId });
    expect((messages[1]?.data['comment'] as { anchor: unknown }).anchor).to.deep.equal(code.anchor);
  });

  it('say how a preview ended, without any URL or token', async () => {
    const { ada, projectId } = await begin();
    const worker = await backend.current.worker();
    const jobId = await queuedJob(backend.current, ada, projectId);
    await make(backend.current, worker, jobId);
    const failing = await queuedJob(backend.current, ada, projectId, 'export default 2;');
    await backend.current.run('reportJobResult', worker, { body: failureReport(await claim(backend.current, worker, failing)) });
    const cancelled = await queuedJob(backend.current, ada, projectId, 'export default 3;');
    await backend.current.run('cancelPreviewJob', ada, { path: { job_id: cancelled } });
    const messages = (await told()).filter(({ type }) => type.startsWith('preview.'));
    const job = (await backend.current.run('getPreviewJob', ada, { path: { job_id: jobId } })).data;
    expect(messages.map(({ type, data }) => [type, data['job_id'], data['status'], data['error']])).to.deep.equal([
      ['preview.succeeded', jobId, 'succeeded', null], ['preview.failed', failing, 'failed', { code: 'PREVIEW_BUILD_FAILED', message: 'Unexpected token' }],
    ]);
    expect(messages[0]?.data).to.deep.equal({
      job_id: jobId, requested_by: ada.userId, status: 'succeeded', target_platform: job.target_platform, environment: job.environment, commit: null,
      bundle_bytes: job.bundle_bytes, error: null, queued_at: job.queued_at, started_at: job.started_at, completed_at: job.completed_at,
    });
    expect(JSON.stringify(messages)).not.to.match(/https?:|_token|signature/i);
  });

  it('go to the endpoints alone that take their type and are on, of that project', async () => {
    const { ada, projectId } = await begin();
    const elsewhere = await backend.current.project(ada);
    await listen(ada, elsewhere, everyType, '/elsewhere');
    await listen(ada, projectId, ['task.created'], '/tasks');
    const off = await listen(ada, projectId, everyType, '/off');
    const gone = await listen(ada, projectId, everyType, '/gone');
    await backend.current.run('updateWebhook', ada, { path: { webhook_id: off.webhook.id }, body: { is_active: false } });
    await backend.current.run('deleteWebhook', ada, { path: { webhook_id: gone.webhook.id } });
    const task = await taskIn(backend.current, ada, projectId);
    await setStatus(backend.current, ada, task.id, 'cancelled');
    await told();
    const count = (path: string): string[] => receiver.at<Message>(path).map(({ type }) => type).sort();
    expect([count('/'), count('/tasks'), count('/elsewhere'), count('/off'), count('/gone')]).to.deep.equal([['task.created', 'task.updated'], ['task.created'], [], [], []]);
    // The same event comes to each with the same id and the same bytes.
    const created = receiver.received.filter(({ body }) => body.includes('"task.created"'));
    expect([new Set(created.map(({ id }) => id)).size, new Set(created.map(({ body }) => body)).size]).to.deep.equal([1, 1]);
  });

  it('are made once for each event and endpoint however often, and by however many, the event is told', async () => {
    const { ada, projectId } = await begin();
    await listen(ada, projectId, everyType, '/second');
    const { consumers } = backend.current.services;
    for (let made = 0; made < 3; made += 1) await taskIn(backend.current, ada, projectId, { title: `Task ${made}` });
    const events = (await backend.current.sql<{ payload: DomainEvent }>("select payload from outbox where topic = 'task.created' and payload ->> 'projectId' = ?", [projectId])).map(({ payload }) => payload);
    const consumer = consumers.get('task.created');
    await Promise.all([consumer?.together?.(events), consumer?.together?.([...events].reverse()), ...events.map((event) => consumer?.(event))]);
    await consumer?.together?.(events);
    await told();
    expect(await backend.current.sql(`
      select count(*) as deliveries, count(distinct event_id) as messages from webhook_deliveries d join webhook_endpoints e on e.id = d.webhook_id where e.project_id = ?`, [projectId]))
      .to.deep.equal([{ deliveries: 6, messages: 3 }]);
    expect(receiver.received).to.have.length(6);
  });

  it('cost one statement where nobody listens, and three however many events and endpoints there are', async () => {
    const ada = await person();
    const projectId = await backend.current.project(ada);
    for (let made = 0; made < 4; made += 1) await taskIn(backend.current, ada, projectId);
    const events = (await backend.current.sql<{ payload: DomainEvent }>("select payload from outbox where topic = 'task.created' and payload ->> 'projectId' = ?", [projectId])).map(({ payload }) => payload);
    const together = backend.current.services.consumers.get('task.created')?.together;
    expect(await countStatements(async () => together?.(events))).to.equal(1);
    for (const path of ['/a', '/b', '/c']) await listen(ada, projectId, everyType, path);
    expect(await countStatements(async () => together?.(events))).to.equal(3);
    expect(await backend.current.sendWebhooks()).to.equal(12);
  });
});

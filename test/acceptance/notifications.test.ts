import { expect } from 'chai';
import type { ApiEvent } from '#sdk/index.ts';
import { type Person, until, useSystem } from '../support/system.ts';
import { failureOf } from '../support/failures.ts';
import { recordingFetch } from '../support/operations.ts';

describe('notifications over the wire', () => {
  const system = useSystem({ apis: 2 });

  /** Two members of one project of the first. */
  const begin = async (): Promise<{ ada: Person; ben: Person; projectId: string }> => {
    const [ada, ben] = [await system.current.person(), await system.current.person()];
    const projectId = (await ada.hive.api.createProject({ body: { name: 'Field Notes' } })).id;
    await system.current.sql("insert into project_members (id, project_id, user_id, role) values (gen_random_uuid(), $1, $2, 'Member')", [projectId, ben.tokens.user.id]);
    return { ada, ben, projectId };
  };

  it('are listed, counted and marked by whom they are to, and by nobody else', async () => {
    const { ada, ben } = await begin();
    for (let at = 0; at < 3; at += 1) {
      await system.current.sql(`
        insert into notifications (id, user_id, type, payload, event_key, in_app, created_at)
        values (gen_random_uuid(), $1, 'account.tier_changed', '{"from": "free", "to": "pro"}', $2, true, timestamptz '2026-03-02' + $3 * interval '1 minute')`, [ben.tokens.user.id, `told ${at}`, at]);
    }
    expect(await ben.hive.api.countUnreadNotifications()).to.deep.equal({ unread: 3, is_exact: true });
    const seen: string[] = [];
    for await (const one of ben.hive.paginate(ben.hive.api.listNotifications, { query: { limit: 2, type: ['account.tier_changed'] } })) seen.push(one.created_at);
    expect(seen).to.deep.equal(['2026-03-02T00:02:00.000Z', '2026-03-02T00:01:00.000Z', '2026-03-02T00:00:00.000Z']);
    const [newest] = (await ben.hive.api.listNotifications({ query: { unread: true } })).items;
    if (newest === undefined) throw new Error('There are three.');
    const path = { notification_id: newest.id };
    expect(await failureOf(ada.hive.api.markNotificationRead({ path }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect((await ben.hive.api.markNotificationRead({ path })).is_read).to.equal(true);
    expect(await ben.hive.api.markAllNotificationsRead({ query: { before: '2026-03-02T00:00:00.000Z' } })).to.deep.equal({ marked: 1 });
    expect(await ben.hive.api.markAllNotificationsRead()).to.deep.equal({ marked: 1 });
    expect(await ben.hive.api.countUnreadNotifications()).to.deep.equal({ unread: 0, is_exact: true });
  });

  /** Follows a person's stream on one of the processes. */
  const follow = async ({ tokens }: Person, api: number, lastEventId?: string) => {
    const controller = new AbortController();
    const events: ApiEvent[] = [];
    const standing = Promise.withResolvers<void>();
    const hive = system.current.anonymous({
      baseUrl: system.current.urlOf(api), accessToken: tokens.access_token,
      // Its head is sent when the stream has its place.
      fetch: async (...request) => recordingFetch(...request).finally(() => standing.resolve()),
    });
    const ended = (async () => {
      for await (const event of hive.events('/notifications/stream', { signal: controller.signal, ...(lastEventId === undefined ? {} : { lastEventId }) })) events.push(event);
    })().catch((error: unknown) => { if (!controller.signal.aborted) throw error; });
    await standing.promise;
    return { events, ended, titles: () => events.map(({ data }) => (data as { payload: { title?: string } }).payload.title), stop: async () => { controller.abort(); await ended; } };
  };
  it('are told as they happen, on whichever process, and go on elsewhere after the last one seen, each once', async () => {
    const { ada, ben, projectId } = await begin();
    const assign = (title: string) => ada.hive.api.createTask({ path: { project_id: projectId }, body: { title, assignee_id: ben.tokens.user.id } });
    const first = await follow(ben, 1);
    const task = await assign('one');
    await until('the first', () => first.events.length === 1);
    const [event] = first.events;
    expect(event?.event).to.equal('task.assigned');
    expect(event?.data).to.deep.include({ user_id: ben.tokens.user.id, project_id: projectId, type: 'task.assigned', is_read: false });
    expect((event?.data as { payload: unknown }).payload).to.deep.equal({ task_id: task.id, title: 'one', due_date: null, actor_id: ada.tokens.user.id });
    expect((await ben.hive.api.listNotifications()).items[0]).to.deep.equal(event?.data);
    await first.stop();
    for (const title of ['two', 'three']) await assign(title);
    await until('both to be told', async () => (await ben.hive.api.countUnreadNotifications()).unread === 3);
    const second = await follow(ben, 0, event?.id ?? '');
    await until('what was missed', () => second.events.length === 2);
    await assign('four');
    await until('what comes', () => second.events.length === 3);
    // In the order in which they were told: two that were made one after the other may be told by two processes at once.
    expect(second.events.map(({ data }) => data)).to.deep.equal((await ben.hive.api.listNotifications()).items.slice(0, 3).toReversed());
    expect(second.titles().toSorted()).to.deep.equal(['four', 'three', 'two']);
    await second.stop();
    expect(await ada.hive.api.countUnreadNotifications()).to.deep.equal({ unread: 0, is_exact: true });
  });

  it('are missed by no stream and told twice to none while Redis is wiped and everybody in it is cut off', async () => {
    const { ada, ben, projectId } = await begin();
    const streams = [await follow(ben, 0), await follow(ben, 1)];
    const titles = Array.from({ length: 12 }, (_, at) => `task ${at}`);
    for (const [at, title] of titles.entries()) {
      if (at % 4 === 1) await system.current.redis.flushdb();
      if (at % 4 === 2) await system.current.redis.call('client', 'kill', 'type', 'pubsub');
      await ada.hive.api.createTask({ path: { project_id: projectId }, body: { title, assignee_id: ben.tokens.user.id } });
    }
    for (const stream of streams) await until('all of them', () => stream.events.length >= titles.length, 20_000);
    for (const stream of streams) expect(stream.titles().toSorted()).to.deep.equal(titles.toSorted());
    const listed = (await ben.hive.api.listNotifications()).items.map(({ payload }) => (payload as { title: string }).title).toReversed();
    for (const stream of streams) {
      expect(stream.titles()).to.deep.equal(listed);
      await stream.stop();
    }
  });

  it('are told no more once the session has ended, and the stream says why, also when the process goes down', async () => {
    const { ben } = await begin();
    const third = await system.current.startApi();
    const [one, other] = [await follow(ben, 1), await follow(ben, 2)];
    third.child.kill('SIGTERM');
    await other.ended;
    expect(other.events).to.deep.equal([{ id: other.events[0]?.id ?? null, event: 'closed', data: { reason: 'shutting_down' } }]);
    await ben.hive.api.logoutUser({});
    await one.ended;
    expect(one.events.map(({ event, data }) => [event, data])).to.deep.equal([['closed', { reason: 'credential_revoked' }]]);
  });

  it('are followed by as many streams as the tier allows, over all processes', async () => {
    const eve = await system.current.person('free');
    const streams = [await follow(eve, 0), await follow(eve, 1)];
    const refused = await fetch(`${system.current.urlOf(1)}/api/v1/notifications/stream`, { headers: { authorization: `Bearer ${eve.tokens.access_token}` } });
    const { error } = (await refused.json()) as { error: { code: string; details: { limit: string } } };
    expect([refused.status, error.code, error.details.limit]).to.deep.equal([402, 'QUOTA_EXCEEDED', 'streams_at_once']);
    for (const stream of streams) await stream.stop();
  });
});

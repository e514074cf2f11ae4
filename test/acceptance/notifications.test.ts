import { expect } from 'chai';
import { type Person, useSystem } from '../support/system.ts';
import { failureOf } from '../support/failures.ts';

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
});

/** How people read what they were told: the list, the badge, marking; and how that is read where there is much of it. */
import { expect } from 'chai';
import type { NotificationType } from '#generated/sdk/types.gen.ts';
import { markAllReadSql, notificationCount, type NotificationFilters, notificationPage, type Statement } from '#domains/notifications/listing.ts';
import { usedTodaySql } from '#domains/notifications/queries.ts';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { refusalOf } from '../../support/refusals.ts';
import { planOf } from '../../support/plans.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

type Item = DataOf<'listNotifications'>['items'][number];
const minute = (at: number): string => new Date(Date.parse('2026-03-02T09:00:00Z') + at * 60_000).toISOString();

describe('the list of notifications', () => {
  // Rows by the hundred thousand are made in one statement.
  const backend = useBackend({ POSTGRES_STATEMENT_TIMEOUT_MS: '120000' });
  const told = async (who: Person, at: number, more: { type?: NotificationType; projectId?: string; inApp?: boolean; read?: boolean } = {}): Promise<string> => {
    const id = newId();
    await backend.current.sql(
      'insert into notifications (id, user_id, project_id, type, payload, event_key, in_app, read_at, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      [id, who.userId, more.projectId ?? null, more.type ?? 'task.assigned', JSON.stringify({ at }), id, more.inApp ?? true, more.read === true ? minute(999) : null, minute(at)],
    );
    return id;
  };
  const keyOf = (who: Person, projectIds: string[] | null) =>
    ({ kind: 'api_key', userId: who.userId, keyId: newId(), tier: who.tier, isVerified: true, scopes: ['notifications:read'], projectIds } as const);
  const idsOf = (items: readonly Item[]): string[] => items.map(({ id }) => id);

  it('is newest first, ties by id, walked to the end by cursor with each once, and leaves out what was told by mail alone', async () => {
    const { run, person } = backend.current;
    const ada = await person();
    const made: string[] = [];
    for (let at = 0; at < 7; at += 1) made.push(await told(ada, Math.floor(at / 2)));
    await told(ada, 50, { inApp: false });
    await told(await person(), 50);
    const order = [[made[6]], [made[4], made[5]], [made[2], made[3]], [made[0], made[1]]].flatMap((tied) => tied.toSorted().reverse());
    const { data } = await run('listNotifications', ada);
    expect([idsOf(data.items), data.page.total]).to.deep.equal([order, 7]);
    expect(data.items[0]).to.deep.equal({
      id: made[6], user_id: ada.userId, project_id: null, type: 'task.assigned', payload: { at: 3 }, is_read: false, read_at: null, created_at: minute(3),
    });
    const walked: string[] = [];
    for (let cursor: string | undefined; ;) {
      const { data: { items, page } } = await run('listNotifications', ada, { query: { limit: 2, ...(cursor === undefined ? {} : { cursor }) } });
      walked.push(...idsOf(items));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(walked).to.deep.equal(order);
    expect(idsOf((await run('listNotifications', ada, { query: { limit: 3, offset: 5 } })).data.items)).to.deep.equal(order.slice(5));
  });

  it('is narrowed by what is unread, by types and by a project, alone and together, page by page', async () => {
    const { run, person, project } = backend.current;
    const ada = await person();
    const [here, there] = [await project(ada), await project(ada)];
    const rows: { id: string; type: NotificationType; projectId: string | null; read: boolean }[] = [];
    const types: NotificationType[] = ['task.assigned', 'preview.failed', 'account.export_ready'];
    for (let at = 0; at < 24; at += 1) {
      const [type = 'task.assigned', projectId, read] = [types[at % 3], [here, there, undefined][Math.floor(at / 3) % 3], at % 4 === 0];
      rows.unshift({ id: await told(ada, at, { type, read, ...(projectId === undefined ? {} : { projectId }) }), type, projectId: projectId ?? null, read });
    }
    for (const unread of [undefined, true, false]) {
      for (const type of [undefined, [types[1]], [types[0], types[2]]] as (NotificationType[] | undefined)[]) {
        for (const projectId of [undefined, here, there]) {
          const fitting = rows.filter((row) => (unread === undefined || row.read !== unread) && (type?.includes(row.type) ?? true) && (projectId === undefined || row.projectId === projectId));
          const filters = { ...(unread === undefined ? {} : { unread }), ...(type === undefined ? {} : { type }), ...(projectId === undefined ? {} : { project_id: projectId }) };
          const { data: first } = await run('listNotifications', ada, { query: { ...filters, limit: 2 } });
          expect([idsOf(first.items), first.page.total], JSON.stringify(filters)).to.deep.equal([fitting.slice(0, 2).map(({ id }) => id), fitting.length]);
          if (first.page.next_cursor === null) continue;
          const { data: rest } = await run('listNotifications', ada, { query: { ...filters, cursor: first.page.next_cursor, limit: 100 } });
          expect([...idsOf(first.items), ...idsOf(rest.items)]).to.deep.equal(fitting.map(({ id }) => id));
          expect(idsOf((await run('listNotifications', ada, { query: { ...filters, offset: 1, limit: 100 } })).data.items)).to.deep.equal(fitting.slice(1).map(({ id }) => id));
          const other = await refusalOf(run('listNotifications', ada, { query: { ...filters, unread: !(unread ?? false), cursor: first.page.next_cursor } }));
          expect(other.code).to.equal('VALIDATION_ERROR');
        }
      }
    }
  });

  it('shows an API key that is restricted to projects theirs alone, in the badge and in marking too', async () => {
    const { run, person, project } = backend.current;
    const ada = await person();
    const [here, there] = [await project(ada), await project(ada)];
    const [one, other, account] = [await told(ada, 1, { projectId: here }), await told(ada, 2, { projectId: there }), await told(ada, 3)];
    const key = keyOf(ada, [here]);
    expect(idsOf((await run('listNotifications', key)).data.items)).to.deep.equal([one]);
    expect(idsOf((await run('listNotifications', key, { query: { project_id: there } })).data.items)).to.deep.equal([]);
    expect((await run('countUnreadNotifications', key)).data).to.deep.equal({ unread: 1, is_exact: true });
    for (const id of [other, account]) expect((await refusalOf(run('markNotificationRead', key, { path: { notification_id: id } }))).code).to.equal('NOT_FOUND');
    expect((await run('markAllNotificationsRead', key)).data).to.deep.equal({ marked: 1 });
    expect((await run('listNotifications', ada, { query: { unread: true } })).data.items.map(({ id }) => id)).to.deep.equal([account, other]);
    expect((await run('listNotifications', keyOf(ada, null))).data.page.total).to.equal(3);
  });

  it('keeps the time at which one was read, answers alike again, and hides what is somebody else\'s', async () => {
    const { run, person } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const id = await told(ada, 1);
    const mailed = await told(ada, 2, { inApp: false });
    const path = { notification_id: id };
    const first = (await run('markNotificationRead', ada, { path })).data;
    expect([first.is_read, typeof first.read_at]).to.deep.equal([true, 'string']);
    expect((await run('markNotificationRead', ada, { path })).data).to.deep.equal(first);
    for (const [who, what] of [[ben, id], [ada, mailed], [ada, newId()]] as const) {
      expect((await refusalOf(run('markNotificationRead', who, { path: { notification_id: what } }))).code).to.equal('NOT_FOUND');
    }
  });

  it('marks all, or what was made at a moment or earlier, and says how many', async () => {
    const { run, person } = backend.current;
    const [ada, ben] = [await person(), await person()];
    for (let at = 1; at <= 5; at += 1) await told(ada, at);
    await told(ben, 1);
    expect((await run('markAllNotificationsRead', ada, { query: { before: minute(3) } })).data).to.deep.equal({ marked: 3 });
    expect((await run('listNotifications', ada, { query: { unread: true } })).data.items.map(({ created_at: at }) => at)).to.deep.equal([minute(5), minute(4)]);
    expect((await run('markAllNotificationsRead', ada)).data).to.deep.equal({ marked: 2 });
    expect((await run('markAllNotificationsRead', ada)).data).to.deep.equal({ marked: 0 });
    expect((await run('countUnreadNotifications', ben)).data).to.deep.equal({ unread: 1, is_exact: true });
  });

  describe('of many', () => {
    let ada: Person;
    let projectIds: string[];
    const people = 20;
    const each = 12_000;
    const none: NotificationFilters = { unread: null, types: null, projects: null };

    before('a quarter of a million notifications', async function () {
      this.timeout(120_000);
      const { person, sql } = backend.current;
      ada = await person();
      const others = await Promise.all(Array.from({ length: people - 1 }, () => person()));
      projectIds = Array.from({ length: 10 }, () => newId());
      await sql("insert into projects (id, owner_id, name) select id, ?, 'Field Notes' from unnest(?::uuid[]) as id", [ada.userId, projectIds]);
      await sql(`
        insert into notifications (id, user_id, project_id, type, payload, event_key, in_app, read_at, created_at)
        select gen_random_uuid(), u.id, (?::uuid[])[1 + n % 13], case when n % 400 = 0 then 'account.export_ready' else (array['task.assigned', 'comment.created', 'preview.succeeded'])[1 + n % 3] end,
               '{"title": "Draw the map offline"}', 'filling ' || n, n % 97 > 0, case when n % 97 > 0 and n % 11 > 0 and u.id <> ? then now() end, now() - n * interval '3 minutes'
          from unnest(?::uuid[]) as u (id), generate_series(1, ${each}) as n`, [projectIds, ada.userId, [ada, ...others].map(({ userId }) => userId)]);
      // Beside autovacuum's own look at the table it finds rows that are not yet visible to all, and the plans count on that.
      await until('every page to be visible to all', async () => {
        await sql('vacuum analyze notifications');
        const [table] = await sql<{ is_visible: boolean }>("select relallvisible >= relpages * 0.9 as is_visible from pg_class where relname = 'notifications'");
        return table?.is_visible === true;
      }, 60_000);
    });

    const planned = async (statement: Statement) => planOf(backend.current.database.db, statement);

    it('is read by an index under every filter, at any place', async () => {
      const after = { at: '2026-03-05T12:00:00.000Z', id: newId() };
      for (const unread of [null, true, false]) {
        for (const types of [null, ['account.export_ready'], ['task.assigned', 'account.export_ready']]) {
          for (const projects of [null, projectIds.slice(0, 1), projectIds]) {
            const filters = { unread, types, projects };
            for (const page of [{ limit: 50, offset: 0, after: null }, { limit: 50, offset: 10_000, after: null }, { limit: 200, offset: 0, after }]) {
              const plan = await planned(notificationPage(ada.userId, filters, page));
              expect(plan.readWhole, JSON.stringify([filters, page])).to.deep.equal([]);
            }
            expect((await planned(notificationCount(ada.userId, filters))).readWhole, JSON.stringify(filters)).to.deep.equal([]);
          }
        }
      }
    });

    it('is walked in the order of an index, without a sort, also by the plan that serves everybody', async () => {
      const { database: { db } } = backend.current;
      for (const after of [null, { at: '2026-03-05T12:00:00.000Z', id: newId() }]) {
        const { nodes } = await planOf(db, notificationPage(ada.userId, none, { limit: 50, offset: 0, after }), true);
        expect(nodes.join(' > ')).to.equal('Limit > Index Scan notifications_listed_idx');
      }
    });

    it('has its badge and the day\'s use counted by an index alone, and marks by one', async () => {
      const { database: { db } } = backend.current;
      for (const projects of [null, projectIds.slice(0, 2)]) {
        const { nodes } = await planOf(db, notificationCount(ada.userId, { unread: true, types: null, projects }), true);
        expect(nodes.join(' > ')).to.equal('Aggregate > Limit > Index Only Scan notifications_unread_listed_idx');
      }
      expect((await planOf(db, { text: usedTodaySql, values: [ada.userId] }, true)).nodes).to.include('Index Only Scan notifications_listed_idx');
      const marking = await planOf(db, { text: markAllReadSql, values: [ada.userId, null, null, 5_000] }, true);
      expect(marking.readWhole).to.deep.equal([]);
      expect(marking.nodes).to.include('Index Scan notifications_unread_listed_idx');
    });

    it('counts unread ones to 10,000 and says so where there are more; marks them all the same', async () => {
      const { run } = backend.current;
      const listed = each - Math.floor(each / 97);
      expect((await run('countUnreadNotifications', ada)).data).to.deep.equal({ unread: 10_000, is_exact: false });
      expect((await run('listNotifications', ada)).data.page.total).to.equal(null);
      expect((await run('markAllNotificationsRead', ada)).data).to.deep.equal({ marked: listed });
      expect((await run('countUnreadNotifications', ada)).data).to.deep.equal({ unread: 0, is_exact: true });
    });

    it('takes two statements for a page, one by cursor, one for the badge', async () => {
      const { run } = backend.current;
      const { data } = await run('listNotifications', ada);
      expect(await countStatements(() => run('listNotifications', ada))).to.equal(2);
      expect(await countStatements(() => run('listNotifications', ada, { query: { cursor: data.page.next_cursor ?? '' } }))).to.equal(1);
      expect(await countStatements(() => run('countUnreadNotifications', ada))).to.equal(1);
    });
  });
});

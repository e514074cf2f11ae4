/** What goes by the clock: tasks that are due, one mail for what need not be mailed at once, and the end of what is old. */
import { expect } from 'chai';
import type { NotificationType } from '#generated/sdk/types.gen.ts';
import { dueSql } from '#domains/notifications/due-soon.ts';
import { notificationSweep } from '#domains/notifications/retention.ts';
import { addSystemJob } from '#jobs/system-jobs.ts';
import { newId } from '#platform/ids.ts';
import { type Person, startBackend, useBackend } from '../../support/backend.ts';
import { joinProject } from '../../support/belonging.ts';
import type { SentMail } from '../../support/mails.ts';
import { planOf } from '../../support/plans.ts';
import { statementsOf } from '../../support/statements.ts';
import { setStatus, taskIn } from '../../support/tasks.ts';

/** The limits of tiers are read anew every five seconds, whoever asks. */
const countStatements = async (work: () => Promise<unknown>): Promise<number> => (await statementsOf(work)).filter((text) => !text.includes('tier_limits')).length;

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

describe('rounds of notifications', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);
  const addressOf = (who: Person): string => `${who.username}@example.com`;
  /** One run of a schedule; nothing else is due in these tests. */
  const round = async (kind: string): Promise<void> => {
    await backend.current.database.db.knex.transaction((trx) => addSystemJob(trx, { kind }));
    const ran = await backend.current.runSystemJobs();
    // Nothing, where another took it.
    expect(ran.filter(({ outcome }) => outcome !== 'succeeded' && outcome !== 'nothing')).to.deep.equal([]);
  };
  const begin = async (): Promise<{ ada: Person; ben: Person; projectId: string }> => {
    const [ada, ben] = [await person(), await person()];
    const projectId = await backend.current.project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    return { ada, ben, projectId };
  };

  describe('of tasks that are due', () => {
    const dueTo = async (who: Person): Promise<Record<string, unknown>[]> =>
      (await backend.current.sql<{ payload: Record<string, unknown> }>("select payload from notifications where user_id = ? and type = 'task.due_soon' order by created_at", [who.userId])).map(({ payload }) => payload);
    const due = (): Promise<void> => round('notifications.due_soon');

    it('tell whoever has it to do, or made it, within a day before; once for each date', async () => {
      const { ada, ben, projectId } = await begin();
      const [soon, later] = [inHours(23), inHours(5)];
      const task = await taskIn(backend.current, ada, projectId, { title: 'Draw the map', assignee_id: ben.userId, due_date: soon });
      await taskIn(backend.current, ada, projectId, { due_date: inHours(25) });
      await taskIn(backend.current, ada, projectId, { due_date: inHours(-1) });
      const done = await taskIn(backend.current, ada, projectId, { due_date: soon });
      await setStatus(backend.current, ada, done.id, 'done');
      const own = await taskIn(backend.current, ada, projectId, { title: 'Nobody\'s yet', due_date: soon });
      for (let times = 0; times < 3; times += 1) await due();
      expect(await dueTo(ben)).to.deep.equal([{ task_id: task.id, title: 'Draw the map', due_date: soon, actor_id: null }]);
      expect((await dueTo(ada)).map(({ task_id: id }) => id)).to.deep.equal([own.id]);
      await backend.current.run('updateTask', ada, { path: { task_id: task.id }, body: { due_date: later } });
      for (let times = 0; times < 2; times += 1) await due();
      expect((await dueTo(ben)).map(({ due_date: at }) => at)).to.deep.equal([soon, later]);
    });

    it('tell nobody who left, and nobody of a project that is archived or deleted', async () => {
      const { ada, ben, projectId } = await begin();
      const [archived, deleted] = [await backend.current.project(ada), await backend.current.project(ada)];
      await taskIn(backend.current, ada, projectId, { assignee_id: ben.userId, due_date: inHours(3) });
      for (const id of [archived, deleted]) await taskIn(backend.current, ada, id, { due_date: inHours(3) });
      await backend.current.run('removeProjectMember', ada, { path: { project_id: projectId, user_id: ben.userId } });
      await backend.current.sql('update tasks set assignee_id = ? where project_id = ?', [ben.userId, projectId]);
      await backend.current.sql('update projects set archived_at = now() where id = ?', [archived]);
      await backend.current.sql('update projects set deleted_at = now() where id = ?', [deleted]);
      await due();
      expect([await dueTo(ben), await dueTo(ada)]).to.deep.equal([[], []]);
    });

    it('take as many statements for five hundred tasks as for five, and are found by an index', async function () {
      this.timeout(30_000);
      const { sql, database: { db }, services } = backend.current;
      const { ada, ben, projectId } = await begin();
      const kind = services.systemKinds.find((one) => one.kind === 'notifications.due_soon');
      const run = (): Promise<unknown> => Promise.resolve(kind?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal }));
      await run();
      const fill = (count: number, days: number): Promise<unknown> => sql(`
        insert into tasks (id, project_id, title, assignee_id, created_by, due_date)
        select gen_random_uuid(), ?, 'Draw ' || n, case when n % 2 = 0 then ?::uuid else ?::uuid end, ?, now() + ? * interval '1 day' + n * interval '2 seconds' from generate_series(1, ?) n`,
      [projectId, ada.userId, ben.userId, ada.userId, days, count]);
      await fill(20_000, 2);
      await sql('analyze tasks');
      const counts: number[] = [];
      for (const count of [5, 400]) {
        await fill(count, 0.5);
        counts.push(await countStatements(run));
      }
      expect(counts[1]).to.equal(counts[0]);
      expect(counts[0]).to.be.at.most(5);
      expect([...await dueTo(ada), ...await dueTo(ben)]).to.have.length(405);
      const plan = await planOf(db, { text: dueSql, values: ['2026-01-01T00:00:00Z', newId()] }, true);
      expect(plan.readWhole.filter((table) => table !== 'projects' && table !== 'users')).to.deep.equal([]);
      expect(plan.nodes).to.include('Index Scan tasks_open_due_date_idx');
    });
  });

  describe('of mails', () => {
    const gather = (): Promise<void> => round('notifications.gather_digests');
    const mailsTo = async (who: Person): Promise<SentMail[]> => (await backend.current.mails(addressOf(who))).filter(({ subject }) => /happened/.test(subject));
    const told = async (who: Person, more: { type?: NotificationType; projectId?: string; payload?: Record<string, unknown> } = {}): Promise<string> => {
      const id = newId();
      await backend.current.sql(`
        insert into notifications (id, user_id, project_id, type, payload, event_key, in_app, awaits_digest) values (?, ?, ?, ?, ?, ?, true, true)`,
      [id, who.userId, more.projectId ?? null, more.type ?? 'account.tier_changed', JSON.stringify(more.payload ?? { from: 'free', to: 'pro' }), id]);
      return id;
    };

    it('tell all that waited in one for each person, once, as text and as HTML, and how to get fewer', async () => {
      const { ada, ben, projectId } = await begin();
      await backend.current.run('updatePreferences', ben, { body: { notifications: { 'task.completed': { in_app: false, email: true } } } });
      const task = await taskIn(backend.current, ada, projectId, { title: 'Draw <b>the</b> map', assignee_id: ben.userId });
      await setStatus(backend.current, ada, task.id, 'done');
      for (const { topic, payload } of await backend.current.sql<{ topic: string; payload: never }>("select topic, payload from outbox where payload ->> 'projectId' = ? order by id", [projectId])) {
        await backend.current.services.consumers.get(topic)?.(payload);
      }
      expect(await mailsTo(ben), 'nothing at once').to.deep.equal([]);
      await Promise.all([gather(), gather()]);
      const [mail, ...more] = await mailsTo(ben);
      expect([mail?.subject, more]).to.deep.equal(['2 things happened on HiveSync', []]);
      for (const part of ['You have the task “Draw <b>the</b> map” to do.', 'is done.', 'Field Notes', 'under Notifications']) expect(mail?.text.replace(/\s+/g, ' ')).to.contain(part);
      expect(mail?.html).to.contain('Draw &lt;b&gt;the&lt;/b&gt; map').and.not.to.contain('<b>the</b>');
      await gather();
      expect(await mailsTo(ben)).to.have.length(1);
      expect(await mailsTo(ada)).to.deep.equal([]);
    });

    it('are sent once where the sending failed first, with the same id', async () => {
      const ada = await person();
      await told(ada);
      await gather();
      // As if the provider had not answered: the same job again.
      const again = await backend.current.sql("update system_jobs set status = 'queued', completed_at = null, run_after = now() - interval '1 second', payload = json_build_object('template', 'notifications.digest', 'digest_id', n.digest_id) from notifications n where n.user_id = ? and system_jobs.kind = 'mail.send' and system_jobs.created_at >= n.created_at returning system_jobs.id", [ada.userId]);
      expect(again).to.have.length(1);
      const mails = await mailsTo(ada);
      expect(new Set(mails.map(({ id }) => id)).size).to.equal(1);
    });

    it('leave out what the person may no longer see, has read, or is gone, and are not sent when nothing is left', async () => {
      const { ada, ben, projectId } = await begin();
      const { sql, run } = backend.current;
      const task = await taskIn(backend.current, ada, projectId);
      const words = { task_id: task.id, title: 'Secret', due_date: null, actor_id: null };
      const gone = { task_id: newId(), title: 'Gone', due_date: null, actor_id: null };
      await told(ben, { type: 'task.assigned', projectId, payload: words });
      const { data: comment } = await run('createComment', ada, { path: { project_id: projectId }, body: { entity_type: 'project', body: 'Taken back' } });
      const deleted = { comment_id: comment.id, entity_type: 'project', entity_id: projectId, author_id: ada.userId, excerpt: 'Taken back' };
      await run('deleteComment', ada, { path: { comment_id: comment.id } });
      await told(ada, { type: 'task.assigned', projectId, payload: gone });
      await told(ada, { type: 'comment.mentioned', projectId, payload: deleted });
      const read = await told(ada, { payload: { from: 'free', to: 'premium' } });
      await told(ada, { type: 'task.assigned', projectId, payload: words });
      await sql("update system_jobs set status = 'succeeded', completed_at = now() where status = 'queued'");
      await backend.current.database.db.knex.transaction((trx) => addSystemJob(trx, { kind: 'notifications.gather_digests' }));
      // Between the gathering and the mail.
      await run('markNotificationRead', ada, { path: { notification_id: read } });
      await run('removeProjectMember', ada, { path: { project_id: projectId, user_id: ben.userId } });
      await backend.current.runSystemJobs();
      expect(await mailsTo(ben)).to.deep.equal([]);
      const [mail] = await mailsTo(ada);
      expect(mail?.subject).to.equal('One thing happened on HiveSync');
      expect(mail?.text).to.contain('Secret').and.not.to.match(/Gone|Taken back|premium/);
    });

    it('say twenty, and how many more there are; of any number of people in as many statements', async function () {
      this.timeout(30_000);
      const { services } = backend.current;
      const kind = services.systemKinds.find((one) => one.kind === 'notifications.gather_digests');
      const run = (): Promise<unknown> => Promise.resolve(kind?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal }));
      const ada = await person();
      for (let at = 0; at < 32; at += 1) await told(ada);
      const counts = [await countStatements(run)];
      for (const who of await Promise.all(Array.from({ length: 30 }, () => person()))) await told(who);
      counts.push(await countStatements(run));
      expect(counts).to.deep.equal([4, 4]);
      const [mail] = await mailsTo(ada);
      expect([mail?.subject, mail?.text.match(/•/g)?.length]).to.deep.equal(['32 things happened on HiveSync', 20]);
      expect(mail?.text).to.contain('And 12 more');
    });

    it('hold nothing of others\' words that a mail program would make a link of', async () => {
      const { ada, projectId } = await begin();
      const { data: comment } = await backend.current.run('createComment', ada, { path: { project_id: projectId }, body: { entity_type: 'project', body: 'x' } });
      await told(ada, { type: 'comment.created', projectId, payload: { comment_id: comment.id, excerpt: 'Win at www.example.com now' } });
      await gather();
      const [mail] = await mailsTo(ada);
      expect(mail?.text).to.contain('There is a new comment.').and.not.to.contain('www.example.com');
    });

    it('go to a confirmed address alone where addresses are to be confirmed', async () => {
      const strict = await startBackend({ EMAIL_VERIFICATION: 'required' });
      try {
        const [ada, ben] = [await strict.person(), await strict.person()];
        await strict.sql('update users set email_verified_at = null where id = ?', [ben.userId]);
        for (const { userId } of [ada, ben]) await strict.sql("insert into notifications (id, user_id, type, payload, event_key, in_app, awaits_digest) values (?, ?, 'account.tier_changed', '{\"from\": \"free\", \"to\": \"pro\"}', 'told', true, true)", [newId(), userId]);
        await strict.database.db.knex.transaction((trx) => addSystemJob(trx, { kind: 'notifications.gather_digests' }));
        expect((await strict.mails()).map(({ to }) => to)).to.deep.equal([addressOf(ada)]);
      } finally {
        await strict.close();
      }
    });
  });

  describe('of what is old', () => {
    const fill = (who: Person, days: number, count = 1): Promise<unknown> => backend.current.sql(`
      insert into notifications (id, user_id, type, payload, event_key, in_app, created_at)
      select gen_random_uuid(), ?, 'account.export_ready', json_build_object('days', ?::int), ? || ' ' || n, n % 2 = 0, now() - ? * interval '1 day' from generate_series(1, ?) n`, [who.userId, days, `old ${days}`, days, count]);
    const daysOf = async (who: Person): Promise<number[]> =>
      (await backend.current.sql<{ days: number }>("select distinct (payload ->> 'days')::int as days from notifications where user_id = ? order by 1", [who.userId])).map(({ days }) => days);

    it('keep each tier\'s for as long as it says, by the tier that stands, and an administrator\'s for ever', async () => {
      const { sql, database: { db } } = backend.current;
      const [free, pro, premium, admin, raised] = await Promise.all([person('free'), person('pro'), person('premium'), person('admin'), person('free')]);
      await sql("update users set tier_override = 'pro', tier_override_until = now() + interval '1 day' where id = ?", [raised.userId]);
      for (const who of [free, pro, premium, admin, raised]) for (const days of [1, 29, 31, 89, 91, 364, 366]) await fill(who, days, 3);
      await notificationSweep(db).run(new AbortController().signal);
      expect(await daysOf(free)).to.deep.equal([1, 29]);
      expect(await daysOf(pro)).to.deep.equal([1, 29, 31, 89]);
      expect(await daysOf(raised)).to.deep.equal([1, 29, 31, 89]);
      expect(await daysOf(premium)).to.deep.equal([1, 29, 31, 89, 91, 364]);
      expect(await daysOf(admin)).to.deep.equal([1, 29, 31, 89, 91, 364, 366]);
    });

    it('go however many there are of one person, in short steps, and only once', async () => {
      const { database: { db } } = backend.current;
      const free = await person('free');
      await fill(free, 40, 950);
      const sweep = notificationSweep(db);
      expect(await sweep.run(new AbortController().signal)).to.equal(950);
      expect(await sweep.run(new AbortController().signal)).to.equal(0);
    });
  });
});

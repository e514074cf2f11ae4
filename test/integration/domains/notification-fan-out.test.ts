/** Whom events are told to, as what; many people at once; and what takes away again what was told. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { NotificationType } from '#generated/sdk/types.gen.ts';
import { NotificationFeed } from '#domains/notifications/feed.ts';
import { forgetExcerptsOnSql, forgetExcerptsSql } from '#domains/notifications/queries.ts';
import { NotificationService, type Notice } from '#domains/notifications/service.ts';
import { ProjectMembershipService } from '#domains/projects/membership-service.ts';
import type { DomainEvent } from '#jobs/outbox.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { joinProject, joinTeam, teamOf } from '../../support/belonging.ts';
import { planOf } from '../../support/plans.ts';
import { request, sourceOf } from '../../support/preview-jobs.ts';
import { statementsOf } from '../../support/statements.ts';
import { until } from '../../support/until.ts';
import { setStatus, taskIn } from '../../support/tasks.ts';

interface Told { readonly type: NotificationType; readonly payload: Record<string, unknown>; readonly project_id: string | null }

/** type → the keys of its payload, as the contract's table says. */
const promised = new Map([...readFileSync(new URL('../../../openapi/components/schemas/notifications.yaml', import.meta.url), 'utf8').matchAll(/^ {4}\| (`.*?`) \| (.*?)(?:;.*)? \|$/gm)]
  .flatMap(([, types = '', keys = '']) => types.replaceAll('`', '').split(', ').map((type) => [type, keys.replaceAll(/\([^)]*\)/g, '').split(',').map((key) => key.trim()).sort()] as const)));

/** The limits of tiers are read anew every five seconds, whoever asks. */
const countStatements = async (work: () => Promise<unknown>): Promise<number> => (await statementsOf(work)).filter((text) => !text.includes('tier_limits')).length;

describe('fan-out of events', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);
  const serviceOf = (): NotificationService => {
    const { database: { db }, services, redis, subscriber, log } = backend.current;
    const feed = new NotificationFeed({ db, redis: redis.redis, subscriber, log });
    return new NotificationService({ db, tiers: services.tiers, members: new ProjectMembershipService(db, false), feed });
  };

  /** Every event of a project (of everything, without one) so far, told as the relay tells them, twice. */
  const tell = async (about: { projectId?: string; type?: string; userId?: string } = {}): Promise<void> => {
    const { sql, services } = backend.current;
    const rows = await sql<{ topic: string; payload: DomainEvent }>("select topic, payload from outbox where kind = 'event' order by id");
    const fitting = rows.filter(({ topic, payload }) => (about.projectId === undefined || payload.projectId === about.projectId) && (about.type === undefined || topic === about.type)
      && (about.userId === undefined || payload.entityId === about.userId));
    for (let times = 0; times < 2; times += 1) for (const { topic, payload } of fitting) await services.consumers.get(topic)?.(payload);
  };
  const toldTo = (who: Person): Promise<Told[]> => backend.current.sql<Told>('select type, payload, project_id from notifications where user_id = ? order by created_at', [who.userId]);
  const typesTo = async (who: Person): Promise<string[]> => (await toldTo(who)).map(({ type }) => type);
  const emitted = async (type: string, event: Partial<DomainEvent> & Pick<DomainEvent, 'data'>): Promise<void> => {
    for (let times = 0; times < 2; times += 1) await backend.current.services.consumers.get(type)?.({ type, entityId: newId(), ...event });
  };
  /** Two members of a project of the first. */
  const begin = async (): Promise<{ ada: Person; ben: Person; cleo: Person; projectId: string }> => {
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const projectId = await backend.current.project(ada);
    for (const who of [ben, cleo]) await joinProject(backend.current, projectId, ada, who);
    return { ada, ben, cleo, projectId };
  };

  afterEach('every payload has what the contract promises of its type', async () => {
    const rows = await backend.current.sql<Told>('select type, payload, project_id from notifications where event_key not like \'filling%\'');
    for (const { type, payload } of rows) expect(Object.keys(payload), type).to.include.members([...(promised.get(type) ?? ['the contract says nothing of it'])]);
  });

  describe('to many people', () => {
    const crowd = async (count: number, tier: Person['tier'] = 'pro'): Promise<string[]> => {
      const ids = Array.from({ length: count }, () => newId());
      await backend.current.sql("insert into users (id, email, username, password_hash, tier) select id, id || '@example.com', 'm' || right(replace(id::text, '-', ''), 20), 'none', ? from unnest(?::uuid[]) as id", [tier, ids]);
      return ids;
    };
    const join = (projectId: string, ids: readonly string[]): Promise<unknown> => backend.current.sql(
      "insert into project_members (id, project_id, user_id, role) select gen_random_uuid(), ?, id, 'Member' from unnest(?::uuid[]) as id", [projectId, ids]);
    const notice = (userIds: readonly string[], more: Partial<Notice> = {}): Notice => ({ userIds, type: 'invitation.received', payload: { invitation_id: newId(), target_type: 'project', target_id: newId(), target_name: 'Pollen', role: 'member', actor_id: null }, eventKey: `told ${newId()}`, ...more });

    it('takes as many statements for a thousand members as for ten: six, mails and all', async function () {
      this.timeout(30_000);
      const ada = await person();
      const projectId = await backend.current.project(ada);
      const ids = await crowd(1_000);
      await join(projectId, ids);
      const service = serviceOf();
      await service.tell(notice(ids.slice(0, 1), { projectId }));
      const counts: number[] = [];
      for (const count of [10, 1_000]) {
        const told = notice(ids.slice(0, count), { projectId });
        counts.push(await countStatements(() => service.tell(told)));
        expect(await backend.current.sql('select 1 as one from notifications where event_key = ?', [told.eventKey])).to.have.length(count);
        // Told again, nothing is made, and no mail.
        const mails = await backend.current.sql<{ count: string }>("select count(*) from system_jobs where kind = 'mail.send'");
        await service.tell(told);
        expect(await backend.current.sql("select count(*) from system_jobs where kind = 'mail.send'")).to.deep.equal(mails);
      }
      expect(counts).to.deep.equal([6, 6]);
    });

    it('holds everybody of an event in one order, whatever each is told as: two events about the same people never wait for each other', async () => {
      const { database: { db }, sql } = backend.current;
      const [low = '', high = ''] = (await crowd(2)).sort();
      const held = await db.knex.transaction();
      await held.raw('select from users where id = ? for no key update', [high]);
      const telling = serviceOf().tell(notice([high]), notice([low]));
      try {
        await until('the telling to wait', async () => (await sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length === 1);
        const lowIsHeld = await sql('select from users where id = ? for no key update nowait', [low]).then(() => false, () => true);
        expect(lowIsHeld).to.equal(true);
      } finally {
        await held.rollback();
        await telling;
      }
    });

    it('keeps each one\'s cap of the day exactly, however many are told at once and in whatever order they are named', async function () {
      this.timeout(30_000);
      const ids = await crowd(40, 'free');
      await backend.current.sql(`
        insert into notifications (id, user_id, type, payload, event_key, in_app)
        select gen_random_uuid(), u.id, 'account.tier_changed', '{}', 'filling ' || n, true from unnest(?::uuid[]) with ordinality as u (id, nth), generate_series(1, 185 + u.nth % 15) n`, [ids]);
      const service = serviceOf();
      await Promise.all(Array.from({ length: 20 }, (_, at) => service.tell(notice(at % 2 === 0 ? ids : ids.toReversed()))));
      const counts = await backend.current.sql<{ count: string }>('select user_id, count(*) from notifications where user_id = any(?::uuid[]) and in_app group by user_id', [ids]);
      expect([...new Set(counts.map(({ count }) => Number(count)))]).to.deep.equal([200]);
    });

    it('tells each by the channels they chose, and nobody who cannot open the project: strangers, invited, suspended or gone', async () => {
      const { ada, ben, cleo, projectId } = await begin();
      const { run, sql } = backend.current;
      const [stranger, invited, suspended, gone, left, teamMate] = await Promise.all(Array.from({ length: 6 }, () => person())) as [Person, Person, Person, Person, Person, Person];
      const teamId = await teamOf(backend.current, ada);
      await joinTeam(backend.current, teamId, ada, teamMate);
      await sql('update projects set team_id = ? where id = ?', [teamId, projectId]);
      await run('addProjectMember', ada, { path: { project_id: projectId }, body: { user_id: invited.userId } });
      for (const who of [suspended, gone, left]) await joinProject(backend.current, projectId, ada, who);
      await run('removeProjectMember', left, { path: { project_id: projectId, user_id: left.userId } });
      await sql('update users set suspended_at = now() where id = ?', [suspended.userId]);
      await sql('update users set deleted_at = now() where id = ?', [gone.userId]);
      await run('updatePreferences', ben, { body: { notifications: { 'preview.failed': { in_app: false, email: false } } } });
      await run('updatePreferences', cleo, { body: { notifications: { 'preview.failed': { in_app: false, email: true } } } });
      const everybody = [ada, ben, cleo, stranger, invited, suspended, gone, left, teamMate].map(({ userId }) => userId);
      await serviceOf().tell(notice([...everybody, ...everybody, newId()], { type: 'preview.failed', projectId, payload: { job_id: newId(), target_platform: 'ios', error_code: null }, eventKey: 'told' }));
      const rows = await sql<{ user_id: string; in_app: boolean; awaits_digest: boolean }>("select user_id, in_app, awaits_digest from notifications where event_key = 'told'");
      expect(new Map(rows.map(({ user_id: id, in_app: listed, awaits_digest: mailed }) => [id, `${listed} ${mailed}`])))
        .to.deep.equal(new Map([[ada.userId, 'true false'], [cleo.userId, 'false true'], [teamMate.userId, 'true false']]));
    });
  });

  describe('of tasks', () => {
    it('goes to whoever gets one to do, each time, and to nobody for what they did themselves', async () => {
      const { ada, ben, projectId } = await begin();
      const { run } = backend.current;
      const task = await taskIn(backend.current, ada, projectId, { title: 'Draw the map', assignee_id: ben.userId, due_date: '2026-03-09T17:00:00.000Z' });
      await taskIn(backend.current, ada, projectId, { assignee_id: ada.userId });
      for (const assignee of [null, ben.userId]) await run('updateTask', ada, { path: { task_id: task.id }, body: { assignee_id: assignee } });
      await tell({ projectId });
      expect(await toldTo(ben)).to.deep.equal(Array.from({ length: 2 }, () => ({
        type: 'task.assigned', project_id: projectId, payload: { task_id: task.id, title: 'Draw the map', due_date: '2026-03-09T17:00:00.000Z', actor_id: ada.userId },
      })));
      expect((await typesTo(ada)).filter((type) => type.startsWith('task'))).to.deep.equal([]);
    });

    it('tells who made it and who has it that it is done, but for who did that; again when it was reopened', async () => {
      const { ada, ben, cleo, projectId } = await begin();
      const task = await taskIn(backend.current, ada, projectId, { assignee_id: ben.userId });
      await setStatus(backend.current, ben, task.id, 'done');
      await tell({ projectId, type: 'task.completed' });
      const doneTo = async (who: Person): Promise<number> => (await typesTo(who)).filter((type) => type === 'task.completed').length;
      expect([await doneTo(ada), await doneTo(ben)]).to.deep.equal([1, 0]);
      await setStatus(backend.current, cleo, task.id, 'todo');
      await setStatus(backend.current, cleo, task.id, 'done');
      await tell({ projectId, type: 'task.completed' });
      expect([await doneTo(ada), await doneTo(ben)]).to.deep.equal([2, 1]);
    });
  });

  describe('of comments', () => {
    const comment = async (who: Person, projectId: string, body: Record<string, unknown>): Promise<string> =>
      (await backend.current.run('createComment', who, { path: { project_id: projectId }, body: body as never })).data.id;
    const commentsTo = async (who: Person): Promise<string[]> => (await toldTo(who)).filter(({ type }) => type.startsWith('comment')).map(({ type, payload }) => `${type} ${String(payload['excerpt'])}`);

    it('is a mention before it is an answer, and an answer before it is news; nobody is told twice, nor of their own', async () => {
      const { ada, ben, cleo, projectId } = await begin();
      const dan = await person();
      await joinProject(backend.current, projectId, ada, dan);
      const task = await taskIn(backend.current, ada, projectId, { assignee_id: ben.userId });
      const about = { entity_type: 'task', entity_id: task.id };
      const first = await comment(cleo, projectId, { ...about, body: 'Where is the river?' });
      await comment(dan, projectId, { parent_id: first, body: `Here, @${ben.username} and @${cleo.username}.` });
      await comment(dan, projectId, { parent_id: first, body: 'There too.' });
      await tell({ projectId });
      const mention = `Here, @${ben.username} and @${cleo.username}.`;
      expect(await commentsTo(ben)).to.deep.equal(['comment.created Where is the river?', `comment.mentioned ${mention}`, 'comment.created There too.']);
      expect(await commentsTo(cleo)).to.deep.equal([`comment.mentioned ${mention}`, 'comment.replied There too.']);
      expect(await commentsTo(ada)).to.deep.equal(['comment.created Where is the river?', `comment.created ${mention}`, 'comment.created There too.']);
      expect(await commentsTo(dan)).to.deep.equal([]);
    });

    it('tells whom an edit mentions for the first time', async () => {
      const { ada, ben, cleo, projectId } = await begin();
      const id = await comment(ada, projectId, { entity_type: 'project', body: `Look, @${ben.username}.` });
      await backend.current.run('updateComment', ada, { path: { comment_id: id }, body: { body: `Look, @${ben.username} and @${cleo.username}.` } });
      await tell({ projectId });
      expect([await commentsTo(ben), await commentsTo(cleo)]).to.deep.equal([[`comment.mentioned Look, @${ben.username}.`], [`comment.mentioned Look, @${ben.username} and @${cleo.username}.`]]);
    });

    it('is told to nobody, or without its words, once it is deleted; so are those on a deleted task', async () => {
      const { ada, ben, projectId } = await begin();
      const task = await taskIn(backend.current, ada, projectId, { assignee_id: ben.userId });
      const about = { entity_type: 'task', entity_id: task.id };
      const ids = [await comment(ada, projectId, { ...about, body: 'First.' }), await comment(ada, projectId, { ...about, body: 'Second.' })];
      await tell({ projectId, type: 'comment.created' });
      const unheard = await comment(ada, projectId, { ...about, body: 'Never mind.' });
      for (const id of [ids[0] ?? '', unheard]) await backend.current.run('deleteComment', ada, { path: { comment_id: id } });
      await tell({ projectId });
      expect(await commentsTo(ben)).to.deep.equal(['comment.created ', 'comment.created Second.']);
      await backend.current.run('deleteTask', ada, { path: { task_id: task.id } });
      await tell({ projectId });
      expect(await commentsTo(ben)).to.deep.equal(['comment.created ', 'comment.created ']);
    });

    it('loses its words with the preview that it was on', async () => {
      const { ada, ben, projectId } = await begin();
      const { data } = await request(backend.current, ada, projectId, [sourceOf('index.js', newId())]);
      await comment(ada, projectId, { entity_type: 'preview', entity_id: data.job.id, body: `Here, @${ben.username}.` });
      await tell({ projectId });
      expect(await commentsTo(ben)).to.deep.equal([`comment.mentioned Here, @${ben.username}.`]);
      await backend.current.run('deletePreviewJob', ada, { path: { job_id: data.job.id } });
      await tell({ projectId });
      expect(await commentsTo(ben)).to.deep.equal(['comment.mentioned ']);
    });

    it('is found by an index among many notifications', async () => {
      const { database: { db }, sql } = backend.current;
      const ada = await person();
      await sql(`insert into notifications (id, user_id, type, payload, event_key, in_app)
        select gen_random_uuid(), ?, 'comment.created', json_build_object('comment_id', gen_random_uuid(), 'entity_id', gen_random_uuid()), 'filling ' || n, true from generate_series(1, 20000) n`, [ada.userId]);
      await sql('analyze notifications');
      for (const text of [forgetExcerptsOnSql, forgetExcerptsSql]) expect((await planOf(db, { text, values: [newId()] }, true)).readWhole).to.deep.equal([]);
    });
  });

  describe('of previews and other jobs', () => {
    it('tells whoever asked how a preview ended, unless the project wishes otherwise', async () => {
      const { ada, ben, projectId } = await begin();
      const data = { status: 'failed', error_code: 'PREVIEW_BUILD_FAILED', target_platform: 'ios', attempt: 1 };
      const [failed, succeeded] = [newId(), newId()];
      await emitted('preview.failed', { entityId: failed, projectId, userId: ben.userId, data });
      await emitted('preview.succeeded', { entityId: succeeded, projectId, userId: ben.userId, data: { ...data, error_code: null } });
      await backend.current.run('updateProjectSettings', ada, { path: { project_id: projectId }, body: { notifications: { preview_ready: false } } });
      await emitted('preview.succeeded', { projectId, userId: ben.userId, data });
      await emitted('preview.failed', { projectId: newId(), userId: ben.userId, data });
      expect((await toldTo(ben)).filter(({ type }) => type.startsWith('preview'))).to.deep.equal([
        { type: 'preview.failed', project_id: projectId, payload: { job_id: failed, target_platform: 'ios', error_code: 'PREVIEW_BUILD_FAILED' } },
        { type: 'preview.succeeded', project_id: projectId, payload: { job_id: succeeded, target_platform: 'ios', error_code: null } },
      ]);
    });

    it('tells of forty previews in as many statements as of two: each to whoever asked and may open its project, where it wishes so, and once', async () => {
      const { ada, ben, cleo, projectId } = await begin();
      const [quiet, gone] = [await backend.current.project(ada), await backend.current.project(ada)];
      await backend.current.run('updateProjectSettings', ada, { path: { project_id: quiet }, body: { notifications: { preview_failed: false } } });
      await backend.current.sql('update projects set deleted_at = now() where id = ?', [gone]);
      const stranger = await person();
      const ended = (who: Person, of = projectId): DomainEvent => ({
        type: 'preview.failed', entityId: newId(), projectId: of, userId: who.userId, data: { status: 'failed', error_code: 'PREVIEW_BUILD_FAILED', target_platform: 'ios', attempt: 1 },
      });
      const together = backend.current.services.consumers.get('preview.failed')?.together;
      const counts: number[] = [];
      const events: DomainEvent[] = [];
      for (const many of [1, 20]) {
        const batch = Array.from({ length: many }, () => [ended(ben), ended(cleo)]).flat().concat([ended(ada, quiet), ended(ada, gone), ended(stranger)]);
        counts.push(await countStatements(async () => together?.(batch)));
        await together?.(batch);
        events.push(...batch);
      }
      expect(counts[0]).to.equal(counts[1]);
      expect(counts[0]).to.be.at.most(6);
      const toldOf = async (who: Person): Promise<unknown[]> => (await toldTo(who)).filter(({ type }) => type === 'preview.failed').map(({ payload }) => payload['job_id']).sort();
      for (const who of [ben, cleo]) expect(await toldOf(who)).to.deep.equal(events.filter(({ userId }) => userId === who.userId).map(({ entityId }) => entityId).sort());
      for (const who of [ada, stranger]) expect(await toldOf(who)).to.deep.equal([]);
    });

    it('tells with whom a preview was shared, in the project or not', async () => {
      const { ada, projectId } = await begin();
      const eve = await person();
      const data = { job_id: newId(), share_id: newId(), shared_by: ada.userId, note: 'Look at the map.', user_ids: [eve.userId, ada.userId] };
      await emitted('preview.shared', { projectId, userId: ada.userId, data });
      expect(await toldTo(eve)).to.deep.equal([{ type: 'preview.shared', project_id: null, payload: { job_id: data.job_id, share_id: data.share_id, shared_by: ada.userId, note: 'Look at the map.' } }]);
    });

    it('tells whoever asked for an AI job or a refactoring, and who keeps the project of its repository and webhooks', async () => {
      const { ada, ben, projectId } = await begin();
      const error = { code: 'timed_out', message: 'No engine answered in time.' };
      const [ai, refactor, sync, webhook] = [newId(), newId(), newId(), newId()];
      await emitted('ai_job.succeeded', { entityId: ai, projectId, data: { job_id: ai, requester_id: ben.userId, job_type: 'file_summary', file_path: 'src/Map.tsx', error: null } });
      await emitted('ai_job.failed', { entityId: ai, projectId, data: { job_id: ai, requester_id: ben.userId, job_type: 'file_summary', file_path: 'src/Map.tsx', error } });
      await emitted('refactor.succeeded', { entityId: refactor, projectId, data: { job_id: refactor, requested_by: ben.userId, kind: 'rename_file', error: null } });
      await emitted('refactor.failed', { entityId: refactor, projectId, data: { job_id: refactor, requested_by: ben.userId, kind: 'rename_file', error } });
      await emitted('repo.sync_failed', { projectId, data: { sync_id: sync, error } });
      await emitted('webhook.disabled', { projectId, data: { webhook_id: webhook, reason: 'failing', disabled_at: '2026-03-07T09:41:00.000Z' } });
      const own = async (who: Person) => (await toldTo(who)).filter(({ type }) => !type.startsWith('invitation')).map(({ type, payload }) => [type, payload]);
      expect(await own(ben)).to.deep.equal([
        ['ai_job.succeeded', { job_id: ai, job_type: 'file_summary', file_path: 'src/Map.tsx', error_code: null }],
        ['ai_job.failed', { job_id: ai, job_type: 'file_summary', file_path: 'src/Map.tsx', error_code: 'timed_out' }],
        ['refactor.succeeded', { job_id: refactor, kind: 'rename_file', error_code: null }],
        ['refactor.failed', { job_id: refactor, kind: 'rename_file', error_code: 'timed_out' }],
      ]);
      expect(await own(ada)).to.deep.equal([
        ['repo.sync_failed', { sync_id: sync, error_code: 'timed_out' }],
        ['webhook.disabled', { webhook_id: webhook, url: null, reason: 'failing' }],
      ]);
    });
  });

  describe('of the account', () => {
    it('tells of another tier, each time, and not of one that stays', async () => {
      const [boss, ada] = [await person('admin'), await person('free')];
      for (const tier of ['pro', 'pro', null, 'pro'] as const) await backend.current.run('setUserTier', boss, { path: { user_id: ada.userId }, body: { tier, reason: 'Beta programme.' } });
      await tell({ type: 'user.tier_set', userId: ada.userId });
      expect((await toldTo(ada)).map(({ type, payload }) => [type, payload['from'], payload['to']])).to.deep.equal([
        ['account.tier_changed', 'free', 'pro'], ['account.tier_changed', 'pro', 'free'], ['account.tier_changed', 'free', 'pro'],
      ]);
    });

    it('tells once, by the one that takes it, that four fifths of the projects are used, and costs the others nothing', async () => {
      const ada = await person('free');
      const emitted: number[] = [];
      for (let made = 1; made <= 5; made += 1) emitted.push((await statementsOf(() => backend.current.project(ada))).filter((text) => text.includes('"outbox"')).length);
      expect(emitted).to.deep.equal([1, 1, 1, 2, 1]);
      await tell({ type: 'account.quota_near', userId: ada.userId });
      expect(await toldTo(ada)).to.deep.equal([{ type: 'account.quota_near', project_id: null, payload: { limit: 'projects', used: 4, allowed: 5, tier: 'free' } }]);
    });

    it('tells once a day that the day\'s previews are nearly used up', async () => {
      const { sql, project } = backend.current;
      const ada = await person('free');
      const projectId = await project(ada);
      const ask = async (): Promise<string> => (await request(backend.current, ada, projectId, [sourceOf('index.js', newId())])).data.job.id;
      const first = await ask();
      const columns = (await sql<{ name: string }>("select column_name as name from information_schema.columns where table_name = 'preview_jobs' and is_generated = 'NEVER' and is_identity = 'NO'")).map(({ name }) => name).join(', ');
      // As many since midnight that the next one is the fortieth of fifty.
      await sql(`
        insert into preview_jobs (${columns})
        select ${columns.split(', ').map((name) => `(r).${name}`).join(', ')} from (
          select jsonb_populate_record(j, jsonb_build_object('id', gen_random_uuid(), 'request_key_hash', null, 'created_at', date_trunc('day', now() at time zone 'utc') at time zone 'utc')) as r
            from preview_jobs j, generate_series(1, 38) where j.id = ?) copies`, [first]);
      const telling = [await statementsOf(ask), await statementsOf(ask)].map((texts) => texts.filter((one) => one.includes('"outbox"')).length);
      expect(telling).to.deep.equal([1, 0]);
      await tell({ type: 'account.quota_near', userId: ada.userId });
      expect(await toldTo(ada)).to.deep.equal([{ type: 'account.quota_near', project_id: null, payload: { limit: 'preview_jobs_per_day', used: 40, allowed: 50, tier: 'free' } }]);
    });

    it('tells once a day that the day\'s notifications are nearly used up, within the cap and in the same statements', async () => {
      const { sql } = backend.current;
      const ada = await person('free');
      await sql(`insert into notifications (id, user_id, type, payload, event_key, in_app)
        select gen_random_uuid(), ?, 'account.tier_changed', '{}', 'filling ' || n, true from generate_series(1, 158) n`, [ada.userId]);
      const service = serviceOf();
      const one = (): Notice => ({ userIds: [ada.userId], type: 'account.tier_changed', payload: { from: 'free', to: 'pro' }, eventKey: newId() });
      const counts: number[] = [];
      for (let told = 0; told < 3; told += 1) counts.push(await countStatements(() => service.tell(one())));
      expect(new Set(counts).size).to.equal(1);
      const near = await sql<Told>("select type, payload, project_id from notifications where user_id = ? and type = 'account.quota_near'", [ada.userId]);
      expect(near).to.deep.equal([{ type: 'account.quota_near', project_id: null, payload: { limit: 'notifications_per_day', used: 160, allowed: 200, tier: 'free' } }]);
    });
  });
});

/** The stream of notifications: whatever happens around it, each is told once, to whom it is, in the order of commits. */
import { expect } from 'chai';
import { NotificationFeed } from '#domains/notifications/feed.ts';
import { NotificationService, type Notice } from '#domains/notifications/service.ts';
import { type NotificationEvent, NotificationStream } from '#domains/notifications/stream.ts';
import type { Call, Caller } from '#platform/call.ts';
import { transact } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import { openSubscriber, type Subscriber } from '#platform/redis.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

interface Following { readonly events: NotificationEvent[]; readonly told: () => unknown[]; readonly stop: () => Promise<void> }
const never = 3_600_000;

describe('the stream of notifications', () => {
  const backend = useBackend();
  const subscribers: Subscriber[] = [];
  const open: Following[] = [];
  const person = (): Promise<Person> => backend.current.person();

  /** As another process has it: with its own connection to Redis, which hears what the others publish. */
  const replica = (options: { pollMs?: number; isDeaf?: boolean } = {}) => {
    const { redis, env, database: { db }, log, services } = backend.current;
    const subscriber = openSubscriber(env);
    subscribers.push(subscriber);
    if (options.isDeaf === true) subscriber.close();
    const feed = new NotificationFeed({ db, redis: redis.redis, subscriber, log, pollMs: options.pollMs ?? never });
    const notifications = new NotificationService({ db, tiers: services.tiers, members: { activeMembers: (_project, ids) => Promise.resolve(new Set(ids)), activeAmong: () => Promise.resolve(() => true) }, feed });
    return { feed, notifications, stream: new NotificationStream(db, services.tiers, feed) };
  };
  type Replica = ReturnType<typeof replica>;

  const callOf = (caller: Caller, signal: AbortSignal): Call => ({
    requestId: newId(), operationId: 'streamNotifications', caller, ip: '127.0.0.1', userAgent: 'tests', roles: null, policy: { allowed: false }, signal, ifMatch: null, idempotency: null,
  });
  const follow = async ({ stream }: Replica, caller: Caller, lastEventId?: string): Promise<Following> => {
    const controller = new AbortController();
    const events: NotificationEvent[] = [];
    const source = await stream.open(callOf(caller, controller.signal), lastEventId);
    const ended = (async () => { for await (const event of source) events.push(event); })();
    const following = {
      events,
      told: () => events.flatMap((event) => (event.data !== null && 'payload' in event.data ? [event.data.payload['n']] : [])),
      stop: async () => { controller.abort(); await ended; },
    };
    open.push(following);
    if (lastEventId === undefined) await until('the place', () => events.length > 0);
    return following;
  };
  const notice = (who: Person, n: unknown, more: Partial<Notice> = {}): Notice => ({ userIds: [who.userId], type: 'account.tier_changed', payload: { n }, eventKey: `told ${String(n)}`, ...more });
  const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

  afterEach(async () => {
    await Promise.all(open.splice(0).map(({ stop }) => stop()));
    for (const subscriber of subscribers.splice(0)) subscriber.close();
  });

  it('begins now, tells each replica\'s streams what comes, once and in order, and nobody else', async () => {
    const [one, two] = [replica(), replica()];
    const [ada, ben] = [await person(), await person()];
    await one.notifications.tell(notice(ada, 0));
    const [here, there, others] = [await follow(one, ada), await follow(two, ada), await follow(two, ben)];
    for (const n of numbers(1, 5)) await one.notifications.tell(notice(ada, n));
    await two.notifications.tell(notice(ada, 6));
    await until('six each', () => here.told().length === 6 && there.told().length === 6);
    for (const { told } of [here, there]) expect(told()).to.deep.equal(numbers(1, 6));
    expect(others.told()).to.deep.equal([]);
    expect(here.events[0]).to.include({ event: null, data: null });
    const first = here.events[1];
    expect([first?.event, first?.id]).to.deep.equal(['account.tier_changed', (first?.data as { created_at: string }).created_at]);
  });

  it('misses nothing of a transaction that began, and made its id, before one that has been told already', async () => {
    const { database: { db } } = backend.current;
    const one = replica();
    const ada = await person();
    const stream = await follow(one, ada);
    const early = await db.knex.transaction();
    await early.raw('select now()');
    for (const n of [1, 2]) await one.notifications.tell(notice(ada, n));
    await until('the later one', () => stream.told().length === 2);
    await one.notifications.notifyAll(early, notice(ada, 3));
    await early.commit();
    one.feed.changed([ada.userId]);
    await until('the earlier one', () => stream.told().length === 3);
    expect(stream.told()).to.deep.equal([1, 2, 3]);
  });

  it('gives two of one person times that rise in the order of commits, also when both are told at once and the clock stands still', async () => {
    const { sql, database: { db } } = backend.current;
    const one = replica();
    const ada = await person();
    // A clock that went backwards: what was told last lies in the future.
    await sql("insert into notifications (id, user_id, type, payload, event_key, in_app, created_at) values (?, ?, 'account.tier_changed', '{\"n\": 0}', 'ahead', true, now() + interval '1 hour')", [newId(), ada.userId]);
    const stream = await follow(one, ada);
    const first = await db.knex.transaction();
    await one.notifications.notifyAll(first, notice(ada, 1));
    // Waits for the lock of the first, and so comes after it.
    const second = transact(db, null, (trx) => one.notifications.notifyAll(trx, notice(ada, 2)));
    await until('the second to wait', async () => (await sql("select 1 as one from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length > 0);
    await first.commit();
    await second;
    one.feed.changed([ada.userId]);
    await until('both', () => stream.told().length === 2);
    expect(stream.told()).to.deep.equal([1, 2]);
    const times = await sql<{ created_at: string }>('select created_at from notifications where user_id = ? order by created_at', [ada.userId]);
    expect(new Set(times.map(({ created_at: at }) => at)).size).to.equal(3);
  });

  it('tells each once whatever the writers: twenty at once over two replicas, transactions that linger, words that come twice, streams cut and resumed elsewhere', async function () {
    this.timeout(60_000);
    const { database: { db } } = backend.current;
    const replicas = [replica({ pollMs: 50 }), replica({ pollMs: 50 })] as const;
    const people = await Promise.all(Array.from({ length: 3 }, person));
    const lasting = await Promise.all(people.map((who) => follow(replicas[0], who)));
    const resumed = people.map(() => ({ events: [] as NotificationEvent[], last: undefined as string | undefined }));
    let isWriting = true;
    const cutting = people.map(async (who, at) => {
      const [mine] = resumed.slice(at, at + 1);
      if (mine === undefined) return;
      for (let round = 0; ; round += 1) {
        const isLast = !isWriting;
        const following = await follow(replicas[round % 2] ?? replicas[0], who, mine.last);
        const already = following.events.length;
        if (isLast) await until('the rest', () => mine.events.length + following.events.length >= 61);
        else await until('something', () => following.events.length > already || !isWriting);
        await following.stop();
        mine.events.push(...following.events);
        mine.last = mine.events.at(-1)?.id;
        if (isLast) return;
      }
    });
    await until('the resumed ones to have begun', () => resumed.every((_one, at) => open.length > people.length + at));
    await Promise.all(Array.from({ length: 20 }, async (_, writer) => {
      for (let n = 0; n < 3; n += 1) {
        const { notifications, feed } = replicas[writer % 2] ?? replicas[0];
        const word = writer * 3 + n;
        // All three people in one transaction, begun long before it tells and ended at some time after.
        const ids = await transact(db, null, async (trx) => {
          await trx.raw('select pg_sleep(random() * 0.01)');
          const told = await notifications.notifyAll(trx, { userIds: people.map(({ userId }) => userId), type: 'account.tier_changed', payload: { n: word }, eventKey: `told ${word}` });
          await trx.raw('select pg_sleep(random() * 0.005)');
          return told;
        });
        feed.changed(ids);
        feed.changed(ids);
        // The same event again: nothing is made.
        expect(await transact(db, null, (trx) => notifications.notifyAll(trx, { userIds: ids, type: 'account.tier_changed', payload: { n: word }, eventKey: `told ${word}` }))).to.deep.equal([]);
      }
    }));
    isWriting = false;
    await Promise.all(cutting);
    await until('all of them', () => lasting.every(({ told }) => told().length === 60));
    const committed = await Promise.all(people.map(async ({ userId }) =>
      (await backend.current.sql<{ n: number }>("select (payload ->> 'n')::int as n from notifications where user_id = ? order by created_at", [userId])).map(({ n }) => n)));
    lasting.forEach(({ told }, at) => expect(told(), 'one stream').to.deep.equal(committed[at]));
    resumed.forEach(({ events }, at) => {
      const told = events.flatMap((event) => (event.data !== null && 'payload' in event.data ? [event.data.payload['n']] : []));
      expect(told, 'cut and resumed').to.deep.equal(committed[at]);
    });
  });

  describe('resumed', () => {
    /** So many in the past hour, a second apart. */
    const fill = async (who: Person, count: number): Promise<void> => {
      await backend.current.sql(`
        insert into notifications (id, user_id, type, payload, event_key, in_app, created_at)
        select gen_random_uuid(), ?, 'account.tier_changed', json_build_object('n', n), 'filling ' || n, true, date_trunc('second', now()) - interval '1 hour' + n * interval '1 second' from generate_series(0, ?) n`, [who.userId, count]);
    };
    const timeOf = async (who: Person, n: number): Promise<string> => {
      const [row] = await backend.current.sql<{ created_at: string }>("select created_at from notifications where user_id = ? and payload ->> 'n' = ?", [who.userId, String(n)]);
      return new Date(row?.created_at ?? '').toISOString();
    };

    it('goes on right after its place, with a thousand that were missed, and then with what comes', async () => {
      const one = replica();
      const ada = await person();
      await fill(ada, 1_000);
      const stream = await follow(one, ada, await timeOf(ada, 0));
      await until('what was missed', () => stream.told().length === 1_000);
      await one.notifications.tell(notice(ada, 1_001));
      await until('what comes', () => stream.told().length === 1_001);
      expect(stream.told()).to.deep.equal(numbers(1, 1_001));
    });

    it('says reset where more was missed, and goes on from there', async () => {
      const one = replica();
      const ada = await person();
      await fill(ada, 1_001);
      const stream = await follow(one, ada, await timeOf(ada, 0));
      await until('the reset', () => stream.events.length === 1);
      await one.notifications.tell(notice(ada, 2_000));
      await until('what comes', () => stream.told().length === 1);
      expect(stream.events.map(({ event }) => event)).to.deep.equal(['reset', 'account.tier_changed']);
      expect([stream.events[0]?.data, stream.told()]).to.deep.equal([{}, [2_000]]);
      const again = await follow(replica(), ada, stream.events[0]?.id);
      await until('the same again', () => again.told().length === 1);
      expect(again.told()).to.deep.equal([2_000]);
    });

    it('says reset where its place is none, lies ahead, or a sweep may have been behind it; not where what it was told then is still there', async () => {
      const one = replica();
      const [ada, ben] = [await person(), await person()];
      const old = '2026-03-02T09:31:00.000Z';
      for (const place of ['01920000-0000-7000-8000-000000000501', '2026-02-30T00:00:00.000Z', '2999-01-01T00:00:00.000Z', old]) {
        const stream = await follow(one, ada, place);
        await until(`an answer to ${place}`, () => stream.events.length === 1);
        expect(stream.events[0]?.event, place).to.equal('reset');
      }
      await backend.current.sql("insert into notifications (id, user_id, type, payload, event_key, in_app, created_at) values (?, ?, 'account.tier_changed', '{\"n\": 1}', 'old', true, ?)", [newId(), ben.userId, old]);
      await one.notifications.tell(notice(ben, 2));
      const stream = await follow(one, ben, old);
      await until('the next', () => stream.events.length === 1);
      expect(stream.told()).to.deep.equal([2]);
    });

    it('goes on from where it began, also for somebody who had never been told anything', async () => {
      const [one, two] = [replica(), replica()];
      const ada = await person();
      const first = await follow(one, ada);
      await first.stop();
      await one.notifications.tell(notice(ada, 1));
      const second = await follow(two, ada, first.events[0]?.id);
      await until('what came meanwhile', () => second.told().length === 1);
      expect(second.told()).to.deep.equal([1]);
    });
  });

  it('hears by itself what Redis lost', async () => {
    const [writer, deaf] = [replica(), replica({ isDeaf: true, pollMs: 40 })];
    const ada = await person();
    const stream = await follow(deaf, ada);
    for (const n of numbers(1, 3)) await writer.notifications.tell(notice(ada, n));
    await until('three', () => stream.told().length === 3);
    expect(stream.told()).to.deep.equal([1, 2, 3]);
  });

  it('shows an API key that is restricted to projects what belongs to them alone', async () => {
    const one = replica();
    const ada = await person();
    const [here, there] = [await backend.current.project(ada), await backend.current.project(ada)];
    const key = { kind: 'api_key', userId: ada.userId, keyId: newId(), tier: ada.tier, isVerified: true, scopes: ['notifications:read'], projectIds: [here] } as const;
    const stream = await follow(one, key);
    await one.notifications.tell(notice(ada, 1), notice(ada, 2, { projectId: there }), notice(ada, 3, { projectId: here }), notice(ada, 4), notice(ada, 5, { projectId: here }));
    await until('its own', () => stream.told().length === 2);
    expect(stream.told()).to.deep.equal([3, 5]);
    const resumed = await follow(one, key, stream.events[0]?.id);
    await until('its own again', () => resumed.told().length === 2);
    expect(resumed.told()).to.deep.equal([3, 5]);
  });

  it('leaves out what somebody wanted by mail alone', async () => {
    const one = replica();
    const ada = await person();
    await backend.current.run('updatePreferences', ada, { body: { notifications: { 'account.tier_changed': { in_app: false, email: true } } } });
    const stream = await follow(one, ada);
    await one.notifications.tell(notice(ada, 1), notice(ada, 2, { type: 'account.export_ready' }));
    await until('the other', () => stream.told().length === 1);
    expect(stream.told()).to.deep.equal([2]);
  });

  it('tells a thousand people in few statements, and those that read slowly no more than they take', async function () {
    this.timeout(60_000);
    const { sql } = backend.current;
    const one = replica();
    const ids = Array.from({ length: 1_000 }, () => newId());
    await sql("insert into users (id, email, username, password_hash, tier) select id, id || '@example.com', 'm' || right(replace(id::text, '-', ''), 20), 'none', 'premium' from unnest(?::uuid[]) as id", [ids]);
    const caller = (userId: string): Caller => ({ kind: 'user', userId, sessionId: newId(), tier: 'premium', isVerified: true, authenticatedAtMs: 0 });
    const streams = await Promise.all(ids.map((id) => follow(one, caller(id))));
    const begin = performance.now();
    let ms = 0;
    const statements = await countStatements(async () => {
      await one.notifications.tell({ userIds: ids, type: 'account.tier_changed', payload: { n: 1 }, eventKey: 'told everybody' });
      await until('all of them', () => streams.every(({ told }) => told().length === 1));
      ms = performance.now() - begin;
    });
    expect(statements, `in ${ms.toFixed(0)} ms`).to.be.lessThan(30);
  });
});

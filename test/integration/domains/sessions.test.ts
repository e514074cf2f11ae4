import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { request, sourceOf } from '../../support/preview-jobs.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

const password = 'forty bees in a garden';
const device = (name: string): Record<string, string> => ({ device_id: `installation-of-${name}`, name: `Ada's ${name}`, platform: 'ios' });

interface Signed { readonly sessionId: string; readonly headers: { readonly authorization: string }; readonly refreshToken: string }

describe('sessions and devices', () => {
  const backend = useBackend();
  const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;
  const me = async ({ headers }: Pick<Signed, 'headers'>): Promise<string> => outcome(await backend.current.http('GET', '/users/me', { headers }));
  const signed = (reply: Reply): Signed => {
    expect(reply.status, reply.text).to.be.within(200, 201);
    return {
      sessionId: String(reply.data['session_id']), headers: { authorization: `Bearer ${String(reply.data['access_token'])}` }, refreshToken: String(reply.data['refresh_token']),
    };
  };
  const register = async (on?: string): Promise<Signed & { login(on?: string): Promise<Signed> }> => {
    const username = `ada${newId().slice(-10)}`;
    const more = (name?: string): Record<string, unknown> => (name === undefined ? {} : { device: device(name) });
    const first = signed(await backend.current.http('POST', '/auth/register', { json: { email: `${username}@example.com`, username, password, ...more(on) } }));
    return { ...first, login: async (name) => signed(await backend.current.http('POST', '/auth/login', { json: { username, password, ...more(name) } })) };
  };
  const audited = (entityId: string): Promise<{ event_type: string; data: Record<string, unknown> }[]> =>
    backend.current.sql('select event_type, data from audit_logs where entity_id = ? order by id', [entityId]);
  type Listed = { items: Record<string, unknown>[]; page: { total: number | null; next_cursor: string | null } };
  const list = async (what: 'sessions' | 'devices', by: Pick<Signed, 'headers'>, query = ''): Promise<Listed> => {
    const reply = await backend.current.http('GET', `/auth/${what}${query}`, { headers: by.headers });
    expect(outcome(reply)).to.equal('200 ok');
    return reply.data as unknown as Listed;
  };
  const end = (by: Pick<Signed, 'headers'>, path: string): Promise<Reply> => backend.current.http('DELETE', path, { headers: by.headers });
  /** Sessions of somebody, by how many minutes ago each was seen. */
  const seen = async (person: Person, minutes: readonly number[]): Promise<string[]> => {
    const rows = minutes.map((ago) => ({
      id: newId(), user_id: person.userId, ip_address: '192.0.2.7', user_agent: 'a browser', last_seen: new Date(Date.parse('2026-03-02T09:00:00Z') - ago * 60_000).toISOString(),
    }));
    await backend.current.database.db.knex('sessions').insert(rows);
    return rows.map(({ id }) => id);
  };

  describe('the list of sessions', () => {
    it('says of each from where, on what and since when, which one asks, and no mask of an address', async () => {
      const ada = await register('phone');
      const other = await ada.login();
      const { items, page } = await list('sessions', ada);
      expect(page.total).to.equal(2);
      const [mine] = items.filter((item) => item['id'] === ada.sessionId);
      expect(mine).to.include({ device_name: 'Ada\'s phone', platform: 'ios', ip_address: '127.0.0.1', suspicious: false, current: true });
      expect(Date.parse(String(mine?.['expires_at'])) - Date.parse(String(mine?.['created_at']))).to.be.closeTo(30 * 86_400_000, 60_000);
      expect(items.find((item) => item['id'] === other.sessionId)).to.include({ device_session_id: null, device_name: null, platform: null, current: false });
    });

    it('leaves out what has ended or run out, and what is somebody else\'s', async () => {
      const { sql } = backend.current;
      const ada = await register();
      const [ended, expired] = [await ada.login(), await ada.login()];
      await sql('update sessions set revoked_at = now() where id = ?', [ended.sessionId]);
      await sql("update sessions set expires_at = now() - interval '1 second' where id = ?", [expired.sessionId]);
      await register();
      expect((await list('sessions', ada)).items.map((item) => item['id'])).to.deep.equal([ada.sessionId]);
    });

    it('is walked last seen first, ties broken by id, each session once, whatever the page', async () => {
      const person = await backend.current.person();
      await backend.current.sql("update sessions set last_seen = '2026-03-02T09:00:00Z' where id = ?", [person.sessionId]);
      const ids = [person.sessionId, ...await seen(person, [1, 1, 1, 2, 3])];
      const expected = (await backend.current.sql<{ id: string }>('select id from sessions where user_id = ? order by last_seen desc, id desc', [person.userId])).map(({ id }) => id);
      expect(new Set(expected)).to.deep.equal(new Set(ids));
      const walked: unknown[] = [];
      for (let query = '?limit=2'; query !== '';) {
        const { items, page } = await list('sessions', person, query);
        walked.push(...items.map((item) => item['id']));
        query = page.next_cursor === null ? '' : `?limit=2&cursor=${page.next_cursor}`;
      }
      expect(walked).to.deep.equal(expected);
      expect((await list('sessions', person, '?limit=2&offset=3')).items.map((item) => item['id'])).to.deep.equal(expected.slice(3, 5));
      const { page: { next_cursor: cursor } } = await list('sessions', person, '?limit=1');
      const elsewhere = await backend.current.http('GET', `/auth/devices?cursor=${String(cursor)}`, { headers: person.headers });
      expect(outcome(elsewhere)).to.equal('400 VALIDATION_ERROR');
    });

    it('costs two statements however many there are, one under a cursor', async () => {
      const person = await backend.current.person();
      await seen(person, Array.from({ length: 40 }, (_, index) => index));
      expect(await countStatements(() => backend.current.run('listSessions', person, { query: { limit: 20 } }))).to.equal(2);
      const { data } = await backend.current.run('listSessions', person, { query: { limit: 20 } });
      const cursor = data.page.next_cursor ?? '';
      expect(await countStatements(() => backend.current.run('listSessions', person, { query: { limit: 20, cursor } }))).to.equal(1);
    });
  });

  describe('the end of a session', () => {
    it('is at once that of its access token and refresh token, and of no other session\'s', async () => {
      const ada = await register();
      const other = await ada.login();
      expect(outcome(await end(ada, `/auth/sessions/${other.sessionId}`))).to.equal('204 ok');
      expect(await me(other)).to.equal('401 AUTH_INVALID');
      expect(outcome(await backend.current.http('POST', '/auth/refresh', { json: { refresh_token: other.refreshToken } }))).to.equal('401 AUTH_INVALID');
      expect(await me(ada)).to.equal('200 ok');
      expect(await audited(other.sessionId)).to.deep.include({ event_type: 'session.revoked', data: {} });
      expect(outcome(await end(ada, `/auth/sessions/${other.sessionId}`)), 'a second time').to.equal('404 NOT_FOUND');
    });

    it('may be that of the session which asks', async () => {
      const ada = await register();
      expect(outcome(await end(ada, `/auth/sessions/${ada.sessionId}`))).to.equal('204 ok');
      expect(await me(ada)).to.equal('401 AUTH_INVALID');
    });

    it('is nobody else\'s to ask for: a stranger\'s session is missing, to the byte', async () => {
      const [ada, eve] = [await register(), await register()];
      const strangers = await end(eve, `/auth/sessions/${ada.sessionId}`);
      const missing = await end(eve, `/auth/sessions/${newId()}`);
      expect([outcome(strangers), strangers.text]).to.deep.equal(['404 NOT_FOUND', missing.text]);
      expect(await me(ada)).to.equal('200 ok');
    });

    it('comes to all others at once, and leaves the one that asks', async () => {
      const ada = await register();
      const others = [await ada.login('phone'), await ada.login('tablet'), await ada.login()];
      expect(outcome(await end(ada, '/auth/sessions'))).to.equal('204 ok');
      for (const other of others) expect(await me(other)).to.equal('401 AUTH_INVALID');
      expect(await me(ada)).to.equal('200 ok');
      expect(await audited(ada.sessionId)).to.deep.include({ event_type: 'session.others_revoked', data: { sessions_ended: 3 } });
      expect(outcome(await end(ada, '/auth/sessions')), 'with none left').to.equal('204 ok');
    });

    it('holds at once after Redis was wiped, and for good when the marks are rebuilt', async () => {
      const ada = await register();
      const other = await ada.login();
      expect(await me(other)).to.equal('200 ok');
      await end(ada, '/auth/sessions');
      await backend.current.redis.redis.flushdb();
      for (let asked = 0; asked < 5; asked += 1) expect(await me(other)).to.equal('401 AUTH_INVALID');
      expect(await me(ada)).to.equal('200 ok');
    });

    it('ends the event streams that are open by it, at once', async () => {
      const person = await backend.current.person();
      const [other] = await seen(person, [1]);
      const { services, clock, url } = backend.current;
      const { token } = services.accessTokens.sign({ userId: person.userId, sessionId: other ?? '', tier: 'premium', authenticatedAtMs: clock.now() });
      const { data: { job } } = await request(backend.current, person, await backend.current.project(person), [sourceOf('index.js', newId())]);
      const open = (authorization: string): Promise<Response> =>
        fetch(`${url}/api/v1/preview/jobs/${job.id}/events`, { headers: { authorization }, signal: AbortSignal.timeout(10_000) });
      const [ending, staying] = [await open(`Bearer ${token}`), await open(person.headers.authorization)];
      expect([ending.status, staying.status]).to.deep.equal([200, 200]);
      let stays = true;
      const left = staying.text().then(() => { stays = false; }, () => undefined);
      expect(outcome(await end(person, `/auth/sessions/${other ?? ''}`))).to.equal('204 ok');
      // A credential is looked at again every 15 seconds by itself: this stream was told.
      await ending.text();
      expect(stays).to.equal(true);
      await backend.current.run('cancelPreviewJob', person, { path: { job_id: job.id } });
      await left;
    });

    it('takes four statements for one session and five for any number', async () => {
      const person = await backend.current.person();
      const [one] = await seen(person, Array.from({ length: 30 }, () => 1));
      expect(await countStatements(() => backend.current.run('revokeSession', person, { path: { session_id: one ?? '' } }))).to.be.at.most(4);
      expect(await countStatements(() => backend.current.run('revokeOtherSessions', person))).to.be.at.most(5);
    });
  });

  describe('ending all while somebody signs in', () => {
    it('leaves no session behind that was being opened before: one of the two is first', async () => {
      const ada = await register();
      const { database: { db }, sql, services } = backend.current;
      // A sign-in that has opened its session and has not committed yet.
      const signIn = await db.knex.transaction();
      const opened = newId();
      await signIn.raw('select id from users where id = (select user_id from sessions where id = ?) for no key update', [ada.sessionId]);
      await signIn('sessions').insert({ id: opened, user_id: signIn.raw('(select user_id from sessions where id = ?)', [ada.sessionId]), ip_address: '192.0.2.1' });
      const [row] = await sql<{ user_id: string }>('select user_id from sessions where id = ?', [ada.sessionId]);
      const caller = { kind: 'user', userId: row?.user_id ?? '', sessionId: ada.sessionId, tier: 'free', isVerified: true, authenticatedAtMs: Date.now() } as const;
      const ending = services.handlers.revokeOtherSessions({ path: {}, query: {}, headers: {}, body: undefined, stream: null, rawBody: null } as never, {
        requestId: newId(), operationId: 'revokeOtherSessions', caller, ip: '127.0.0.1', userAgent: '', signal: new AbortController().signal,
        policy: { allowed: false }, roles: null, idempotency: null, ifMatch: null,
      });
      await until('the end to wait for the sign-in', async () =>
        (await sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length === 1);
      await signIn.commit();
      await ending;
      expect(await sql('select revoked_at is not null as ended from sessions where id = ?', [opened])).to.deep.equal([{ ended: true }]);
    });
  });

  describe('devices', () => {
    it('are listed with their open sessions, and say which one asks', async () => {
      const ada = await register('phone');
      await ada.login('phone');
      await ada.login('tablet');
      await ada.login();
      const { items, page } = await list('devices', ada);
      expect(page.total).to.equal(2);
      expect(items.map(({ device_name, session_count, current }) => ({ device_name, session_count, current }))).to.have.deep.members([
        { device_name: 'Ada\'s phone', session_count: 2, current: true }, { device_name: 'Ada\'s tablet', session_count: 1, current: false },
      ]);
    });

    it('are forgotten with their sessions, and known again as new ones', async () => {
      const ada = await register();
      const [first, second] = [await ada.login('phone'), await ada.login('phone')];
      const [phone] = (await list('devices', ada)).items;
      expect(outcome(await end(ada, `/auth/devices/${String(phone?.['id'])}`))).to.equal('204 ok');
      for (const session of [first, second]) expect(await me(session)).to.equal('401 AUTH_INVALID');
      expect(await me(ada)).to.equal('200 ok');
      expect((await list('devices', ada)).items).to.deep.equal([]);
      expect(await audited(String(phone?.['id']))).to.deep.equal([
        { event_type: 'device.removed', data: { device_name: 'Ada\'s phone', platform: 'ios', sessions_ended: 2 } },
      ]);
      await ada.login('phone');
      const [again] = (await list('devices', ada)).items;
      expect(again?.['id']).not.to.equal(phone?.['id']);
    });

    it('are nobody else\'s to remove', async () => {
      const [ada, eve] = [await register('phone'), await register('laptop')];
      const [phone] = (await list('devices', ada)).items;
      const strangers = await end(eve, `/auth/devices/${String(phone?.['id'])}`);
      const missing = await end(eve, `/auth/devices/${newId()}`);
      expect([outcome(strangers), strangers.text]).to.deep.equal(['404 NOT_FOUND', missing.text]);
      expect(await me(ada)).to.equal('200 ok');
      expect((await list('devices', ada)).items).to.have.length(1);
    });
  });
});

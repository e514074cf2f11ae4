import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type Reply, useBackend } from '../../support/backend.ts';
import { countStatements, statementsOf } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

const password = 'forty bees in a garden';
const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;
const device = (name: string): Record<string, string> => ({ device_id: `installation-of-${name}`, name: `Ada's ${name}`, platform: 'ios' });

/** Where somebody signs in from, and on what. */
interface Where { readonly ip: string; readonly on?: string }

describe('suspicious sign-ins', () => {
  const backend = useBackend({ TRUSTED_PROXIES: '127.0.0.1' });
  const post = (path: string, { ip }: { readonly ip: string }, json: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
    backend.current.http('POST', path, { json, headers: { 'x-forwarded-for': ip, 'user-agent': 'tests of Ada', ...headers } });
  const bearer = (reply: Reply): { authorization: string } => ({ authorization: `Bearer ${String(reply.data['access_token'])}` });
  const body = ({ on }: Where): Record<string, unknown> => (on === undefined ? {} : { device: device(on) });

  interface Account { readonly username: string; readonly userId: string; readonly first: Reply }
  const register = async (where: Where): Promise<Account> => {
    const username = `ada${newId().slice(-10)}`;
    const first = await post('/auth/register', where, { email: `${username}@example.com`, username, password, ...body(where) });
    expect(outcome(first)).to.equal('201 ok');
    return { username, userId: (first.data['user'] as { id: string }).id, first };
  };
  const login = async ({ username }: Account, where: Where): Promise<Reply> => {
    const reply = await post('/auth/login', where, { username, password, ...body(where) });
    expect(outcome(reply)).to.equal('200 ok');
    return reply;
  };
  /** Null, or why the session of a sign-in is suspicious. */
  const reasonOf = async (reply: Reply): Promise<string | null> => {
    const [row] = await backend.current.sql<{ suspicious: boolean; suspicious_reason: string | null }>(
      'select suspicious, suspicious_reason from sessions where id = ?', [String(reply.data['session_id'])]);
    expect(row?.suspicious).to.equal(row?.suspicious_reason !== null);
    return row?.suspicious_reason ?? null;
  };

  describe('by a device and network that the account has not used', () => {
    it('do not begin with the first of an account', async () => {
      const ada = await register({ ip: '203.0.113.7', on: 'phone' });
      expect(await reasonOf(ada.first)).to.equal(null);
    });

    it('are told to the account, the audit and the operators, with what a person needs to judge', async () => {
      const ada = await register({ ip: '203.0.113.7', on: 'phone' });
      const reply = await login(ada, { ip: '198.51.100.9', on: 'laptop' });
      expect(await reasonOf(reply)).to.equal('new_device_and_network');
      const sessionId = reply.data['session_id'];
      const events = await backend.current.sql<{ topic: string; payload: { userId: string; data: unknown } }>(
        "select topic, payload from outbox where payload ->> 'entityId' = ? order by id", [String(sessionId)]);
      expect(events.map(({ topic, payload }) => ({ topic, userId: payload.userId, data: payload.data }))).to.deep.equal([
        {
          topic: 'session.suspicious', userId: ada.userId,
          data: { session_id: sessionId, reason: 'new_device_and_network', ip_address: '198.51.100.9', user_agent: 'tests of Ada', device_name: 'Ada\'s laptop' },
        },
        { topic: 'alert.raised', userId: ada.userId, data: { kind: 'suspicious_sign_in', session_id: sessionId, reason: 'new_device_and_network' } },
      ]);
      expect(await backend.current.sql("select data, host(ip_address) as ip from audit_logs where entity_id = ? and event_type = 'session.suspicious'", [String(sessionId)]))
        .to.deep.equal([{ data: { reason: 'new_device_and_network' }, ip: '198.51.100.9' }]);
      const listed = await backend.current.http('GET', '/auth/sessions', { headers: bearer(ada.first) });
      const shown = (listed.data['items'] as Record<string, unknown>[]).map(({ id, suspicious }) => ({ id, suspicious }));
      expect(shown).to.have.deep.members([{ id: ada.first.data['session_id'], suspicious: false }, { id: sessionId, suspicious: true }]);
    });

    it('are logged for the operators by the outbox, without a secret', async () => {
      const ada = await register({ ip: '203.0.113.7' });
      const reply = await login(ada, { ip: '198.51.100.10' });
      const [row] = await backend.current.sql<{ payload: never }>("select payload from outbox where topic = 'alert.raised' and payload ->> 'entityId' = ?", [String(reply.data['session_id'])]);
      if (row === undefined) throw new Error('There is no event.');
      await backend.current.services.consumers.get('alert.raised')?.(row.payload);
      const line = backend.current.logLines.find((one) => one.includes('alert.suspicious_sign_in') && one.includes(String(reply.data['session_id'])));
      expect(line).to.contain('new_device_and_network');
      expect(JSON.stringify(row.payload)).not.to.contain(String(reply.data['refresh_token']));
    });

    it('are none from a known network, whatever the device, nor on a known device, wherever it is', async () => {
      const ada = await register({ ip: '203.0.113.7', on: 'phone' });
      expect(await reasonOf(await login(ada, { ip: '203.0.113.200', on: 'laptop' })), 'the same /24').to.equal(null);
      expect(await reasonOf(await login(ada, { ip: '203.0.113.8' })), 'no device').to.equal(null);
      expect(await reasonOf(await login(ada, { ip: '198.51.100.1', on: 'phone' })), 'the phone abroad').to.equal(null);
      expect(await reasonOf(await login(ada, { ip: '198.51.100.2', on: 'another' })), 'where the phone was').to.equal(null);
      expect(await reasonOf(await login(ada, { ip: '192.0.2.1' })), 'neither').to.equal('new_device_and_network');
    });

    it('know an IPv6 network by its /48', async () => {
      const ada = await register({ ip: '2001:db8:7:1::5' });
      expect(await reasonOf(await login(ada, { ip: '2001:db8:7:9::1' }))).to.equal(null);
      expect(await reasonOf(await login(ada, { ip: '2001:db8:8:1::5' }))).to.equal('new_device_and_network');
    });

    it('are known the next time, unless the person has ended them', async () => {
      const ada = await register({ ip: '203.0.113.7', on: 'phone' });
      const travel: Where = { ip: '198.51.100.9', on: 'laptop' };
      expect(await reasonOf(await login(ada, travel))).to.equal('new_device_and_network');
      expect(await reasonOf(await login(ada, travel)), 'again').to.equal(null);
      const stranger: Where = { ip: '192.0.2.77', on: 'machine-of-eve' };
      const theft = await login(ada, stranger);
      expect(await reasonOf(theft)).to.equal('new_device_and_network');
      expect(outcome(await backend.current.http('DELETE', `/auth/sessions/${String(theft.data['session_id'])}`, { headers: bearer(ada.first) }))).to.equal('204 ok');
      expect(await reasonOf(await login(ada, stranger)), 'the stranger again').to.equal('new_device_and_network');
    });

    it('count an account that was quiet for so long that its sessions are swept', async () => {
      const ada = await register({ ip: '203.0.113.7', on: 'phone' });
      await backend.current.sql('delete from refresh_tokens where session_id in (select id from sessions where user_id = ?)', [ada.userId]);
      await backend.current.sql('delete from sessions where user_id = ?', [ada.userId]);
      expect(await reasonOf(await login(ada, { ip: '198.51.100.3', on: 'phone' })), 'its device is still known').to.equal(null);
      await backend.current.sql('delete from refresh_tokens where session_id in (select id from sessions where user_id = ?)', [ada.userId]);
      await backend.current.sql('delete from sessions where user_id = ?', [ada.userId]);
      expect(await reasonOf(await login(ada, { ip: '198.51.100.4', on: 'laptop' }))).to.equal('new_device_and_network');
    });

    it('are another account\'s matter: what one has used is new to the other', async () => {
      await register({ ip: '198.51.100.9', on: 'laptop' });
      const ben = await register({ ip: '203.0.113.7', on: 'phone' });
      expect(await reasonOf(await login(ben, { ip: '198.51.100.9', on: 'laptop' }))).to.equal('new_device_and_network');
    });
  });

  describe('after many failures', () => {
    const fail = async (account: Account, times: number): Promise<void> => {
      for (let time = 0; time < times; time += 1) {
        // From addresses of their own: the limit of five a minute is another matter.
        const reply = await post('/auth/login', { ip: `192.0.2.${time + 1}` }, { username: account.username, password: 'a guess at the password' });
        expect(outcome(reply)).to.equal('401 AUTH_INVALID');
      }
    };

    it('are marked from the fifth on, also on a known device', async () => {
      const ada = await register({ ip: '203.0.113.7', on: 'phone' });
      await fail(ada, 4);
      expect(await reasonOf(await login(ada, { ip: '203.0.113.7', on: 'phone' }))).to.equal(null);
      await fail(ada, 5);
      expect(await reasonOf(await login(ada, { ip: '203.0.113.7', on: 'phone' }))).to.equal('many_failures');
      expect(await reasonOf(await login(ada, { ip: '203.0.113.7', on: 'phone' })), 'since that success').to.equal(null);
    });
  });

  describe('by ways without a password', () => {
    it('are marked where a session token is used on a strange device in a strange network, and not where it was asked for', async () => {
      const ada = await register({ ip: '203.0.113.7', on: 'phone' });
      const token = async (): Promise<string> => {
        const reply = await backend.current.http('POST', '/auth/session-tokens', { headers: { 'x-forwarded-for': '203.0.113.7', ...bearer(ada.first) } });
        return String(reply.data['token']);
      };
      const here = await post('/auth/session-tokens/consume', { ip: '203.0.113.7' }, { token: await token(), device: device('browser') });
      expect(await reasonOf(here)).to.equal(null);
      const elsewhere = await post('/auth/session-tokens/consume', { ip: '198.51.100.9' }, { token: await token(), device: device('thief') });
      expect(await reasonOf(elsewhere)).to.equal('new_device_and_network');
    });

    it('are no matter of a linked device: its person has seen where it is', async () => {
      const ada = await register({ ip: '203.0.113.7', on: 'phone' });
      const link = await post('/auth/device-links', { ip: '198.51.100.9' }, { client_name: 'Television', device: device('television') });
      await backend.current.http('POST', `/auth/device-links/${String(link.data['user_code'])}/approve`, { headers: { 'x-forwarded-for': '203.0.113.7', ...bearer(ada.first) } });
      const linked = await post('/auth/device-links/token', { ip: '198.51.100.9' }, { device_code: link.data['device_code'] });
      expect(outcome(linked)).to.equal('200 ok');
      expect(await reasonOf(linked)).to.equal(null);
    });
  });

  describe('what a sign-in costs', () => {
    const trying = async (name: string, guess: string): Promise<string[]> =>
      statementsOf(() => post('/auth/login', { ip: `10.${Math.floor(Math.random() * 250)}.0.1` }, { username: name, password: guess }));

    it('is the same statements for an unknown account as for a wrong password', async () => {
      const ada = await register({ ip: '203.0.113.7' });
      const wrong = await trying(ada.username, 'another phrase of mine');
      const unknown = await trying(`nobody${newId().slice(-8)}`, 'another phrase of mine');
      expect(wrong).to.have.length(1);
      expect(unknown).to.deep.equal(wrong);
    });

    it('is eight statements with the right password, nine with a device', async () => {
      const ada = await register({ ip: '203.0.113.7' });
      expect(await countStatements(() => login(ada, { ip: '203.0.113.7' }))).to.be.at.most(8);
      expect(await countStatements(() => login(ada, { ip: '203.0.113.7', on: 'phone' }))).to.be.at.most(9);
    });
  });

  it('by a password that was changed while it was compared does not come about', async () => {
    const ada = await register({ ip: '203.0.113.7' });
    const { database: { db } } = backend.current;
    const changing = await db.knex.transaction();
    await changing('users').where({ id: ada.userId }).update({ password_hash: 'another' });
    await changing('sessions').where({ user_id: ada.userId }).update({ revoked_at: changing.fn.now() });
    const trying = post('/auth/login', { ip: '203.0.113.7' }, { username: ada.username, password });
    // The sign-in has compared the old hash and waits for the row of the account.
    await until('the sign-in to wait', async () =>
      (await backend.current.sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length === 1);
    await changing.commit();
    expect(outcome(await trying)).to.equal('401 AUTH_INVALID');
    expect(await backend.current.sql('select from sessions where user_id = ? and revoked_at is null', [ada.userId])).to.deep.equal([]);
  });
});

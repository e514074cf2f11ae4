import { expect } from 'chai';
import { sentinelKey } from '#http/gate/marks.ts';
import { newId } from '#platform/ids.ts';
import { type Reply, useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

const password = 'forty bees in a garden';
const phone = { device_id: 'phone-of-ada', name: 'Ada\'s phone', platform: 'ios' };

describe('auth', () => {
  const backend = useBackend();
  const post = (path: string, json: unknown, headers: Record<string, string> = {}): Promise<Reply> => backend.current.http('POST', path, { json, headers });
  const bearer = (token: unknown): Record<string, string> => ({ authorization: `Bearer ${String(token)}` });
  const me = (token: unknown): Promise<Reply> => backend.current.http('GET', '/users/me', { headers: bearer(token) });
  const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;
  const newName = (): string => `ada${newId().slice(-10)}`;

  interface Account { readonly username: string; readonly email: string; readonly tokens: Record<string, unknown>; readonly sessionId: string }
  const register = async (more: Record<string, unknown> = {}): Promise<Account> => {
    const username = newName();
    const email = `${username}@Example.com`;
    const reply = await post('/auth/register', { email, username, password, ...more });
    expect(outcome(reply)).to.equal('201 ok');
    return { username, email, tokens: reply.data, sessionId: String(reply.data['session_id']) };
  };

  describe('registering', () => {
    it('makes an account that is signed in, whose password nobody can read', async () => {
      const { tokens, username, email } = await register({ display_name: 'Ada Park' });
      expect(tokens['user']).to.include({ username, email, display_name: 'Ada Park', tier: 'free', email_verified_at: null, mfa_enabled: false });
      expect(tokens).to.include({ token_type: 'Bearer', expires_in: 900 });
      const reply = await me(tokens['access_token']);
      expect([reply.status, reply.data['username']]).to.deep.equal([200, username]);
      expect(reply.data).to.deep.equal(tokens['user']);
      const [row] = await backend.current.sql<{ password_hash: string }>('select password_hash from users where username = ?', [username]);
      expect(row?.password_hash).to.match(/^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
    });

    it('names the field that is taken, whatever the case it is written in', async () => {
      const { username, email } = await register();
      const byEmail = await post('/auth/register', { email: email.toUpperCase(), username: newName(), password });
      expect([outcome(byEmail), byEmail.error?.details]).to.deep.equal(['409 CONFLICT', { field: 'email' }]);
      const byName = await post('/auth/register', { email: `${newName()}@example.com`, username: username.toUpperCase(), password });
      expect([outcome(byName), byName.error?.details]).to.deep.equal(['409 CONFLICT', { field: 'username' }]);
    });

    it('lets one of several at the same moment have the name', async () => {
      const username = newName();
      const replies = await Promise.all([1, 2, 3, 4].map((one) => post('/auth/register', { email: `${username}${one}@example.com`, username, password })));
      expect(replies.map(outcome).sort()).to.deep.equal(['201 ok', '409 CONFLICT', '409 CONFLICT', '409 CONFLICT']);
      expect(await backend.current.sql('select count(*) as made from users where username = ?', [username])).to.deep.equal([{ made: 1 }]);
    });

    it('refuses a password that others would guess, and keeps nothing of the try', async () => {
      const username = newName();
      for (const weak of ['password1234', 'abcabcabcabc', 'qwertyuiopas', `${username}2026`]) {
        const reply = await post('/auth/register', { email: `${username}@example.com`, username, password: weak });
        expect([outcome(reply), (reply.error?.details as { pointer: string; rule: string }[])[0]], weak).to.deep.equal(
          ['400 VALIDATION_ERROR', { pointer: '#/body/password', message: 'is a common password', rule: 'common_password' }]);
      }
      expect(await backend.current.sql('select id from users where username = ?', [username])).to.deep.equal([]);
    });
  });

  describe('signing in', () => {
    it('works by email and by username, whatever the case, and remembers the device', async () => {
      const { username, email } = await register();
      for (const name of [{ email: email.toLowerCase() }, { username: username.toUpperCase() }]) {
        expect(outcome(await post('/auth/login', { ...name, password, device: phone }))).to.equal('200 ok');
      }
      const devices = await backend.current.sql('select device_name, platform from device_sessions d join users u on u.id = d.user_id where u.username = ?', [username]);
      expect(devices).to.deep.equal([{ device_name: 'Ada\'s phone', platform: 'ios' }]);
    });

    it('answers an unknown account as it does a wrong password, to the byte', async () => {
      const { username } = await register();
      const wrong = await post('/auth/login', { username, password: 'another phrase of mine' });
      const unknown = await post('/auth/login', { username: newName(), password: 'another phrase of mine' });
      const mail = await post('/auth/login', { email: `${newName()}@example.com`, password: 'another phrase of mine' });
      expect(outcome(wrong)).to.equal('401 AUTH_INVALID');
      expect([unknown.status, unknown.text]).to.deep.equal([wrong.status, wrong.text]);
      expect([mail.status, mail.text]).to.deep.equal([wrong.status, wrong.text]);
    });

    it('tells a suspended account why, but only after its password', async () => {
      const { username, tokens } = await register();
      await backend.current.sql('update users set suspended_at = now() where username = ?', [username]);
      backend.current.clock.advance(3_000);
      const reply = await post('/auth/login', { username, password });
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { reason: 'suspended' }]);
      expect(outcome(await post('/auth/login', { username, password: 'another phrase of mine' }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await me(tokens['access_token']))).to.equal('403 FORBIDDEN');
      expect(outcome(await post('/auth/refresh', { refresh_token: tokens['refresh_token'] }))).to.equal('401 AUTH_INVALID');
    });

    it('knows no account that was deleted', async () => {
      const { username, tokens } = await register();
      await backend.current.sql('update users set deleted_at = now() where username = ?', [username]);
      expect(outcome(await post('/auth/login', { username, password }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await post('/auth/refresh', { refresh_token: tokens['refresh_token'] }))).to.equal('401 AUTH_INVALID');
    });
  });

  describe('refreshing', () => {
    const refresh = (token: unknown, device?: string): Promise<Reply> =>
      post('/auth/refresh', { refresh_token: token, ...(device === undefined ? {} : { device_id: device }) });
    const session = async (id: string): Promise<Record<string, unknown> | undefined> =>
      (await backend.current.sql('select suspicious, revoked_at is not null as ended from sessions where id = ?', [id]))[0];

    it('rotates: a new pair in the same session, of which no token stands in the database', async () => {
      const { tokens, sessionId } = await register();
      const reply = await refresh(tokens['refresh_token']);
      expect(reply.data['session_id']).to.equal(sessionId);
      expect(reply.data['refresh_token']).not.to.equal(tokens['refresh_token']);
      expect(outcome(await me(reply.data['access_token']))).to.equal('200 ok');
      expect(outcome(await refresh(reply.data['refresh_token']))).to.equal('200 ok');
      const rows = JSON.stringify(await backend.current.sql('select * from refresh_tokens where session_id = ?', [sessionId]));
      expect(rows).not.to.contain(String(tokens['refresh_token']).slice(4));
    });

    it('ends the family and the session when a used token comes again after the grace, and marks it', async () => {
      const { tokens, sessionId } = await register({ device: phone });
      const next = await refresh(tokens['refresh_token'], 'phone-of-ada');
      backend.current.clock.advance(10_001);
      expect(outcome(await refresh(tokens['refresh_token'], 'phone-of-ada'))).to.equal('401 AUTH_INVALID');
      expect(await session(sessionId)).to.deep.equal({ suspicious: true, ended: true });
      expect(outcome(await refresh(next.data['refresh_token'], 'phone-of-ada'))).to.equal('401 AUTH_INVALID');
      expect(outcome(await me(next.data['access_token']))).to.equal('401 AUTH_INVALID');
      expect(outcome(await me(tokens['access_token']))).to.equal('401 AUTH_INVALID');
      const events = await backend.current.sql("select topic from outbox where payload ->> 'entityId' = ? order by topic", [sessionId]);
      expect(events).to.deep.equal([{ topic: 'alert.raised' }, { topic: 'session.revoked' }, { topic: 'session.suspicious' }]);
      expect(await backend.current.sql("select data from audit_logs where entity_id = ? and event_type = 'session.suspicious'", [sessionId]))
        .to.deep.equal([{ data: { reason: 'refresh_token_reused' } }]);
    });

    it('answers the same device within the grace with the same successor, and another device with the end', async () => {
      const { tokens, sessionId } = await register({ device: phone });
      const first = await refresh(tokens['refresh_token'], 'phone-of-ada');
      backend.current.clock.advance(9_000);
      const again = await refresh(tokens['refresh_token'], 'phone-of-ada');
      expect(again.data['refresh_token']).to.equal(first.data['refresh_token']);
      expect(await session(sessionId)).to.deep.equal({ suspicious: false, ended: false });
      expect(outcome(await refresh(tokens['refresh_token'], 'phone-of-eve'))).to.equal('401 AUTH_INVALID');
      expect(await session(sessionId)).to.deep.equal({ suspicious: true, ended: true });
    });

    it('gives fifty at once of one device one successor', async () => {
      const { tokens, sessionId } = await register({ device: phone });
      const replies = await Promise.all(Array.from({ length: 50 }, () => refresh(tokens['refresh_token'], 'phone-of-ada')));
      expect(new Set(replies.map(outcome))).to.deep.equal(new Set(['200 ok']));
      expect(new Set(replies.map((reply) => reply.data['refresh_token'])).size).to.equal(1);
      expect(await backend.current.sql('select count(*) as tokens from refresh_tokens where session_id = ?', [sessionId])).to.deep.equal([{ tokens: 2 }]);
    });

    it('lets one of fifty at once without a device through, and takes the rest for theft', async () => {
      const { tokens, sessionId } = await register();
      const replies = await Promise.all(Array.from({ length: 50 }, () => refresh(tokens['refresh_token'])));
      expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
      expect(await backend.current.sql('select count(*) as tokens from refresh_tokens where session_id = ?', [sessionId])).to.deep.equal([{ tokens: 2 }]);
      expect(await session(sessionId)).to.deep.equal({ suspicious: true, ended: true });
    });

    it('ends after thirty days in which nobody came', async () => {
      const { tokens, sessionId } = await register();
      await backend.current.sql("update refresh_tokens set expires_at = now() - interval '1 day' where session_id = ?", [sessionId]);
      expect(outcome(await refresh(tokens['refresh_token']))).to.equal('401 AUTH_EXPIRED');
      expect(await session(sessionId)).to.deep.equal({ suspicious: false, ended: false });
    });

    it('knows no token that it did not make', async () => {
      const { tokens } = await register();
      const made = String(tokens['refresh_token']);
      const other = `${made.slice(0, -4)}${made.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
      expect(outcome(await refresh(other))).to.equal('401 AUTH_INVALID');
    });
  });

  describe('signing out', () => {
    const logout = (token: unknown): Promise<Reply> => backend.current.http('POST', '/auth/logout', { headers: bearer(token) });

    it('refuses the access token from the next request on, and the refresh token', async () => {
      const { tokens } = await register();
      expect(outcome(await me(tokens['access_token']))).to.equal('200 ok');
      expect((await logout(tokens['access_token'])).status).to.equal(204);
      expect(outcome(await me(tokens['access_token']))).to.equal('401 AUTH_INVALID');
      expect(outcome(await post('/auth/refresh', { refresh_token: tokens['refresh_token'] }))).to.equal('401 AUTH_INVALID');
    });

    it('ends this session alone', async () => {
      const { username, tokens } = await register();
      const other = await post('/auth/login', { username, password });
      await logout(tokens['access_token']);
      expect(outcome(await me(other.data['access_token']))).to.equal('200 ok');
    });

    it('holds after Redis was wiped', async () => {
      const { tokens } = await register();
      await logout(tokens['access_token']);
      await backend.current.redis.redis.flushdb();
      for (let asked = 0; asked < 3; asked += 1) expect(outcome(await me(tokens['access_token']))).to.equal('401 AUTH_INVALID');
    });

    it('holds while Redis is away, and from the first request on when it is back', async () => {
      const { redis: { redis } } = backend.current;
      const { tokens, sessionId } = await register();
      const stays = await register();
      expect(outcome(await me(tokens['access_token']))).to.equal('200 ok');
      // From here on the gate believes what Redis says of revocations.
      await until('the marks to be whole', async () => (await redis.exists(sentinelKey)) === 1);
      redis.disconnect();
      try {
        expect((await logout(tokens['access_token'])).status).to.equal(204);
        expect(outcome(await me(tokens['access_token']))).to.equal('401 AUTH_INVALID');
        expect(outcome(await me(stays.tokens['access_token']))).to.equal('200 ok');
      } finally {
        await redis.connect();
      }
      expect(outcome(await me(tokens['access_token']))).to.equal('401 AUTH_INVALID');
      // Told without the outbox, whose relay does not run here.
      await until('Redis to know', async () => (await redis.exists(`revoked:${sessionId}`)) === 1);
      expect(outcome(await me(tokens['access_token']))).to.equal('401 AUTH_INVALID');
      expect(outcome(await me(stays.tokens['access_token']))).to.equal('200 ok');
    });

    it('reaches Redis by the outbox, where the process died before it could say so', async () => {
      const { redis: { redis }, services, sql } = backend.current;
      const { tokens, sessionId } = await register();
      await logout(tokens['access_token']);
      await redis.del(`revoked:${sessionId}`);
      const [row] = await sql<{ payload: { entityId: string; type: string; data: Record<string, unknown> } }>(
        "select payload from outbox where topic = 'session.revoked' and payload ->> 'entityId' = ?", [sessionId]);
      if (row === undefined) throw new Error('There is no event.');
      await services.consumers.get('session.revoked')?.(row.payload);
      await services.consumers.get('session.revoked')?.(row.payload);
      expect(await redis.exists(`revoked:${sessionId}`)).to.equal(1);
    });
  });
});

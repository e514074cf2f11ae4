import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;
const browser = { device_id: 'browser-of-ada', name: 'Ada\'s browser', platform: 'web' };

describe('one-time session tokens', () => {
  const backend = useBackend();
  const ask = async (by: Pick<Person, 'headers'>): Promise<string> => {
    const reply = await backend.current.http('POST', '/auth/session-tokens', { headers: by.headers });
    expect(outcome(reply)).to.equal('200 ok');
    return String(reply.data['token']);
  };
  const consume = (token: string, more: Record<string, unknown> = {}): Promise<Reply> =>
    backend.current.http('POST', '/auth/session-tokens/consume', { json: { token, ...more } });
  const claims = (reply: Reply): Record<string, unknown> =>
    JSON.parse(Buffer.from(String(reply.data['access_token']).split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;

  it('sign in once, to a session of its own with its own device, and say so in the audit', async () => {
    const ada = await backend.current.person();
    const made = await backend.current.http('POST', '/auth/session-tokens', { headers: ada.headers });
    expect(made.data).to.include({ expires_in: 90 });
    expect(made.headers.get('cache-control')).to.contain('no-store');
    const reply = await consume(String(made.data['token']), { device: browser });
    expect(outcome(reply)).to.equal('200 ok');
    expect(reply.data['session_id']).not.to.equal(ada.sessionId);
    expect((reply.data['user'] as { id: string }).id).to.equal(ada.userId);
    const mine = await backend.current.http('GET', '/users/me', { headers: { authorization: `Bearer ${String(reply.data['access_token'])}` } });
    expect(outcome(mine)).to.equal('200 ok');
    const audited = await backend.current.sql<{ event_type: string; data: unknown }>(
      "select event_type, data from audit_logs where user_id = ? and entity_type = 'session_token' order by id", [ada.userId]);
    expect(audited).to.deep.equal([
      { event_type: 'session_token.created', data: {} },
      { event_type: 'session_token.consumed', data: { session_id: reply.data['session_id'], issued_by: ada.sessionId } },
    ]);
    expect(outcome(await consume(String(made.data['token'])))).to.equal('401 AUTH_INVALID');
  });

  it('stand nowhere in the database', async () => {
    const ada = await backend.current.person();
    const token = await ask(ada);
    const rows = await backend.current.sql("select session_tokens::text as it from session_tokens union all select audit_logs::text from audit_logs union all select outbox::text from outbox");
    expect(JSON.stringify(rows)).not.to.contain(token);
    expect(await backend.current.sql("select encode(token_hash, 'hex') as hash from session_tokens where token_hash = sha256(?)", [Buffer.from(token)])).to.have.length(1);
  });

  it('give their tokens to exactly one of fifty at once', async () => {
    const ada = await backend.current.person();
    const token = await ask(ada);
    const replies = await Promise.all(Array.from({ length: 50 }, () => consume(token)));
    expect(replies.map(outcome).sort()).to.deep.equal(['200 ok', ...Array<string>(49).fill('401 AUTH_INVALID')]);
    expect(await backend.current.sql('select count(*) as opened from sessions where user_id = ?', [ada.userId])).to.deep.equal([{ opened: 2 }]);
  });

  it('are answered alike, to the byte, when unknown, used, too old, or of a session or account that ended', async () => {
    const { sql } = backend.current;
    const unknown = await consume('A'.repeat(43));
    expect(outcome(unknown)).to.equal('401 AUTH_INVALID');
    const spoil: Record<string, (ada: Person, token: string) => Promise<unknown>> = {
      used: (_ada, token) => consume(token),
      old: (ada) => sql("update session_tokens set expires_at = now() - interval '1 millisecond' where user_id = ?", [ada.userId]),
      signedOut: (ada) => backend.current.http('POST', '/auth/logout', { headers: ada.headers }),
      ranOut: (ada) => sql("update sessions set expires_at = now() - interval '1 second' where id = ?", [ada.sessionId]),
      suspended: (ada) => sql('update users set suspended_at = now() where id = ?', [ada.userId]),
      deleted: (ada) => sql('update users set deleted_at = now() where id = ?', [ada.userId]),
    };
    for (const [how, happens] of Object.entries(spoil)) {
      const ada = await backend.current.person();
      const token = await ask(ada);
      await happens(ada, token);
      const reply = await consume(token);
      expect([reply.status, reply.text], how).to.deep.equal([unknown.status, unknown.text]);
    }
  });

  it('last ninety seconds', async () => {
    const ada = await backend.current.person();
    await ask(ada);
    const [row] = await backend.current.sql<{ seconds: number }>('select extract(epoch from expires_at - created_at)::float8 as seconds from session_tokens where user_id = ?', [ada.userId]);
    expect(row?.seconds).to.be.closeTo(90, 0.01);
  });

  it('make no old sign-in recent: the new session is as old as the one it comes of, and stays so when refreshed', async () => {
    const ada = await backend.current.person();
    const twoHoursAgo = Math.floor(Date.now() / 1000) - 7_200;
    await backend.current.sql('update sessions set authenticated_at = to_timestamp(?) where id = ?', [twoHoursAgo, ada.sessionId]);
    const reply = await consume(await ask(ada));
    expect(claims(reply)['auth_time']).to.equal(twoHoursAgo);
    const refreshed = await backend.current.http('POST', '/auth/refresh', { json: { refresh_token: reply.data['refresh_token'] } });
    expect(claims(refreshed)['auth_time']).to.equal(twoHoursAgo);
  });

  it('open no session beside an end of all sessions that began before', async () => {
    const { database: { db }, sql } = backend.current;
    const ada = await backend.current.person();
    const token = await ask(ada);
    // Somebody ends all access of the account and has not committed yet.
    const ending = await db.knex.transaction();
    await ending('users').where({ id: ada.userId }).forNoKeyUpdate().select('id');
    await ending('sessions').where({ user_id: ada.userId }).update({ revoked_at: ending.fn.now() });
    const consuming = consume(token);
    await until('the sign-in to wait for the end', async () =>
      (await sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length === 1);
    await ending.commit();
    expect(outcome(await consuming)).to.equal('401 AUTH_INVALID');
    expect(await sql('select from sessions where user_id = ? and revoked_at is null', [ada.userId])).to.deep.equal([]);
  });

  it('are answered again under the same Idempotency-Key, and are still good once', async () => {
    const ada = await backend.current.person();
    const headers = { ...ada.headers, 'idempotency-key': `key-${newId()}` };
    const [first, again] = [await backend.current.http('POST', '/auth/session-tokens', { headers }), await backend.current.http('POST', '/auth/session-tokens', { headers })];
    expect(again.text).to.equal(first.text);
    expect(await backend.current.sql('select count(*) as made from session_tokens where user_id = ?', [ada.userId])).to.deep.equal([{ made: 1 }]);
  });
});

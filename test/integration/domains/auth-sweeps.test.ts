import { expect } from 'chai';
import { authSweeps } from '#domains/auth/sweeps.ts';
import { sha256 } from '#platform/crypto.ts';
import { newId } from '#platform/ids.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';

describe('what signing in leaves behind', () => {
  const backend = useBackend();
  const sweep = async (name: string): Promise<number> => {
    const found = authSweeps(backend.current.database.db).find((one) => one.name === name);
    if (found === undefined) throw new Error(`There is no sweep ${name}.`);
    return found.run(new AbortController().signal);
  };
  const ago = (interval: string): unknown => backend.current.database.db.knex.raw(`now() - interval '${interval}'`);
  const left = async (table: string, ids: readonly string[]): Promise<number[]> => {
    const rows = await backend.current.sql<{ id: string }>(`select id from ${table} where id = any(?)`, [ids]);
    return ids.flatMap((id, at) => (rows.some((row) => row.id === id) ? [at] : []));
  };
  const session = async (person: Person, more: Record<string, unknown> = {}): Promise<string> => {
    const id = newId();
    await backend.current.database.db.knex('sessions').insert({ id, user_id: person.userId, ip_address: '192.0.2.1', ...more });
    return id;
  };
  const insert = async (table: string, row: Record<string, unknown>): Promise<string> => {
    const id = newId();
    await backend.current.database.db.knex(table).insert({ id, ...row });
    return id;
  };

  it('is scheduled, each by a name of its own', () => {
    const names = authSweeps(backend.current.database.db).map(({ name }) => `sweep.${name}`);
    expect(backend.current.services.schedules.map(({ name }) => name)).to.include.members(names);
  });

  it('goes a day after it expired: one-time tokens and device links', async () => {
    const ada = await backend.current.person();
    const token = (expires: string): Promise<string> =>
      insert('session_tokens', { user_id: ada.userId, session_id: ada.sessionId, token_hash: sha256(newId()), expires_at: ago(expires) });
    const link = (expires: string): Promise<string> =>
      insert('device_links', { client_name: 'A', ip_address: '192.0.2.1', device_code_hash: sha256(newId()), user_code_hash: sha256(newId()), expires_at: ago(expires) });
    const tokens = [await token('25 hours'), await token('23 hours'), await token('-90 seconds')];
    const links = [await link('25 hours'), await link('23 hours'), await link('-900 seconds')];
    expect([await sweep('session_tokens'), await sweep('device_links')]).to.deep.equal([1, 1]);
    expect([await left('session_tokens', tokens), await left('device_links', links)]).to.deep.equal([[1, 2], [1, 2]]);
  });

  it('keeps refresh tokens while a second use has to be known by them', async () => {
    const ada = await backend.current.person();
    const ended = await session(ada, { revoked_at: ago('25 hours') });
    const justEnded = await session(ada, { revoked_at: ago('23 hours') });
    const token = (of: string, counter: number, used: boolean, expires: string): Promise<string> => insert('refresh_tokens', {
      session_id: of, family: of, counter, token_hash: sha256(newId()), expires_at: ago(expires), ...(used ? { used_at: ago('40 days') } : {}),
    });
    const tokens = [
      await token(ada.sessionId, 0, true, '25 hours'),
      await token(ada.sessionId, 1, true, '-1 hour'),
      await token(ada.sessionId, 2, false, '-30 days'),
      await token(ended, 0, true, '-1 hour'),
      await token(ended, 1, false, '-30 days'),
      await token(justEnded, 0, false, '-30 days'),
      await token(await session(ada, { expires_at: ago('10 days') }), 0, false, '10 days'),
    ];
    expect(await sweep('refresh_tokens')).to.equal(3);
    expect(await left('refresh_tokens', tokens)).to.deep.equal([1, 2, 5, 6]);
  });

  it('takes sessions ninety days after their end, with all that hangs on them, and no device', async () => {
    const ada = await backend.current.person();
    const deviceId = await insert('device_sessions', { user_id: ada.userId, device_id: 'a-device', device_name: 'A', platform: 'web' });
    const sessions = [
      await session(ada, { revoked_at: ago('91 days'), device_session_id: deviceId }),
      await session(ada, { expires_at: ago('91 days') }),
      await session(ada, { revoked_at: ago('89 days') }),
      await session(ada, { expires_at: ago('89 days') }),
      ada.sessionId,
    ];
    for (const [counter, of] of sessions.entries()) {
      await insert('refresh_tokens', { session_id: of, family: of, counter, token_hash: sha256(newId()), expires_at: ago('1 day') });
      await insert('session_tokens', { user_id: ada.userId, session_id: of, token_hash: sha256(newId()), expires_at: ago('1 day') });
    }
    const link = await insert('device_links', {
      client_name: 'A', ip_address: '192.0.2.1', device_code_hash: sha256(newId()), user_code_hash: sha256(newId()), expires_at: ago('1 hour'),
      status: 'approved', user_id: ada.userId, session_id: sessions[0], authenticated_at: ago('100 days'), decided_at: ago('1 hour'),
    });
    expect(await sweep('sessions')).to.equal(2);
    expect(await left('sessions', sessions)).to.deep.equal([2, 3, 4]);
    expect(await left('device_sessions', [deviceId])).to.deep.equal([0]);
    expect(await backend.current.sql('select session_id, status from device_links where id = ?', [link])).to.deep.equal([{ session_id: null, status: 'approved' }]);
  });

  it('leaves a session that lives on to be ended by a token used so long ago that its row is swept', async () => {
    const { sql, http } = backend.current;
    const username = `ada${newId().slice(-10)}`;
    const registered = await http('POST', '/auth/register', { json: { email: `${username}@example.com`, username, password: 'forty bees in a garden' } });
    const refresh = (token: unknown): Promise<Reply> => http('POST', '/auth/refresh', { json: { refresh_token: token } });
    const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;
    const first = registered.data['refresh_token'];
    const second = await refresh(first);
    await sql("update refresh_tokens set expires_at = now() - interval '2 days', used_at = now() - interval '32 days' where token_hash = ?", [sha256(String(first))]);
    await sweep('refresh_tokens');
    expect(await sql('select from refresh_tokens where token_hash = ?', [sha256(String(first))])).to.deep.equal([]);
    expect(outcome(await refresh(first))).to.equal('401 AUTH_INVALID');
    expect(outcome(await refresh(second.data['refresh_token']))).to.equal('401 AUTH_INVALID');
    expect(await sql('select suspicious_reason, revoked_at is not null as ended from sessions where id = ?', [String(registered.data['session_id'])]))
      .to.deep.equal([{ suspicious_reason: 'refresh_token_reused', ended: true }]);
  });

  it('leaves it be where the token is none that we made', async () => {
    const { sql, http } = backend.current;
    const username = `ada${newId().slice(-10)}`;
    const registered = await http('POST', '/auth/register', { json: { email: `${username}@example.com`, username, password: 'forty bees in a garden' } });
    const token = String(registered.data['refresh_token']);
    // The family and counter of a real one, and another end.
    const forged = `${token.slice(0, 31)}${'A'.repeat(43)}`;
    expect((await http('POST', '/auth/refresh', { json: { refresh_token: forged } })).status).to.equal(401);
    expect(await sql('select revoked_at is not null as ended from sessions where id = ?', [String(registered.data['session_id'])])).to.deep.equal([{ ended: false }]);
    expect((await http('POST', '/auth/refresh', { json: { refresh_token: token } })).status).to.equal(200);
  });
});

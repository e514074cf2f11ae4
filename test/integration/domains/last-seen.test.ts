import { expect } from 'chai';
import { LastSeen } from '#domains/auth/last-seen.ts';
import { newId } from '#platform/ids.ts';
import { newApiKey } from '#platform/tokens/api-keys.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { countStatements, statementsOf } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

describe('when a session, device or API key was last used', () => {
  const backend = useBackend();
  const lastSeen = (): LastSeen => backend.current.services.lastSeen;
  const fresh = (): LastSeen => new LastSeen(backend.current.database.db, backend.current.clock, backend.current.log);
  const me = async ({ headers }: Pick<Person, 'headers'>): Promise<number> => (await backend.current.http('GET', '/users/me', { headers })).status;
  /** Seconds since. */
  const age = async (table: string, column: string, id: string): Promise<number | null> =>
    (await backend.current.sql<{ age: number | null }>(`select extract(epoch from now() - ${column})::float8 as age from ${table} where id = ?`, [id]))[0]?.age ?? null;
  /** Somebody last seen an hour ago, on a device. */
  const quiet = async (): Promise<Person & { deviceId: string }> => {
    const { sql } = backend.current;
    const person = await backend.current.person();
    const deviceId = newId();
    await sql("insert into device_sessions (id, user_id, device_id, device_name, platform, last_seen) values (?, ?, 'a-device', 'A device', 'web', now() - interval '1 hour')", [deviceId, person.userId]);
    await sql("update sessions set last_seen = now() - interval '1 hour', device_session_id = ? where id = ?", [deviceId, person.sessionId]);
    return { ...person, deviceId };
  };

  it('costs one update for a thousand requests, and is then right', async function () {
    this.timeout(60_000);
    const ada = await quiet();
    const texts = await statementsOf(async () => {
      for (let asked = 0; asked < 50; asked += 1) await Promise.all(Array.from({ length: 20 }, () => me(ada)));
      await lastSeen().flush();
      await lastSeen().flush();
    });
    expect(texts.filter((text) => /update sessions/i.test(text))).to.have.length(1);
    expect(await age('sessions', 'last_seen', ada.sessionId)).to.be.within(0, 30);
    expect(await age('device_sessions', 'last_seen', ada.deviceId)).to.be.within(0, 30);
  });

  it('is written in no request: a request adds no statement', async () => {
    const ada = await quiet();
    await me(ada);
    expect(await countStatements(() => me(ada))).to.be.at.most(1);
    expect(await age('sessions', 'last_seen', ada.sessionId)).to.be.above(3_000);
    await lastSeen().flush();
    expect(await age('sessions', 'last_seen', ada.sessionId)).to.be.within(0, 30);
  });

  it('leaves a session alone that another process stamped within half a minute, and one that has ended', async () => {
    const { sql } = backend.current;
    const [recent, ended] = [await quiet(), await quiet()];
    await sql("update sessions set last_seen = now() - interval '20 seconds' where id = ?", [recent.sessionId]);
    const stamps = fresh();
    stamps.noteSession(recent.sessionId);
    stamps.noteSession(ended.sessionId);
    await sql('update sessions set revoked_at = now() where id = ?', [ended.sessionId]);
    await stamps.flush();
    expect(await age('sessions', 'last_seen', recent.sessionId)).to.be.within(19, 60);
    expect(await age('sessions', 'last_seen', ended.sessionId)).to.be.above(3_000);
  });

  it('is of an API key written at most every five minutes', async () => {
    const { sql } = backend.current;
    const ada = await backend.current.person();
    const made = newApiKey();
    const id = newId();
    await backend.current.database.db.knex('api_keys').insert({
      id, user_id: ada.userId, name: 'CI', hashed_key: made.hash, prefix: made.prefix, last_four: made.lastFour, scopes: ['account:read'],
    });
    const use = async (): Promise<number | null> => {
      const { status } = await backend.current.http('GET', '/users/me', { headers: { 'x-api-key': made.key } });
      expect(status).to.equal(200);
      await lastSeen().flush();
      return age('api_keys', 'last_used_at', id);
    };
    expect(await use()).to.be.within(0, 10);
    await sql("update api_keys set last_used_at = now() - interval '290 seconds' where id = ?", [id]);
    expect(await use()).to.be.within(289, 299);
    await sql("update api_keys set last_used_at = now() - interval '301 seconds' where id = ?", [id]);
    expect(await use()).to.be.within(0, 10);
  });

  it('survives a database that fails: no request does, it is said, and written the next time', async () => {
    const { sql, logLines } = backend.current;
    const ada = await quiet();
    expect(await me(ada)).to.equal(200);
    await sql('alter table sessions rename to sessions_away');
    try {
      await lastSeen().flush();
      expect(logLines.some((line) => line.includes('auth.last_seen_late'))).to.equal(true);
    } finally {
      await sql('alter table sessions_away rename to sessions');
    }
    expect(await age('sessions', 'last_seen', ada.sessionId)).to.be.above(3_000);
    await lastSeen().flush();
    expect(await age('sessions', 'last_seen', ada.sessionId)).to.be.within(0, 60);
  });

  it('waits for nobody who is changing a session, and writes it the next time', async () => {
    const { database: { db } } = backend.current;
    const ada = await quiet();
    const refreshing = await db.knex.transaction();
    const stamps = fresh();
    try {
      await refreshing('sessions').where({ id: ada.sessionId }).forUpdate().select('id');
      stamps.noteSession(ada.sessionId);
      await stamps.flush();
    } finally {
      await refreshing.rollback();
    }
    stamps.noteSession(ada.sessionId);
    await stamps.flush();
    expect(await age('sessions', 'last_seen', ada.sessionId)).to.be.within(0, 30);
  });

  it('is written by several processes at once, in whatever order, without a deadlock', async () => {
    const { database: { db }, sql, logLines } = backend.current;
    const person = await backend.current.person();
    const ids = Array.from({ length: 400 }, () => newId());
    await db.knex('sessions').insert(ids.map((id) => ({ id, user_id: person.userId, ip_address: '192.0.2.1' })));
    const before = logLines.length;
    for (let round = 0; round < 5; round += 1) {
      await sql("update sessions set last_seen = now() - interval '1 hour' where user_id = ?", [person.userId]);
      const several = [fresh(), fresh(), fresh(), fresh()];
      for (const [at, one] of several.entries()) for (const id of at % 2 === 0 ? ids : ids.toReversed()) one.noteSession(id);
      await Promise.all(several.map((one) => one.flush()));
    }
    expect(logLines.slice(before)).to.deep.equal([]);
    expect(await sql("select count(*) as late from sessions where user_id = ? and id <> ? and last_seen < now() - interval '1 minute'", [person.userId, person.sessionId]))
      .to.deep.equal([{ late: 0 }]);
  });

  it('takes bounded memory, however many are seen between two flushes', async () => {
    const stamps = fresh();
    for (let noted = 0; noted < 60_000; noted += 1) stamps.noteSession(newId());
    expect(await countStatements(() => stamps.flush())).to.equal(50_000 / 5_000);
  });

  it('is written by itself from the start on, and what is left at the end', async () => {
    const [ada, ben] = [await quiet(), await quiet()];
    const stamps = fresh();
    stamps.start(10);
    stamps.noteSession(ada.sessionId);
    await until('the stamp', async () => ((await age('sessions', 'last_seen', ada.sessionId)) ?? 3_600) < 60);
    const late = fresh();
    late.start(3_600_000);
    late.noteSession(ben.sessionId);
    await Promise.all([stamps.stop(), late.stop()]);
    // Kept to the millisecond, rounded: half of one ahead at most.
    expect(await age('sessions', 'last_seen', ben.sessionId)).to.be.within(-0.001, 60);
  });
});

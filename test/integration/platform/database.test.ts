import { expect } from 'chai';
import type { Knex } from 'knex';
import { openDatabase, sqlState, transact, violatedConstraint, type Database } from '#platform/database.ts';
import { useDatabase } from '../../support/database.ts';

const postgres = useDatabase();
const db = (): Database => postgres.current.db;

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  const endAt = Date.now() + 10_000;
  while (!(await check())) {
    if (Date.now() > endAt) throw new Error('It did not come true within 10 s.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('the database', () => {
  before(async () => {
    await db().knex.raw('CREATE TABLE bees (id int PRIMARY KEY, name text, seen timestamptz(3) DEFAULT now(), updated_at timestamptz(3) DEFAULT now(), row_version bigint NOT NULL DEFAULT 1)');
    await db().knex.raw('CREATE TRIGGER bees_touch BEFORE UPDATE ON bees FOR EACH ROW EXECUTE FUNCTION touch_row()');
  });
  beforeEach(() => db().knex.raw('TRUNCATE bees'));

  it('gives times as RFC 3339 text and numbers as numbers, by named statements and by the builder alike', async () => {
    const sql = `SELECT '2026-03-02T11:00:00.5+02'::timestamptz AS at, 5::int8 AS big, 1.5::numeric AS exact, '2026-03-02'::date AS day,
      ARRAY[1,2]::int8[] AS bigs, '{"a":[1]}'::jsonb AS json, NULL::timestamptz AS never`;
    const wanted = { at: '2026-03-02T09:00:00.500Z', big: 5, exact: 1.5, day: '2026-03-02', bigs: [1, 2], json: { a: [1] }, never: null };
    expect(await db().named('test.types', sql, [])).to.deep.equal([wanted]);
    const { rows } = await db().knex.raw<{ rows: unknown[] }>(sql);
    expect(rows).to.deep.equal([wanted]);
  });

  it('runs a named statement prepared: planned once per connection', async () => {
    await transact(db(), null, async (trx) => {
      for (let round = 0; round < 3; round += 1) await db().namedIn(trx, 'test.prepared', 'SELECT $1::int AS n', [round]);
      const rows = await db().namedIn<{ uses: number }>(trx, 'test.uses', `SELECT generic_plans + custom_plans AS uses FROM pg_prepared_statements WHERE name = 'test.prepared'`, []);
      expect(rows).to.deep.equal([{ uses: 3 }]);
    });
  });

  it('goes on with a named statement whose table changed under it', async () => {
    const find = (): Promise<unknown[]> => db().named('test.star', 'SELECT * FROM changing', []);
    await db().knex.raw('CREATE TABLE changing (a int)');
    await db().knex.raw('INSERT INTO changing VALUES (1)');
    await Promise.all(Array.from({ length: 5 }, find));
    await db().knex.raw('ALTER TABLE changing ADD COLUMN b int');
    for (let round = 0; round < 10; round += 1) expect(await find()).to.deep.equal([{ a: 1, b: null }]);
  });

  it('goes on inside transactions, too, when a table changed under every connection of the pool', async () => {
    const take = (): Promise<unknown[]> => transact(db(), null, (trx) => db().namedIn(trx, 'test.star_in', 'update changing_in set a = a + 1 returning *', []));
    await db().knex.raw('CREATE TABLE changing_in (a int)');
    await db().knex.raw('INSERT INTO changing_in VALUES (0)');
    const prepared = await Promise.all(Array.from({ length: 8 }, () => db().knex.transaction(async (trx) => {
      await db().namedIn(trx, 'test.star_in', 'update changing_in set a = a + 1 returning *', []);
      return trx;
    })));
    expect(prepared).to.have.length(8);
    await db().knex.raw('ALTER TABLE changing_in ADD COLUMN b int');
    await Promise.all(Array.from({ length: 8 }, take));
    expect(await take()).to.deep.equal([{ a: 17, b: null }]);
  });

  it('keeps a connection whose statement was refused', async () => {
    await db().named('test.pid', 'SELECT pg_backend_pid() AS pid', []);
    const before = db().use.open;
    const failure = await db().named('test.bad', 'SELECT 1/0', []).catch((error: unknown) => error);
    expect(sqlState(failure)).to.equal('22012');
    expect(db().use.open).to.equal(before);
  });

  it('names the constraint that was violated', async () => {
    await db().named('test.bee', 'INSERT INTO bees (id, name) VALUES ($1, $2)', [1, 'Maya']);
    const failure = await db().named('test.bee', 'INSERT INTO bees (id, name) VALUES ($1, $2)', [1, 'Willi']).catch((error: unknown) => error);
    expect([sqlState(failure), violatedConstraint(failure)]).to.deep.equal(['23505', 'bees_pkey']);
  });

  it('commits what the work did and seals its result in the same transaction', async () => {
    const sealed: unknown[] = [];
    const call = { idempotency: { key: 'k', seal: async (trx: Knex.Transaction, data: unknown) => void sealed.push(data, await trx('bees').count('* as n')) } };
    const result = await transact(db(), call, async (trx) => (await trx('bees').insert({ id: 1, name: 'Maya' }).returning(['id', 'name']))[0] as unknown);
    expect(result).to.deep.equal({ id: 1, name: 'Maya' });
    expect(sealed).to.deep.equal([{ id: 1, name: 'Maya' }, [{ n: 1 }]]);
  });

  it('undoes everything when the work, or the sealing, fails', async () => {
    const call = { idempotency: { key: 'k', seal: async () => { throw new Error('cannot seal'); } } };
    const failure = await transact(db(), call, async (trx) => { await trx('bees').insert({ id: 1 }); }).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'cannot seal');
    expect(await db().knex('bees').count('* as n')).to.deep.equal([{ n: 0 }]);
    expect(db().use).to.include({ waiting: 0 });
  });

  it('runs a deadlocked transaction again, so that both go through', async () => {
    await db().knex('bees').insert([{ id: 1, name: '' }, { id: 2, name: '' }]);
    let runs = 0;
    const met = Promise.withResolvers<void>();
    let waiting = 0;
    const both = (first: number, second: number): Promise<void> =>
      transact(db(), null, async (trx) => {
        runs += 1;
        await trx('bees').where({ id: first }).update({ name: trx.raw(`name || 'x'`) });
        waiting += 1;
        if (waiting === 2) met.resolve();
        if (waiting <= 2) await met.promise;
        await trx('bees').where({ id: second }).update({ name: trx.raw(`name || 'x'`) });
      });
    await Promise.all([both(1, 2), both(2, 1)]);
    // One more than the two, or a few: whoever runs again may take its row before the other, woken by the rollback, is on its feet.
    expect(runs).to.be.within(3, 8);
    expect(await db().knex('bees').pluck('name')).to.deep.equal(['xx', 'xx']);
  });

  it('gives up on a transaction that conflicts each time, with the database\'s own error', async () => {
    let runs = 0;
    const failure = await transact(db(), null, async (trx) => {
      runs += 1;
      await trx.raw(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
    }).catch((error: unknown) => error);
    expect([runs, sqlState(failure)]).to.deep.equal([4, '40001']);
  });

  it('bounds a statement by its timeout and gives the connection back in order', async () => {
    const bounded = openDatabase({ ...postgres.current.env, postgresStatementTimeoutMs: 100 });
    try {
      const failure = await bounded.named('test.sleep', 'SELECT pg_sleep(10)', []).catch((error: unknown) => error);
      expect(sqlState(failure)).to.equal('57014');
      expect(await bounded.named('test.one', 'SELECT 1 AS one', [])).to.deep.equal([{ one: 1 }]);
    } finally {
      await bounded.close();
    }
  });

  it('survives the loss of every connection, busy and idle', async () => {
    const busy = db().knex.transaction(async (trx) => {
      await trx.raw('SELECT 1');
      await db().named('test.kill', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()', []);
      await trx.raw('SELECT 1');
    }).catch((error: unknown) => error);
    expect(await busy).to.be.instanceOf(Error);
    await until(async () => (await db().named<{ one: number }>('test.one', 'SELECT 1 AS one', []).catch(() => []))[0]?.one === 1);
    expect(await db().knex('bees').count('* as n')).to.deep.equal([{ n: 0 }]);
  });

  it('moves updated_at forward with every change, and only with a change', async () => {
    await db().knex('bees').insert({ id: 1, name: 'Maya' });
    const stamps: string[] = [];
    for (const name of ['a', 'b', 'c', 'c']) {
      await db().knex('bees').where({ id: 1 }).update({ name });
      stamps.push(...(await db().knex('bees').pluck<string[]>('updated_at')));
    }
    expect(stamps[3]).to.equal(stamps[2]);
    expect(stamps.slice(0, 3)).to.deep.equal([...new Set(stamps)].sort());
  });

  it('hears notifications, and after a lost connection connects anew and says that some may have been missed', async () => {
    const heard: (string | null)[] = [];
    const listener = db().listen('test_channel', (payload) => heard.push(payload));
    await listener.ready;
    await db().knex.raw(`SELECT pg_notify('test_channel', 'one')`);
    await until(() => heard.includes('one'));
    await db().knex.raw(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hivesync listen test_channel'`);
    await until(() => heard.filter((payload) => payload === null).length === 2);
    await db().knex.raw(`SELECT pg_notify('test_channel', 'two')`);
    await until(() => heard.includes('two'));
    await listener.close();
    expect(heard).to.deep.equal([null, 'one', null, 'two']);
  });

  it('says what to do when no database is configured', () => {
    expect(() => openDatabase({ ...postgres.current.env, database: null })).to.throw('DATABASE_URL');
  });
});

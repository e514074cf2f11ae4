import { expect } from 'chai';
import { migrateDown, migrateUp } from '#platform/migrate.ts';
import { cloneDatabase, type TestDatabase } from '../../support/database.ts';

/** Tables that Knex keeps for itself. */
const ours = "c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname not like 'migrations%'";

describe('the schema', () => {
  let database: TestDatabase;
  before(async () => { database = await cloneDatabase(); });
  after(() => database.drop());
  const ask = async (sql: string): Promise<string[]> =>
    (await database.db.knex.raw<{ rows: { what: string }[] }>(sql)).rows.map(({ what }) => what);

  it('has an index that begins with the columns of each foreign key', async () => {
    expect(await ask(`
      select con.conrelid::regclass || ' ' || pg_get_constraintdef(con.oid) as what
        from pg_constraint con
       where con.contype = 'f' and not exists (
         select 1 from pg_index i
          where i.indrelid = con.conrelid and i.indpred is null
            and (i.indkey::int2[])[0:cardinality(con.conkey) - 1] @> con.conkey
            and con.conkey @> (i.indkey::int2[])[0:cardinality(con.conkey) - 1])`)).to.deep.equal([]);
  });

  it('keeps every time as timestamptz(3), as the wire shows it', async () => {
    expect(await ask(`
      select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) as what
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where ${ours} and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype, 'time'::regtype)
         and format_type(a.atttypid, a.atttypmod) <> 'timestamp(3) with time zone'`)).to.deep.equal([]);
  });

  it('says of every row that stands for itself when it was made', async () => {
    // Rows that mean nothing without their owner take its time; a log has the time of what happened.
    const dependent = ['done_once', 'preview_job_files', 'preview_job_logs', 'worker_heartbeats', 'search_entries', 'live_session_files', 'webhook_attempts'];
    expect(await ask(`
      select c.relname as what from pg_class c
       where ${ours} and c.relname <> all (array[${dependent.map((name) => `'${name}'`).join(', ')}])
         and not exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'created_at' and a.attnotnull)`)).to.deep.equal([]);
  });

  it('moves version and time of every row that has them, by a trigger, and of no other', async () => {
    expect(await ask(`
      select c.relname as what from pg_class c
       where ${ours}
         and (exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname in ('row_version', 'updated_at'))
           or exists (select 1 from pg_trigger t where t.tgrelid = c.oid and t.tgname = c.relname || '_touch'))
         and not (exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'row_version' and a.attnotnull)
           and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'updated_at' and a.attnotnull)
           and exists (select 1 from pg_trigger t where t.tgrelid = c.oid and t.tgname = c.relname || '_touch'))`)).to.deep.equal([]);
  });

  it('deletes with its owner only what means nothing alone, and nothing below that', async () => {
    expect(await ask(`
      select child.conrelid::regclass || ' below ' || parent.conrelid::regclass as what
        from pg_constraint child join pg_constraint parent on parent.conrelid = child.confrelid
       where child.contype = 'f' and child.confdeltype = 'c' and parent.contype = 'f' and parent.confdeltype = 'c'`)).to.deep.equal([]);
  });

  it('has a primary key in every table, and UUIDs as ids but for the outbox, whose order matters', async () => {
    expect(await ask(`select c.relname as what from pg_class c
      where ${ours} and not exists (select 1 from pg_constraint p where p.conrelid = c.oid and p.contype = 'p')`)).to.deep.equal([]);
    expect(await ask(`select c.relname as what from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'id'
      where ${ours} and a.atttypid <> 'uuid'::regtype`)).to.deep.equal(['outbox']);
  });

  it('goes down with rows in its tables and up again', async () => {
    const copy = await cloneDatabase();
    try {
      const id = '01920000-0000-7000-8000-000000000001';
      await copy.db.knex('users').insert({ id, email: 'ada@example.com', username: 'ada', password_hash: 'none' });
      await copy.db.knex('projects').insert({ id, owner_id: id, name: 'Field Notes' });
      await copy.db.knex('audit_logs').insert({ id, user_id: id, project_id: id, event_type: 'project.created', entity_type: 'project', entity_id: id });
      const down = await migrateDown(copy.env);
      expect(down.at(-1)).to.equal('0001_foundation');
      expect(await migrateUp(copy.env)).to.deep.equal([...down].reverse());
      expect(await copy.db.knex('users').count({ rows: '*' })).to.deep.equal([{ rows: 0 }]);
    } finally {
      await copy.drop();
    }
  });
});

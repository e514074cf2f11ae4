import { expect } from 'chai';
import pg from 'pg';
import { databaseUrlOf } from '#config/connections.ts';
import type { Environment } from '#config/environment.ts';
import { migrateDown, migrateUp, migrationState } from '#platform/migrate.ts';
import { emptyDatabase } from '../../support/database.ts';

async function schemaOf(env: Environment): Promise<unknown> {
  if (env.database === null) throw new Error('unreachable');
  const client = new pg.Client({ connectionString: databaseUrlOf(env.database) });
  await client.connect();
  try {
    const { rows } = await client.query(`
      SELECT 'column' AS kind, table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || coalesce(' ' || column_default, '') AS what
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'migrations%'
      UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'migrations%'
      UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'migrations%'
      UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      ORDER BY 1, 2`);
    return rows;
  } finally {
    await client.end();
  }
}

describe('migrations', () => {
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  beforeEach(async () => {
    database = await emptyDatabase();
  });
  afterEach(() => database.drop());

  it('go up, all the way down to nothing, and up again to the same schema', async () => {
    const applied = await migrateUp(database.env);
    expect(applied[0]).to.equal('0001_foundation');
    const schema = await schemaOf(database.env);
    expect(await migrateDown(database.env)).to.deep.equal([...applied].reverse());
    expect(await schemaOf(database.env)).to.deep.equal([]);
    expect(await migrateUp(database.env)).to.deep.equal(applied);
    expect(await schemaOf(database.env)).to.deep.equal(schema);
  });

  it('are applied once when several processes start at once', async () => {
    const results = await Promise.all([migrateUp(database.env), migrateUp(database.env), migrateUp(database.env)]);
    expect(results.filter((names) => names.length > 0)).to.have.length(1);
    expect((await migrationState(database.env)).pending).to.deep.equal([]);
  });

  it('go on after one that was killed and left its mark of a lock', async () => {
    await migrateUp(database.env);
    await migrateDown(database.env, 1);
    if (database.env.database === null) throw new Error('unreachable');
    const client = new pg.Client({ connectionString: databaseUrlOf(database.env.database) });
    await client.connect();
    await client.query('UPDATE migrations_lock SET is_locked = 1');
    await client.end();
    expect(await migrateUp(database.env)).to.have.length(1);
  });
});

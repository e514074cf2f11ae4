/** What is searched stands beside what it is of: made, changed and removed in the same transaction, and taken over from before there was a search. */
import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { migrateDown, migrateUp, migrationState } from '#platform/migrate.ts';
import { cloneDatabase, type TestDatabase } from '../../support/database.ts';

describe('what is searched', () => {
  let database: TestDatabase;
  const userId = newId();
  before(async () => {
    database = await cloneDatabase();
    await database.db.knex('users').insert({ id: userId, email: 'ada@example.com', username: 'ada', password_hash: 'none' });
  });
  after(() => database.drop());
  const sql = async <Row = { id: string }>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await database.db.knex.raw<{ rows: Row[] }>(text, values as never)).rows;
  /** Entries that should be there and are not as they should be, or should not be there. */
  const wrong = (): Promise<{ id: string }[]> => sql(`
    select coalesce(s.id, e.id) as id
      from (select id, 'project' as kind, id as project_id, search_words(name, description) as words from projects where deleted_at is null
            union all select id, 'task', project_id, search_words(title, description) from tasks
            union all select id, 'comment', project_id, search_words('', body) from comments where deleted_at is null) s
      full join search_entries e on e.id = s.id
     where (s.kind, s.project_id, s.words) is distinct from (e.kind, e.project_id, coalesce(e.brief, e.long))`);

  const fill = async (count: number): Promise<string> => {
    const projectId = newId();
    await sql("insert into projects (id, owner_id, name, description) values (?, ?, 'Field Notes', 'Notes, taken outdoors')", [projectId, userId]);
    await sql(`
      insert into tasks (id, project_id, title, description, created_by)
      select gen_random_uuid(), ?, 'Übung ' || n, case when n % 3 = 0 then repeat('Draw the map. ', n) end, ? from generate_series(1, ?) as n`, [projectId, userId, count]);
    await sql(`
      insert into comments (id, project_id, entity_type, entity_id, author_id, body)
      select gen_random_uuid(), ?, 'project', ?, ?, repeat('Tiles flicker. ', n) from generate_series(1, ?) as n`, [projectId, projectId, userId, count]);
    return projectId;
  };

  it('follows every way that rows come, change and go, many at once or one by one', async () => {
    const projectId = await fill(120);
    expect(await sql('select id from search_entries')).to.have.length(241);
    expect(await wrong()).to.deep.equal([]);
    await sql("update tasks set title = title || ', again', description = null where project_id = ?", [projectId]);
    await sql("update comments set body = 'Short.' where project_id = ? and length(body) > 700", [projectId]);
    await sql("update projects set name = 'Outdoors' where id = ?", [projectId]);
    expect(await wrong()).to.deep.equal([]);
    await sql('update comments set deleted_at = now(), body = null, author_id = null where id in (select id from comments limit 10)');
    await sql('delete from comments where id in (select id from comments where deleted_at is null limit 10)');
    await sql('delete from tasks where id in (select id from tasks limit 10)');
    await sql("insert into projects (id, owner_id, name, deleted_at) values (?, ?, 'Gone', now())", [newId(), userId]);
    expect(await wrong()).to.deep.equal([]);
    await sql('update projects set deleted_at = now() where id = ?', [projectId]);
    expect(await sql('select id from search_entries where id = ?', [projectId])).to.deep.equal([]);
    expect(await wrong()).to.deep.equal([]);
  });

  it('is undone with the transaction that made it', async () => {
    const id = newId();
    await database.db.knex.transaction(async (trx) => {
      await trx('projects').insert({ id, owner_id: userId, name: 'Never was' });
      throw new Error('undone');
    }).catch(() => undefined);
    expect(await sql('select id from search_entries where id = ?', [id])).to.deep.equal([]);
  });

  it('is not written where no word changes', async () => {
    const projectId = await fill(3);
    const versions = (): Promise<unknown[]> => sql('select id, xmin::text as version from search_entries where project_id = ? order by id', [projectId]);
    const before = await versions();
    await sql("update tasks set status = 'in_review', title = title where project_id = ?", [projectId]);
    await sql("update projects set metadata = '{}', archived_at = now() where id = ?", [projectId]);
    expect(await versions()).to.deep.equal(before);
  });

  it('holds what was there before it, once its migration is through', async () => {
    const { env } = database;
    const { applied } = await migrationState(env);
    await migrateDown(env, applied.length - applied.indexOf('0029_search'));
    await fill(40);
    await migrateUp(env);
    expect(await wrong()).to.deep.equal([]);
    expect((await sql('select id from search_entries')).length).to.be.greaterThan(80);
  }).timeout(60_000);
});

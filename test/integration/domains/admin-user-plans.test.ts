import { expect } from 'chai';
import { adminsSql, type AccountFilters, listAccounts } from '#domains/admin/queries.ts';
import type { Binding } from '#platform/database.ts';
import type { Keyset } from '#platform/paging.ts';
import { useDatabase } from '../../support/database.ts';
import { planOf, type Plan } from '../../support/plans.ts';

describe('administrators among many accounts', () => {
  const database = useDatabase();
  before('twenty thousand accounts', async function () {
    this.timeout(60_000);
    const { knex } = database.current.db;
    await knex.raw(`
      insert into users (id, email, username, password_hash, created_at)
      select gen_random_uuid(), md5(n::text) || '@example.com', 'u' || md5(n::text || 'x')::varchar(20), 'none', now() - n * interval '1 minute' from generate_series(1, 20000) n;
      insert into user_profiles (user_id, display_name) select id, 'Person ' || md5(username) from users;
      update users set tier_override = 'admin' where id in (select id from users limit 3)`);
    // As autovacuum does: what was just inserted lies beside the indexes for a while.
    await knex.raw('vacuum analyze users');
    await knex.raw('vacuum analyze user_profiles');
  });

  const list = (filters: AccountFilters, after: Keyset | null = null): Promise<Plan> => {
    const { sql, bindings } = listAccounts(database.current.db.knex, filters, { limit: 50, offset: 0, after }).toSQL().toNative();
    return planOf(database.current.db, { text: sql, values: bindings as Binding[] });
  };

  it('read a page, and the page after it, by the order of the list', async () => {
    for (const plan of [await list({}), await list({}, { at: '2026-03-02T09:00:00.000Z', id: '01920000-0000-7000-8000-000000000001' })]) {
      expect(plan.nodes).to.include('Index Scan users_listed_idx');
      expect(plan.readWhole).to.deep.equal([]);
    }
  });

  it('find part of an address or name by its three-letter parts', async () => {
    const { nodes, readWhole } = await list({ q: 'cafe12' });
    expect(nodes).to.include.members([
      'Bitmap Index Scan users_email_trgm_idx', 'Bitmap Index Scan users_username_trgm_idx', 'Bitmap Index Scan user_profiles_display_name_trgm_idx',
    ]);
    expect(readWhole).to.deep.equal([]);
  });

  it('are counted without a look at everybody', async () => {
    const { nodes, readWhole } = await planOf(database.current.db, { text: `select * from (${adminsSql}) as administrators where $1 <> ''`, values: ['any'] });
    expect(nodes.join()).to.contain('users_administrators_idx');
    expect(readWhole).to.deep.equal([]);
  });
});

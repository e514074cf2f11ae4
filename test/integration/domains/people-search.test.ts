import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { countPeopleSql, searchPeopleSql } from '#domains/users/people-queries.ts';
import { type Backend, type Person, startBackend, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

interface Somebody { readonly username: string; readonly display_name?: string; readonly email?: string; readonly searchable?: boolean; readonly set?: Record<string, unknown> }

/** Writes an account as it is. */
async function account({ database: { db } }: Backend, { username, display_name, email, searchable = true, set = {} }: Somebody): Promise<string> {
  const id = newId();
  await db.knex('users').insert({ id, username, email: email ?? `${username}@example.com`, password_hash: 'none', email_verified_at: db.knex.fn.now(), ...set });
  await db.knex('user_profiles').insert({ user_id: id, display_name: display_name ?? null, searchable });
  return id;
}

describe('searching people', () => {
  const backend = useBackend({ EMAIL_VERIFICATION: 'required' });
  let ada: Person;
  before(async () => { ada = await backend.current.person(); });
  const somebody = (who: Somebody): Promise<string> => account(backend.current, who);
  const search = (q: string, more: { limit?: number; offset?: number; cursor?: string } = {}) => backend.current.run('searchUsers', ada, { query: { q, ...more } });
  const found = async (q: string): Promise<string[]> => (await search(q)).data.items.map(({ username }) => username);

  it('finds by part of a username or display name, whatever the case, in any script', async () => {
    await somebody({ username: 'MarigoldFlower' });
    await somebody({ username: 'tester-1', display_name: 'Ann Marigold' });
    await somebody({ username: 'tester-2', display_name: '山田 太郎' });
    await somebody({ username: 'tester-3', display_name: 'Łucja Święta' });
    await somebody({ username: 'tester-4', display_name: '🐝🐝🐝 keeper' });
    expect(await found('marigold')).to.deep.equal(['tester-1', 'MarigoldFlower']);
    expect(await found('GOLDFL')).to.deep.equal(['MarigoldFlower']);
    expect(await found('山田 ')).to.deep.equal(['tester-2']);
    expect(await found('田 太郎')).to.deep.equal(['tester-2']);
    expect(await found('ŚWIĘT')).to.deep.equal(['tester-3']);
    expect(await found('🐝🐝🐝')).to.deep.equal(['tester-4']);
    expect(await found('marigolds')).to.deep.equal([]);
  });

  it('takes every character for itself', async () => {
    await somebody({ username: 'under_score' });
    await somebody({ username: 'underXscore' });
    await somebody({ username: 'tester-5', display_name: '100% \\ "honey" ***' });
    expect(await found('under_sc')).to.deep.equal(['under_score']);
    for (const q of ['100%', '% \\', '"honey"', '***', '"ho']) expect(await found(q), q).to.deep.equal(['tester-5']);
    for (const q of ['%%%', '___', '_und', '.*.', '\\\\\\', '\'; drop table users; --', '{a,b}']) expect(await found(q), q).to.deep.equal([]);
  });

  it('finds a whole address and no part of one, and answers none', async () => {
    await somebody({ username: 'postbox', email: 'Wilhelmina@mail.example' });
    for (const q of ['wilhelmina@mail.example', 'WILHELMINA@MAIL.EXAMPLE']) expect(await found(q)).to.deep.equal(['postbox']);
    for (const q of ['wilhelmina', 'wilhelmina@', '@mail.example', 'wilhelmina@mail.exampl', 'ilhelmina@mail.example']) expect(await found(q), q).to.deep.equal([]);
    const { data } = await search('postbox');
    expect(Object.keys(data.items[0] ?? {}).sort()).to.deep.equal(['avatar_url', 'display_name', 'id', 'username']);
    expect(JSON.stringify(data)).not.to.contain('@');
  });

  it('shows only who wants to be found, confirmed an address, and is neither suspended nor deleted; never the caller', async () => {
    const hidden: readonly Somebody[] = [
      { username: 'quokka-private', searchable: false },
      { username: 'quokka-unconfirmed', set: { email_verified_at: null } },
      { username: 'quokka-suspended', set: { suspended_at: new Date().toISOString() } },
      { username: 'quokka-deleted', set: { deleted_at: new Date().toISOString() } },
    ];
    await somebody({ username: 'quokka-open', display_name: 'quokka' });
    for (const who of hidden) await somebody({ ...who, display_name: 'quokka' });
    const { data } = await search('quokka');
    expect(data.items.map(({ username }) => username)).to.deep.equal(['quokka-open']);
    expect(data.page.total).to.equal(1);
    for (const { username } of hidden) {
      for (const q of [username, `${username}@example.com`]) expect(await found(q), q).to.deep.equal([]);
    }
    expect(await found(ada.username)).to.deep.equal([]);
    expect(await found(`${ada.username}@example.com`)).to.deep.equal([]);
  });

  it('puts exact matches first, then the likest, then by username', async () => {
    const names: readonly Somebody[] = [
      { username: 'wombat-zzz' }, { username: 'xx-wombat-and-more' }, { username: 'Wombat' }, { username: 'wombat-aaa' },
      { username: 'tester-6', display_name: 'WOMBAT' }, { username: 'tester-7', display_name: 'wombats' }, { username: 'tester-8', email: 'wombat@mail.example' },
    ];
    for (const who of names) await somebody(who);
    expect(await found('wombat')).to.deep.equal(['tester-6', 'Wombat', 'tester-7', 'wombat-aaa', 'wombat-zzz', 'xx-wombat-and-more']);
    await somebody({ username: 'tester-9', display_name: 'wombat@mail.example and friends' });
    expect(await found('wombat@mail.example')).to.deep.equal(['tester-8', 'tester-9']);
  });

  it('is walked by cursor in the order of the whole, without loss or double, and a cursor holds for its search alone', async () => {
    for (let at = 0; at < 23; at += 1) await somebody({ username: `platypus-${'x'.repeat(at % 4)}${at}` });
    const whole = await found('platypus');
    expect(whole).to.have.length(23);
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const { data }: Awaited<ReturnType<typeof search>> = await search('PLATYPUS', { limit: 5, ...(cursor === null ? {} : { cursor }) });
      walked.push(...data.items.map(({ username }) => username));
      if (cursor !== null) expect(data.page).to.include({ offset: null, total: null });
      cursor = data.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal(whole);
    const paged = await search('platypus', { limit: 5, offset: 20 });
    expect([paged.data.items.map(({ username }) => username), paged.data.page.total]).to.deep.equal([whole.slice(20), 23]);
    const { data: { page: { next_cursor: next } } } = await search('platypus', { limit: 5 });
    expect(await codeOf(search('wombat', { limit: 5, cursor: next ?? '' }))).to.equal('VALIDATION_ERROR');
    const forged = Buffer.from('0|x|01920000-0000-7000-8000-000000000001|y').toString('base64url');
    expect(await codeOf(search('platypus', { cursor: forged }))).to.equal('VALIDATION_ERROR');
  });

  it('asks for three letters, and for a confirmed address of who searches', async () => {
    const { http, run } = backend.current;
    const reply = await http('GET', '/users/search?q=ab', { headers: ada.headers });
    expect([reply.status, (reply.error?.details as { pointer: string }[])[0]?.pointer]).to.deep.equal([400, '#/query/q']);
    const refusal = await refusalOf(run('searchUsers', { ...ada, isVerified: false }, { query: { q: 'wombat' } }));
    expect([refusal.code, refusal.details]).to.deep.equal(['FORBIDDEN', { reason: 'email_not_verified' }]);
  });

  it('costs one statement, and two beyond the last page', async () => {
    const { data: { page } } = await search('platypus', { limit: 5 });
    expect(await countStatements(() => search('platypus', { limit: 5 }))).to.equal(1);
    expect(await countStatements(() => search('platypus', { limit: 5, cursor: page.next_cursor ?? '' }))).to.equal(1);
    expect(await countStatements(() => search('nobody of this name'))).to.equal(1);
    expect(await countStatements(async () => {
      const { data } = await search('platypus', { offset: 100 });
      expect([data.items, data.page.total]).to.deep.equal([[], 23]);
    })).to.equal(2);
  });

  it('hides nobody for an unconfirmed address where nobody has to confirm one', async () => {
    const open = await startBackend({ EMAIL_VERIFICATION: 'off' });
    try {
      await account(open, { username: 'numbat', set: { email_verified_at: null } });
      const { data } = await open.run('searchUsers', await open.person(), { query: { q: 'numbat' } });
      expect(data.items.map(({ username }) => username)).to.deep.equal(['numbat']);
    } finally {
      await open.close();
    }
  });
});

describe('searching people among fifty thousand', () => {
  const backend = useBackend();
  let ada: Person;
  before(async function () {
    this.timeout(120_000);
    const { sql } = backend.current;
    ada = await backend.current.person();
    // Every name holds "com", every hundredth "needle" in one of its two names.
    await sql(`insert into users (id, email, username, password_hash, email_verified_at)
      select gen_random_uuid(), 'n' || n || '@example.org', 'common' || n || case when n % 200 = 0 then '_needle' else '' end, 'none', now() from generate_series(1, 50000) n`);
    await sql(`insert into user_profiles (user_id, display_name)
      select id, 'Common Name ' || right(username, 3) || case when username like '%00' and username not like '%needle' then ' Needle' else '' end from users where id <> ?`, [ada.userId]);
    await sql('vacuum analyze users, user_profiles');
  });

  interface Plan { readonly 'Node Type': string; readonly 'Relation Name'?: string; readonly 'Index Name'?: string; readonly 'Subplan Name'?: string; readonly 'Actual Rows'?: number; readonly 'Actual Loops'?: number; readonly Plans?: readonly Plan[] }
  const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
  /** The plan that a prepared statement keeps for every value, and the one for these values alone. */
  const plansOf = async (statement: string, values: readonly string[], types: string): Promise<Plan[][]> => {
    const { database: { db } } = backend.current;
    const plans: Plan[][] = [];
    for (const mode of ['force_generic_plan', 'force_custom_plan']) {
      await db.knex.transaction(async (trx) => {
        await trx.raw(`set local plan_cache_mode = ${mode}`);
        await trx.raw(`prepare looked_at (${types}) as ${statement}`);
        const { rows } = await trx.raw<{ rows: { 'QUERY PLAN': { Plan: Plan }[] }[] }>(`explain (analyze, format json) execute looked_at (${values.join(', ')})`);
        await trx.raw('deallocate looked_at');
        plans.push(rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan: plan }) => nodesOf(plan))));
      });
    }
    return plans;
  };
  const searchTypes = 'uuid, text, boolean, int, text, uuid, int, int';
  const searching = (q: string): string[] => [`'${ada.userId}'`, `'${q}'`, 'true', 'null', 'null', 'null', '51', '0'];

  it('goes by the indexes, to the page and to the count', async () => {
    for (const [statement, values, types] of [
      [searchPeopleSql, searching('needle'), searchTypes], [countPeopleSql, searching('needle').slice(0, 3), 'uuid, text, boolean'],
    ] as const) {
      for (const nodes of await plansOf(statement, values, types)) {
        expect(nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name'])).to.deep.equal([]);
        const indexes = nodes.flatMap((node) => node['Index Name'] ?? []);
        expect(indexes).to.include.members(['users_username_parts_idx', 'user_profiles_display_name_parts_idx', 'user_profiles_display_name_idx', 'users_username_key', 'users_email_key']);
      }
    }
    const { data } = await backend.current.run('searchUsers', ada, { query: { q: 'needle' } });
    expect(data.page.total).to.equal(500);
  });

  it('looks at a bounded number of people for letters that everybody has, whoever is named exactly so among them', async () => {
    const { run, database: { db } } = backend.current;
    for (const nodes of await plansOf(searchPeopleSql, searching('com'), searchTypes)) {
      const seen = nodes.filter((node) => node['Node Type'] === 'Limit').map((node) => node['Actual Rows'] ?? 0);
      expect(Math.max(...seen)).to.be.at.most(10_001);
      // Nothing is sorted, or else put together, before its bound.
      const bounded = nodes.filter((node) => /^CTE (by|as)_/.test(node['Subplan Name'] ?? ''));
      expect(bounded).to.have.length(5);
      for (const one of bounded) {
        expect(one['Node Type']).to.equal('Limit');
        expect(nodesOf(one).map((node) => node['Node Type'])).to.not.include.members(['Sort']);
      }
      // Found by username and by display name, both sets together; no node but the scan of an index hands on more.
      const handed = nodes.filter((node) => node['Node Type'] !== 'Bitmap Index Scan').map((node) => (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 1));
      expect(Math.max(...handed)).to.be.at.most(20_002);
    }
    // The last of all to be written, behind fifty thousand others that match.
    await account(backend.current, { username: 'last-of-all', display_name: 'COM' });
    const { data } = await run('searchUsers', ada, { query: { q: 'com', limit: 3 } });
    expect([data.items[0]?.username, data.page.total]).to.deep.equal(['last-of-all', null]);
    await db.knex('user_profiles').where({ display_name: 'COM' }).delete();
  });
});

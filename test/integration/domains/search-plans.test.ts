/** How search reads where there is much: 48,000 entries in 2,400 projects, made as `npm run seed:large` makes a million. */
import { expect } from 'chai';
import { hasTrigrams } from '#domains/search/patterns.ts';
import { found, presentSql, reachSql, type Statement, walkedEntries, type Wanted, type Way } from '#domains/search/queries.ts';
import { plenty, Ranking } from '#domains/search/ranking.ts';
import { largeAccounts, seedLarge } from '../../../seeds/large.ts';
import { useDatabase } from '../../support/database.ts';
import { planOf } from '../../support/plans.ts';
import { countStatements } from '../../support/statements.ts';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

const size = { projects: 2_400, things: 48_000, many: 1_000 } as const;
/** What people look for, by what makes it hard. */
const asked = {
  'a common word': 'the', 'a common part of words': 'tion', 'common words': 'login the of', 'short words': 'a b c', 'short words that nothing has': 'zq xj qx', 'one short word beside another': 'in app',
  'a rare word': 'scandinavian', 'a word': 'keyboard', 'nothing': 'xylophone', 'nothing, of common parts': 'thenation', 'a fault': 'keybaord', 'a fault in one of two': 'login buton',
  'another script': 'привет', 'a script without spaces': '検索', 'many words': 'the of and to a in is it you that for on',
} as const;
const callers = { one: 'one project', many: 'a thousand projects' } as const;
describe('search among many', function () {
  this.timeout(60_000);
  const database = useDatabase();
  before('a large seed', async () => {
    await seedLarge(database.current.db, { production: false }, size);
  });

  const wantedBy = (who: keyof typeof callers, q: string): Wanted => ({ userId: largeAccounts[who].id, only: null, projectId: null, words: q.split(' '), kinds: ['comment', 'project', 'task'] });
  /** The ways that a search may take, one after the other: src/domains/search/ranking.ts. */
  const waysOf = (who: keyof typeof callers, words: readonly string[], projectIds: readonly string[] | null): Way[] => {
    if (who === 'one') return [{ kind: 'walk', each: walkedEntries }];
    return words.some(hasTrigrams) ? [{ kind: 'walk', each: 5 }, { kind: 'index', each: 5, projectIds }] : [{ kind: 'walk', each: 20 }];
  };

  const page = { limit: 50, offset: 0, after: null };
  const totalOf = async ({ text, values }: Statement): Promise<number> => (await database.current.db.named<{ total: number }>('', text, values))[0]?.total ?? 0;
  /** The nodes of a plan that ran. */
  const ran = async ({ text, values }: { text: string; values: readonly unknown[] }): Promise<PlanNode[]> => {
    const [row] = await database.current.db.named<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>('', `explain (analyze, timing off, format json) ${text}`, values as never);
    const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
    return row === undefined ? [] : flat(row['QUERY PLAN'][0].Plan);
  };
  const said = (nodes: readonly PlanNode[]): string => nodes.map((node) => `${node['Node Type']} ${node['Index Name'] ?? node['Relation Name'] ?? ''}`.trim()).join(' → ');
  /** Of the entries' table and indexes: what was handed on and what was looked at and left. */
  const readOf = (nodes: readonly PlanNode[]): number => nodes
    .filter((node) => node['Relation Name'] === 'search_entries')
    .reduce((sum, node) => sum + (node['Actual Loops'] ?? 1) * ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)), 0);
  const wholeTables = (nodes: readonly PlanNode[]): string[] =>
    nodes.filter((node) => node['Node Type'] === 'Seq Scan').flatMap((node) => (['search_entries', 'projects', 'tasks', 'comments'].includes(node['Relation Name'] ?? '') ? [node['Relation Name'] ?? ''] : []));

  for (const who of ['one', 'many'] as const) {
    it(`for who sees ${callers[who]} reads no table whole, and hardly more entries than that caller has, whatever is asked`, async () => {
      const { db } = database.current;
      const { rows: [own] } = await db.knex.raw<{ rows: { entries: number }[] }>(
        'select count(*)::int as entries from search_entries e join projects p on p.id = e.project_id where p.owner_id = ?', [largeAccounts[who].id]);
      const [sight] = await db.named<{ ids: string[] | null }>('', reachSql, [largeAccounts[who].id, null, null]);
      const mostRead = 1.1 * (own?.entries ?? 0);
      for (const [name, q] of Object.entries(asked)) {
        const wanted = wantedBy(who, q);
        for (const way of waysOf(who, wanted.words, sight?.ids ?? null)) {
          const isFirst = way.kind === 'walk' && way.each === 5;
          for (const forgiving of who === 'one' ? [false, true] : [!isFirst]) {
            const nodes = await ran(found(wanted, way, forgiving, page));
            const about = `${name}, ${way.kind} ${way.each}, forgiving ${forgiving}: ${said(nodes)}`;
            expect(wholeTables(nodes), about).to.deep.equal([]);
            // Where faults are forgiven it is walked once more.
            expect(readOf(nodes), about).to.be.at.most(mostRead * (way.kind === 'walk' && forgiving ? 2 : 1) + (way.kind === 'index' && forgiving ? 1.1 * walkedEntries : 0));
            if (isFirst) expect(readOf(nodes), about).to.be.at.most(1.1 * walkedEntries);
          }
          if (isFirst && (await totalOf(found(wanted, way, false, page))) >= plenty) break;
        }
      }
      const reach = await ran({ text: reachSql, values: [largeAccounts[who].id, null, null] });
      expect(wholeTables(reach), said(reach)).to.deep.equal([]);
      // Of a loop's rows the plan tells the mean, rounded.
      expect(readOf(reach)).to.be.at.most(1.01 * walkedEntries);
    });
  }

  it('walks to the entries of a project in the index alone, words included', async () => {
    const nodes = await ran(found(wantedBy('many', 'the'), { kind: 'walk', each: 5 }, false, { limit: 50, offset: 0, after: null }));
    expect(said(nodes)).to.include('Index Only Scan search_entries_project_id_idx');
    expect(nodes.find((node) => node['Index Name'] === 'search_entries_project_id_idx')?.['Actual Rows']).to.equal(5);
  });

  it('finds a word that is rare among everybody\'s by trigrams', async () => {
    const [sight] = await database.current.db.named<{ ids: string[] | null }>('', reachSql, [largeAccounts.many.id, null, null]);
    const nodes = await ran(found(wantedBy('many', 'xylophone'), { kind: 'index', each: 5, projectIds: sight?.ids ?? null }, false, { limit: 50, offset: 0, after: null }));
    expect(said(nodes)).to.include('search_entries_brief_trgm_idx');
  });

  it('reads no table whole either where PostgreSQL plans a named statement for any caller', async () => {
    const { db } = database.current;
    const some = await db.named<{ id: string }>('', 'select id from tasks limit 50', []);
    const ids = some.map(({ id }) => id);
    for (const statement of [{ text: reachSql, values: [largeAccounts.many.id, null, null] }, { text: presentSql, values: [largeAccounts.many.id, null, ids, ids, ids] }]) {
      const { nodes, readWhole } = await planOf(db, statement, true);
      expect(readWhole, nodes.join(' → ')).to.deep.equal([]);
    }
  });

  it('takes one statement for who sees little, and no more than two for who sees much', async () => {
    const ranking = new Ranking(database.current.db);
    for (const [who, most] of [['one', 1], ['many', 2]] as const) {
      for (const q of Object.values(asked)) {
        const wanted = wantedBy(who, q);
        const sight = await ranking.sightOf(wanted);
        expect(await countStatements(() => ranking.find(wanted, sight, { limit: 50, offset: 0, after: null })), q).to.be.at.most(most);
      }
    }
  });

  it('for who sees much tells no number of what is found very often, and all there is of what is not', async () => {
    const ranking = new Ranking(database.current.db);
    const find = async (q: string, offset = 0) => {
      const wanted = wantedBy('many', q);
      return ranking.find(wanted, await ranking.sightOf(wanted), { limit: 50, offset, after: null });
    };
    expect(await find('the')).to.include({ total: null });
    expect((await find('the', 200)).rows).to.have.length(51);
    const { db } = database.current;
    const { rows: [counted] } = await db.knex.raw<{ rows: { total: number }[] }>(`
      select count(*)::int as total from search_entries e join projects p on p.id = e.project_id and p.owner_id = ? where coalesce(e.brief, e.long) like '%keyboard%'`, [largeAccounts.many.id]);
    expect(counted?.total).to.be.greaterThan(50);
    expect((await find('keyboard')).total).to.equal(counted?.total);
  });
});

import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { statementsOf } from '../../support/statements.ts';

/** Tables that grow with the number of people. */
const large = ['projects', 'project_members', 'team_members', 'project_tags', 'project_favorites'];

describe('the projects of one person among those of many', () => {
  const backend = useBackend();
  const teamId = newId();
  let ada: Person;

  before('a thousand projects of one person, and thirty thousand of others', async function () {
    this.timeout(60_000);
    const { sql, person } = backend.current;
    ada = await person();
    const ben = await person();
    await sql("insert into teams (id, owner_id, name) values (?, ?, 'Pollen')", [teamId, ben.userId]);
    await sql("insert into team_members (id, team_id, user_id, role) select gen_random_uuid(), ?, id, 'Member' from users", [teamId]);
    await sql(`insert into users (id, email, username, password_hash)
      select gen_random_uuid(), 'u' || at || '@example.org', 'crowd' || at, 'none' from generate_series(1, 300) at`);
    const projects = (owner: string, count: number, team: string | null, name: string): Promise<unknown> => sql(`
      insert into projects (id, owner_id, team_id, name, created_at)
      select gen_random_uuid(), ?, ?, ? || at, now() - at * interval '1 minute' from generate_series(1, ?::int) at`, [owner, team, name, count]);
    await projects(ada.userId, 500, null, 'own ');
    await projects(ben.userId, 300, teamId, 'team ');
    await projects(ben.userId, 200, null, 'shared ');
    await sql("insert into project_members (id, project_id, user_id, role) select gen_random_uuid(), id, ?, 'Member' from projects where name like 'shared %'", [ada.userId]);
    await sql("insert into teams (id, owner_id, name) select gen_random_uuid(), ?, 'Crowd ' || at from generate_series(1, 30) at", [ben.userId]);
    await sql(`insert into team_members (id, team_id, user_id, role)
      select gen_random_uuid(), t.id, u.id, 'Member' from teams t, users u where t.name like 'Crowd %' and u.username like 'crowd%'`);
    await sql(`insert into projects (id, owner_id, name, created_at)
      select gen_random_uuid(), u.id, 'crowd ' || at, now() - at * interval '1 minute' from users u, generate_series(1, 100) at where u.username like 'crowd%'`);
    await sql("insert into project_members (id, project_id, user_id, role) select gen_random_uuid(), id, owner_id, 'Owner' from projects where name like 'crowd %'");
    await sql("insert into project_tags (id, project_id, name, color) select gen_random_uuid(), id, 'Mobile', '#000000' from projects where name like '%7'");
    await sql('insert into project_favorites (user_id, project_id) select owner_id, id from projects');
    await sql("insert into project_favorites (user_id, project_id) select ?, id from projects where name like 'team %5'", [ada.userId]);
    await sql("update projects set archived_at = now() where name like '% 9'");
    for (const table of large) await sql(`analyze ${table}`);
  });

  const filters: readonly (readonly [string, Record<string, unknown>, number])[] = [
    ['nothing', {}, 997],
    ['team_id', { team_id: teamId }, 299],
    ['tag', { tag: 'mobile' }, 100],
    ['favorite', { favorite: true }, 529],
    ['no favorite', { favorite: false }, 468],
    ['archived', { archived: true }, 3],
    ['q', { q: 'TEAM 1' }, 111],
    ['all of them', { team_id: teamId, tag: 'MOBILE', favorite: false, q: '17' }, 4],
  ];

  for (const [name, query, total] of filters) {
    it(`filtered by ${name} are found by indexes, page and count, and nothing of others is read from end to end`, async () => {
      const { run, database: { db } } = backend.current;
      const { data } = await run('listProjects', ada, { query });
      expect(data.page.total).to.equal(total);
      const plans: string[] = [];
      const next = data.page.next_cursor === null ? [] : [{ ...query, cursor: data.page.next_cursor }];
      for (const asked of [query, ...next]) {
        for (const { text, values } of await boundStatements(() => run('listProjects', ada, { query: asked }))) {
          const { rows } = await db.knex.raw<{ rows: Record<'QUERY PLAN', string>[] }>(`explain ${text}`, values);
          plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        }
      }
      expect(plans.length).to.be.greaterThan(1);
      for (const plan of plans) for (const table of large) expect(plan).to.not.match(new RegExp(`Seq Scan on ${table}\\b`), plan);
    });
  }

  it('are each found once, walked by cursor, however one belongs to them', async () => {
    const { run } = backend.current;
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const { data }: { data: { items: { id: string }[]; page: { next_cursor: string | null } } } =
        await run('listProjects', ada, { query: { limit: 200, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...data.items.map(({ id }) => id));
      cursor = data.page.next_cursor;
    } while (cursor !== null);
    expect([walked.length, new Set(walked).size]).to.deep.equal([997, 997]);
    expect(await statementsOf(() => run('listProjects', ada))).to.have.length(2);
  });

  /** The statements of `work` as Knex built them, with their values. */
  async function boundStatements(work: () => Promise<unknown>): Promise<{ text: string; values: never }[]> {
    const { knex } = backend.current.database.db;
    const seen: { text: string; values: never }[] = [];
    const note = ({ sql: text, bindings }: { sql: string; bindings: unknown }): void => { seen.push({ text, values: bindings as never }); };
    knex.on('query', note);
    try {
      await work();
    } finally {
      knex.removeListener('query', note);
    }
    return seen.map(({ text, values }) => ({ text: text.replace(/\$\d+/g, '?'), values }));
  }
});

/** How lists of comments are read where there are many: 10,000 in the project, 200,000 in the table. */
import { expect } from 'chai';
import { commentCount, type CommentFilters, commentPage, type CommentSort } from '#domains/comments/listing-queries.ts';
import { commentSections } from '#domains/comments/export.ts';
import { commentByIdSql, deleteOfTaskSql, deleteTombstoneSql, hasRepliesSql } from '#domains/comments/queries.ts';
import { newId } from '#platform/ids.ts';
import type { Keyset } from '#platform/paging.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { planOf } from '../../support/plans.ts';
import { statementsOf } from '../../support/statements.ts';

const projects = 20;
const commentsOfProject = 10_000;
const none: CommentFilters = { entity_type: null, entity_id: null, path: null, parent_id: null, top_level: null, author_id: null, starred: null };
const moment = '2026-01-02T12:00:00.000Z';
const sorts: readonly CommentSort[] = ['created_at', '-created_at'];
/** Of every table that grows. */
const large = ['comments', 'comment_stars', 'comment_mentions', 'users'];

describe('lists of many comments', () => {
  // Rows by the hundred thousand are made in one statement.
  const backend = useBackend({ POSTGRES_STATEMENT_TIMEOUT_MS: '120000' });
  let ada: Person;
  let ben: Person;
  let projectId: string;
  let taskId: string;
  let rootId: string;

  before('two hundred thousand comments', async function () {
    this.timeout(240_000);
    const { person, sql } = backend.current;
    [ada, ben] = [await person(), await person()];
    const ids = Array.from({ length: projects }, () => newId());
    projectId = ids[0] ?? '';
    await sql("insert into projects (id, owner_id, name) select id, ?, 'Field Notes' from unnest(?::uuid[]) as id", [ada.userId, ids]);
    await sql("insert into users (id, email, username, password_hash) select gen_random_uuid(), 'crowd' || n || '@example.com', 'crowd-' || n, 'none' from generate_series(1, 20000) as n");
    await sql("insert into tasks (id, project_id, title, created_by) select gen_random_uuid(), p.id, 'Task ' || n, ? from unnest(?::uuid[]) as p (id), generate_series(1, 50) as n", [ada.userId, ids]);
    // The indexes are made anew over all rows at once, which takes a tenth of the time; they are those of the migration.
    const indexes = await sql<{ name: string; definition: string }>(`
      select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
       where i.indrelid in ('comments'::regclass, 'comment_stars'::regclass, 'comment_mentions'::regclass) and not i.indisprimary`);
    for (const { name } of indexes) await sql(`drop index ${name}`);
    // Four in ten on tasks, three on code, three on the project; one in ten begins a thread, nine reply to it; one in a hundred is Ben's.
    await sql(`
      create temporary table drawn as
      select gen_random_uuid() as id, p.id as project_id, n, (n - 1) / 10 as thread, case (n - 1) / 10 % 10 when 0 then 'task' when 1 then 'task' when 2 then 'task' when 3 then 'task' when 4 then 'code' when 5 then 'code' when 6 then 'code' else 'project' end as entity_type
        from unnest(?::uuid[]) as p (id), generate_series(1, ${commentsOfProject}) as n`, [ids]);
    await sql(`
      insert into comments (id, project_id, parent_id, depth, entity_type, entity_id, anchor, author_id, body, created_at)
      select d.id, d.project_id, case when d.id <> r.id then r.id end, case when d.id <> r.id then 1 else 0 end, d.entity_type,
             case d.entity_type when 'task' then t.id else d.project_id end,
             case d.entity_type when 'code' then jsonb_build_object('path', 'src/file-' || d.thread % 97 || '.tsx', 'line_start', 1, 'line_end', 2, 'commit', null) end,
             case when d.n % 100 = 0 then '${ben.userId}'::uuid else '${ada.userId}'::uuid end, 'The tiles flicker here ' || md5(d.n::text), timestamptz '2026-01-01' + d.n * interval '7 seconds'
        from drawn d join drawn r on r.project_id = d.project_id and r.thread = d.thread and r.n % 10 = 1
        join (select id, project_id, row_number() over (partition by project_id order by id) as n from tasks) t on t.project_id = d.project_id and t.n = 1 + d.thread % 50
       order by d.n`);
    await sql("insert into comment_stars (comment_id, user_id) select id, ? from drawn where n % 200 = 0", [ben.userId]);
    await sql(`
      insert into comment_stars (comment_id, user_id)
      select d.id, u.id from drawn d join (select id, row_number() over (order by id) as n from users) u on u.n = d.n where d.n % 2 = 0 on conflict do nothing`);
    await sql(`insert into comment_mentions (comment_id, user_id, position) select id, '${ben.userId}', 0 from drawn where n % 3 = 0`);
    for (const { definition } of indexes) await sql(definition);
    for (const table of ['projects', 'users', 'tasks', 'comments', 'comment_stars', 'comment_mentions']) await sql(`analyze ${table}`);
    [{ task: taskId, root: rootId }] = await sql<{ task: string; root: string }>("select entity_id as task, parent_id as root from comments where project_id = ? and entity_type = 'task' and parent_id is not null limit 1", [projectId]) as [{ task: string; root: string }];
  });

  const filtered = (): Readonly<Record<string, Partial<CommentFilters>>> => ({
    'tasks': { entity_type: 'task' },
    'code': { entity_type: 'code' },
    'previews, of which there are none': { entity_type: 'preview' },
    'one task': { entity_type: 'task', entity_id: taskId },
    'a task that nobody spoke of': { entity_type: 'task', entity_id: newId() },
    'one file': { entity_type: 'code', path: 'src/file-5.tsx' },
    'a file that nobody spoke of': { entity_type: 'code', path: 'x'.repeat(1_000) },
    'replies to one': { parent_id: rootId },
    'replies to none': { parent_id: newId() },
    'what begins threads': { top_level: true },
    'replies': { top_level: false },
    'what begins threads on one task': { entity_type: 'task', entity_id: taskId, top_level: true },
    'somebody': { author_id: ben.userId },
    'somebody who wrote nothing': { author_id: newId() },
    'starred': { starred: true },
    'not starred': { starred: false },
    'starred on one task': { entity_type: 'task', entity_id: taskId, starred: true },
    'somebody in a file': { entity_type: 'code', path: 'src/file-5.tsx', author_id: ben.userId },
    'all at once': { entity_type: 'code', entity_id: projectId, path: 'src/file-5.tsx', parent_id: rootId, top_level: false, author_id: ben.userId, starred: true },
  });
  const view = (): { projectId: string; userId: string } => ({ projectId, userId: ben.userId });
  const pages: readonly { limit: number; offset: number; after: Keyset | null }[] = [
    { limit: 50, offset: 0, after: null }, { limit: 200, offset: 5_000, after: null }, { limit: 200, offset: 0, after: { at: moment, id: newId() } },
  ];
  /** The first index a plan goes to: that of the page, before the lookups for its rows. */
  const firstIndex = (nodes: readonly string[]): string | undefined => nodes.find((node) => /Index/.test(node))?.split(' ').at(-1);

  it('are read in the order of an index, whatever values the plan is made for: all of them, and those on one thing', async () => {
    const { db } = backend.current.database;
    for (const [filters, index] of [[none, 'comments_created_at_idx'], [{ ...none, entity_type: 'task', entity_id: taskId }, 'comments_entity_idx']] as const) {
      for (const sort of sorts) {
        for (const page of pages) {
          for (const isGeneric of [false, true]) {
            const statement = commentPage(view(), filters, sort, page);
            expect(statement.name, 'a named statement').not.to.equal('');
            const { nodes, readWhole } = await planOf(db, statement, isGeneric);
            expect(firstIndex(nodes), nodes.join(' → ')).to.equal(index);
            // From far within, half a project may be fetched as it lies, and sorted.
            if (page.offset === 0 && filters === none) expect(nodes[nodes.indexOf('Limit') + 1], nodes.join(' → ')).to.equal(`Index Scan ${index}`);
            expect(readWhole.filter((table) => large.includes(table)), nodes.join(' → ')).to.deep.equal([]);
          }
        }
      }
    }
  });

  it('have an index for each filter, and use it', async () => {
    const { db } = backend.current.database;
    const { 'one file': file, 'replies to one': replies, 'what begins threads': roots, 'somebody': author, 'tasks': tasks, 'one task': task, 'replies': allReplies } = filtered();
    for (const [filters, index] of [
      [file, /^comments_path_idx$/], [replies, /^comments_parent_id_idx$/], [roots, /^comments_top_level_idx$/], [author, /^comments_author_id_idx$/],
      [tasks, /^comments_entity_type_idx$/], [task, /^comments_(entity|task_id)_idx$/], [allReplies, /^comments_(replies|created_at)_idx$/],
    ] as const) {
      for (const sort of sorts) {
        const { nodes } = await planOf(db, commentPage(view(), { ...none, ...filters }, sort, { limit: 20, offset: 0, after: null }));
        expect(firstIndex(nodes), nodes.join(' → ')).to.match(index);
      }
    }
    const { nodes } = await planOf(db, commentPage(view(), { ...none, starred: true }, 'created_at', { limit: 20, offset: 0, after: null }));
    expect(nodes.join(' → ')).to.contain('comment_stars_user_id_idx');
  });

  it('under every filter, in both orders and from any place are found by an index', async () => {
    const { db } = backend.current.database;
    const wrong: string[] = [];
    for (const [name, filters] of Object.entries(filtered())) {
      for (const sort of sorts) {
        for (const page of pages) {
          for (const isGeneric of [false, true]) {
            const { nodes, readWhole } = await planOf(db, commentPage(view(), { ...none, ...filters }, sort, page), isGeneric);
            if (readWhole.some((table) => large.includes(table))) wrong.push(`${name} by ${sort}, ${JSON.stringify(page)}, ${isGeneric}: ${nodes.join(' → ')}`);
          }
        }
      }
    }
    expect(wrong).to.deep.equal([]);
  }).timeout(120_000);

  it('are counted by an index under every filter', async () => {
    const { db } = backend.current.database;
    for (const [name, filters] of Object.entries({ everything: {}, ...filtered() })) {
      const { nodes, readWhole } = await planOf(db, commentCount(view(), { ...none, ...filters }));
      expect(readWhole.filter((table) => large.includes(table)), `${name}: ${nodes.join(' → ')}`).to.deep.equal([]);
    }
  });

  it('and what reads, deletes and exports them find theirs by an index', async () => {
    const { db } = backend.current.database;
    for (const [text, values] of [[commentByIdSql, [rootId, ben.userId]], [hasRepliesSql, [rootId]], [deleteTombstoneSql, [rootId]], [deleteOfTaskSql, [taskId]]] as const) {
      const { nodes, readWhole } = await planOf(db, { text, values }, true);
      expect(readWhole, nodes.join(' → ')).to.deep.equal([]);
    }
    for (const section of commentSections(db)) {
      const [text = ''] = await statementsOf(() => section.rows(ben.userId)[Symbol.asyncIterator]().next());
      const { nodes, readWhole } = await planOf(db, { text, values: [ben.userId, newId()] });
      expect(readWhole.filter((table) => large.includes(table)), `${section.name}: ${nodes.join(' → ')}`).to.deep.equal([]);
    }
  });

  it('are these statements, and answer what they should', async () => {
    const { run, sql } = backend.current;
    const path = { project_id: projectId };
    const whole = await run('listComments', ada, { path, query: { limit: 200 } });
    expect(whole.data.items).to.have.length(200);
    expect(whole.data.page.total).to.equal(10_000);
    expect(whole.data.items[0]).to.include({ reply_count: 9 });
    const total = async (query: Record<string, unknown>): Promise<number | null> => (await run('listComments', ada, { path, query })).data.page.total;
    expect(await total({ top_level: true })).to.equal(1_000);
    expect(await total({ entity_type: 'code' })).to.equal(3_000);
    expect(await total({ parent_id: rootId })).to.equal(9);
    expect(await total({ author_id: ben.userId })).to.equal(100);
    await sql("insert into comments (id, project_id, entity_type, entity_id, author_id, body) values (gen_random_uuid(), ?, 'project', ?, ?, 'one more')", [projectId, projectId, ada.userId]);
    expect(await total({}), 'beyond 10,000 nobody counts').to.equal(null);
  });
});

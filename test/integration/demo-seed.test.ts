import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import seed from '../../seeds/demo.ts';
import { demoAccount, demoProject } from '../../seeds/demo-account.ts';
import { people } from '../../seeds/demo-company.ts';
import { type Reply, useBackend } from '../support/backend.ts';

const seedFile = fileURLToPath(new URL('../../seeds/demo.ts', import.meta.url));
type Item = Record<string, unknown>;

describe('the demo company', function () {
  this.timeout(30_000);
  const backend = useBackend();

  /** What every table of the company holds. */
  const contents = async (): Promise<unknown> => {
    const { sql } = backend.current;
    const tables = await sql<{ name: string }>("select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'knex_%' and tablename <> 'migrations_lock' order by 1");
    return Promise.all(tables.map(async ({ name }) => [name, (await sql(`select count(*)::int as rows, md5(coalesce(string_agg(t::text, '' order by t::text), '')) as digest from "${name}" t`))[0]]));
  };
  const as = async (email: string): Promise<(path: string) => Promise<Reply>> => {
    const reply = await backend.current.http('POST', '/auth/login', { json: { email, password: demoAccount.password } });
    expect(reply.status, reply.text).to.equal(200);
    const headers = { authorization: `Bearer ${String(reply.data['access_token'])}` };
    return async (path) => {
      const answer = await backend.current.http('GET', path, { headers });
      expect(answer.status, `${path}: ${answer.text.slice(0, 500)}`).to.equal(200);
      return answer;
    };
  };
  const itemsOf = ({ data }: Reply): Item[] => data['items'] as Item[];

  it('is never made in production, also where its command is called there', async () => {
    const { env, database: { db } } = backend.current;
    let refused = '';
    await seed(db, { ...env, production: true }).catch((error: unknown) => { refused = String(error); });
    expect(refused).to.contain('not for production');
    expect(await db.knex('users').count({ made: '*' })).to.deep.equal([{ made: 0 }]);
    const child = spawn(process.execPath, [seedFile], { env: { ...process.env, NODE_ENV: 'production', DATABASE_URL: backend.current.database.url }, stdio: ['ignore', 'pipe', 'pipe'] });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(code, said).to.equal(1);
    expect(await db.knex('users').count({ made: '*' })).to.deep.equal([{ made: 0 }]);
  });

  it('is made by npm run seed, quickly, and a second run changes nothing', async () => {
    const { database: { db, url }, env } = backend.current;
    const run = async (): Promise<string> => {
      const child = spawn(process.execPath, [seedFile], { env: { ...process.env, NODE_ENV: 'development', DATABASE_URL: url, DATA_DIR: env.dataDir }, stdio: ['ignore', 'pipe', 'inherit'] });
      const [said] = await Promise.all([text(child.stdout), once(child, 'exit').then(([code]) => expect(code).to.equal(0))]);
      return said;
    };
    expect(await run()).to.contain(demoAccount.email).and.to.contain(demoAccount.password);
    const before = await contents();
    expect(await run()).to.contain('nothing was changed');
    const startedAt = performance.now();
    expect(await seed(db, env)).to.equal(false);
    expect(performance.now() - startedAt).to.be.lessThan(3_000);
    expect(await contents()).to.deep.equal(before);
  });

  it('lets people sign in and see their teams, projects, tags, favourites, invitations', async () => {
    const get = await as(demoAccount.email);
    expect((await get('/users/me')).data).to.include({ username: demoAccount.username });
    expect(itemsOf(await get('/teams')).map(({ name, role, member_count: count }) => [name, role, count])).to.deep.equal([['Larkspur Design', 'admin', 3], ['Larkspur Apps', 'owner', 7]]);
    const projects = itemsOf(await get('/projects'));
    // The newest is the one that the first preview is built of, and that the README's curl asks for.
    expect(projects.map(({ name }) => name)).to.deep.equal([demoProject.name, 'Basecamp Booking', 'Trail Guide', 'Design Kit']);
    expect(projects.filter(({ is_favorite: marked }) => marked).map(({ name }) => name)).to.deep.equal([demoProject.name, 'Design Kit']);
    expect(itemsOf(await get('/projects?tag=mobile')).map(({ name }) => name)).to.deep.equal([demoProject.name, 'Trail Guide']);
    expect(itemsOf(await get('/projects?archived=true')).map(({ name }) => name)).to.deep.equal(['Snowline']);
    expect(itemsOf(await get('/invitations')).map(({ target_name: name, status }) => [name, status])).to.deep.equal([['Hut Finder', 'pending']]);
    const [team] = itemsOf(await get('/teams')).filter(({ name }) => name === 'Larkspur Apps');
    expect(itemsOf(await get(`/teams/${String(team?.['id'])}/invitations`))).to.have.length(1);
    for (const name of Object.keys(people)) await as(`${name}@example.com`);
  });

  it('has work in every state, with labels, dependencies, dates on both sides of now and people who have it to do', async () => {
    const get = await as(demoAccount.email);
    const projects = itemsOf(await get('/projects'));
    const all: Item[] = [];
    for (const { id } of projects) all.push(...itemsOf(await get(`/projects/${String(id)}/tasks?limit=200`)));
    expect(all.length).to.be.within(40, 60);
    for (const status of ['todo', 'in_progress', 'in_review', 'done', 'cancelled']) expect(all.some((task) => task['status'] === status), status).to.equal(true);
    const due = all.flatMap((task) => (task['due_date'] === null ? [] : [Date.parse(task['due_date'] as string)]));
    expect(due.some((time) => time < Date.now()) && due.some((time) => time > Date.now())).to.equal(true);
    expect(all.filter((task) => task['is_blocked']).length).to.be.greaterThan(3);
    expect(all.filter((task) => (task['labels'] as unknown[]).length > 0).length).to.be.greaterThan(30);
    const [notes] = projects;
    const [thread] = itemsOf(await get(`/projects/${String(notes?.['id'])}/tasks?q=signal`));
    const said = itemsOf(await get(`/projects/${String(notes?.['id'])}/comments?entity_type=task&entity_id=${String(thread?.['id'])}`));
    expect(said.length).to.equal(5);
    expect(said.some((comment) => (comment['mentions'] as unknown[]).length > 0) && said.some((comment) => comment['parent_id'] !== null) && said.some((comment) => Number(comment['star_count']) > 1)).to.equal(true);
    expect(itemsOf(await get(`/projects/${String(notes?.['id'])}/comments?entity_type=code`))).to.have.length(2);
    expect(itemsOf(await get(`/projects/${String(notes?.['id'])}/activity`)).length).to.be.greaterThan(40);
  });

  it('was told of it: some read, some not, each as the product tells it', async () => {
    const get = await as(demoAccount.email);
    const told = itemsOf(await get('/notifications?limit=100'));
    const types = new Set(told.map(({ type }) => type));
    expect([...types]).to.include.members(['task.assigned', 'comment.mentioned', 'comment.replied', 'comment.created', 'invitation.received']);
    expect(told.some(({ is_read: isRead }) => isRead) && told.some(({ is_read: isRead }) => !isRead)).to.equal(true);
    expect(told.map(({ created_at: time }) => time)).to.deep.equal(told.map(({ created_at: time }) => time).sort().reverse());
  });

  it('is found by what it says, by whoever may see it', async () => {
    const get = await as(demoAccount.email);
    const found = async (q: string): Promise<unknown[][]> => itemsOf(await get(`/search?q=${encodeURIComponent(q)}`)).map(({ type, title }) => [type, title]);
    expect(await found('Field Notes')).to.deep.include(['project', demoProject.name]);
    // One letter is wrong.
    expect(await found('keybord')).to.deep.include(['task', 'Keyboard covers the last line on Android']);
    expect((await found('foreground service')).some(([type]) => type === 'comment')).to.equal(true);
    expect(await found('wardens'), 'of a project to which she is only invited').to.not.deep.include(['task', 'Ask three wardens what they would want']);
  });

  it('keeps the rules that services keep: who has something to do or is mentioned may open the project, and nothing done waits for what is not', async () => {
    const { sql } = backend.current;
    const belongs = (person: string, project: string): string => `
      (exists (select 1 from projects p where p.id = ${project} and p.owner_id = ${person})
       or exists (select 1 from projects p join team_members m on m.team_id = p.team_id and m.status = 'active' where p.id = ${project} and m.user_id = ${person})
       or exists (select 1 from project_members m where m.project_id = ${project} and m.user_id = ${person} and m.status = 'active'))`;
    expect(await sql(`select title from tasks t where assignee_id is not null and not ${belongs('t.assignee_id', 't.project_id')}`)).to.deep.equal([]);
    expect(await sql(`select title from tasks t where not ${belongs('t.created_by', 't.project_id')}`)).to.deep.equal([]);
    expect(await sql(`select body from comments c where not ${belongs('c.author_id', 'c.project_id')}`)).to.deep.equal([]);
    expect(await sql(`select c.body from comment_mentions m join comments c on c.id = m.comment_id where not ${belongs('m.user_id', 'c.project_id')}`)).to.deep.equal([]);
    expect(await sql(`select t.title from task_dependencies d join tasks t on t.id = d.task_id join tasks o on o.id = d.depends_on_task_id
      where t.project_id <> o.project_id or (t.status = 'done' and o.status not in ('done', 'cancelled'))`)).to.deep.equal([]);
    expect(await sql('select t.title from task_label_links k join tasks t on t.id = k.task_id join task_labels l on l.id = k.label_id where l.project_id <> t.project_id')).to.deep.equal([]);
    expect(await sql('select r.body from comments r join comments p on p.id = r.parent_id where (r.project_id, r.entity_type, r.entity_id) <> (p.project_id, p.entity_type, p.entity_id) or r.created_at <= p.created_at')).to.deep.equal([]);
    expect(await sql('select title from tasks where created_at > updated_at or created_at > now()')).to.deep.equal([]);
    expect(await sql("select t.title from tasks t join projects p on p.id = t.project_id where t.created_at < p.created_at")).to.deep.equal([]);
  });
});

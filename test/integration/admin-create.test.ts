import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openDatabase } from '#platform/database.ts';
import { startPostgres } from '#platform/embedded/postgres.ts';
import { newId } from '#platform/ids.ts';
import { migrateUp } from '#platform/migrate.ts';
import { type Reply, useBackend } from '../support/backend.ts';
import { emptyDatabase } from '../support/database.ts';
import { testEnvironment, testFolder } from '../support/services.ts';

const entry = fileURLToPath(new URL('../../src/admin-create.ts', import.meta.url));
const password = 'a phrase of the first admin';
const secrets = { JWT_SECRET: 'j'.repeat(40), ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'), WORKER_SHARED_SECRET: 'w'.repeat(40) };

interface Ended { readonly code: number | null; readonly output: string }

/** Runs the command in a process of its own, with what comes on its standard input. */
async function command(args: readonly string[], environment: Readonly<Record<string, string>>, input: string | null = `${password}\n`): Promise<Ended> {
  const child = spawn(process.execPath, [entry, ...args], { env: environment, cwd: testFolder(), stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output += chunk.toString(); });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  expect(output, 'the password is shown').not.to.contain(password);
  return { code, output };
}

describe('npm run admin:create', function () {
  this.timeout(60_000);
  const backend = useBackend();
  const production = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    NODE_ENV: 'production', BASE_URL: 'https://hive.example.com', DATABASE_URL: backend.current.database.url, REDIS_URL: backend.current.redis.url,
    STORAGE_DIR: join(testFolder(), 'admin-storage'), EMAIL_PROVIDER: 'smtp', SMTP_URL: 'smtp://127.0.0.1:1', EMAIL_FROM: 'Hive <hive@example.com>', ...secrets, ...more,
  });
  const newName = (): string => `root${newId().slice(-10)}`;
  const making = (username: string): string[] => ['--email', `${username}@example.com`, '--username', username];
  const signIn = (username: string, phrase = password): Promise<Reply> => backend.current.http('POST', '/auth/login', { json: { username, password: phrase } });
  const rightsOf = (username: string): Promise<Record<string, unknown>[]> => backend.current.sql(
    'select tier, tier_override, tier_override_until, email_verified_at is not null as is_verified from users where username = ?', [username]);
  const trailOf = (username: string): Promise<Record<string, unknown>[]> => backend.current.sql(
    `select event_type, a.user_id, entity_type, data from audit_logs a join users u on u.id = a.entity_id where username = ? and event_type = 'user.admin_created'`, [username]);

  it('makes one in production who can sign in and do what administrators do, whatever the subscription says', async () => {
    const username = newName();
    const { code, output } = await command(making(username), production());
    expect([code, output]).to.deep.equal([0, `${username} <${username}@example.com> is an administrator. Sign in with its password.\n`]);
    expect(await rightsOf(username)).to.deep.equal([{ tier: 'free', tier_override: 'admin', tier_override_until: null, is_verified: true }]);
    expect(await trailOf(username)).to.deep.equal([{ event_type: 'user.admin_created', user_id: null, entity_type: 'user', data: { promoted: false } }]);
    await backend.current.sql(`update users set tier = 'pro' where username = ?`, [username]);
    const signedIn = await signIn(username);
    expect([signedIn.status, (signedIn.data['user'] as Record<string, unknown>)['tier']]).to.deep.equal([200, 'admin']);
    const rows = await backend.current.http('GET', '/admin/tiers', { headers: { authorization: `Bearer ${String(signedIn.data['access_token'])}` } });
    expect(rows.status, rows.text + backend.current.logLines.join('')).to.equal(200);
  });

  it('run again changes nothing, asks for no password, and says so', async () => {
    const username = newName();
    await command(making(username), production());
    const { code, output } = await command(making(username.toUpperCase()), production(), null);
    expect(code).to.equal(0);
    expect(output).to.contain('is an administrator already. Nothing was changed.');
    expect(await trailOf(username)).to.have.length(1);
    expect((await signIn(username)).status).to.equal(200);
  });

  it('makes one of an account that there is only when told so, and leaves its password; open sessions have the right at once', async () => {
    const username = newName();
    const own = 'a phrase of somebody';
    const { data } = await backend.current.http('POST', '/auth/register', { json: { email: `${username}@example.com`, username, password: own } });
    const headers = { authorization: `Bearer ${String(data['access_token'])}` };
    const list = (): Promise<Reply> => backend.current.http('GET', '/admin/tiers', { headers });
    expect((await list()).status).to.equal(403);
    const asked = await command(making(username), production());
    expect(asked.code).to.equal(3);
    expect(asked.output).to.contain('--promote');
    const unconfirmed = await command([...making(username), '--promote'], production());
    expect([unconfirmed.code, unconfirmed.output.includes('confirmed the address')], unconfirmed.output).to.deep.equal([3, true]);
    expect(await trailOf(username)).to.deep.equal([]);
    expect((await list()).status).to.equal(403);
    await backend.current.sql('update users set email_verified_at = now() where username = ?', [username]);
    const { code } = await command(['--email', `${username}@example.com`, '--promote'], production(), null);
    expect(code).to.equal(0);
    expect(await trailOf(username)).to.deep.equal([{ event_type: 'user.admin_created', user_id: null, entity_type: 'user', data: { promoted: true } }]);
    expect((await list()).status).to.equal(200);
    expect((await signIn(username, own)).status).to.equal(200);
    expect((await signIn(username)).status).to.equal(401);
  });

  it('takes a right that ends for none, and makes one of it that does not', async () => {
    const username = newName();
    const { userId } = await backend.current.person('free');
    await backend.current.sql(`update users set username = ?, email = ?, tier_override = 'admin', tier_override_until = now() + interval '1 hour' where id = ?`, [username, `${username}@example.com`, userId]);
    expect((await command(making(username), production())).code).to.equal(3);
    expect((await command([...making(username), '--promote'], production())).code).to.equal(0);
    expect(await rightsOf(username)).to.deep.equal([{ tier: 'free', tier_override: 'admin', tier_override_until: null, is_verified: true }]);
  });

  it('refuses an account that is suspended or deleted, and names that belong to others', async () => {
    const [first, second] = [newName(), newName()];
    for (const username of [first, second]) expect((await command(making(username), production())).code).to.equal(0);
    const mixed = await command(['--email', `${first}@example.com`, '--username', second, '--promote'], production());
    expect([mixed.code, mixed.output.includes('another one that name')], mixed.output).to.deep.equal([3, true]);
    const half = await command(['--email', `${newName()}@example.com`, '--username', first, '--promote'], production());
    expect([half.code, half.output.includes('Another account')], half.output).to.deep.equal([3, true]);
    await backend.current.sql('update users set tier_override = null, suspended_at = now() where username = ?', [first]);
    await backend.current.sql('update users set tier_override = null, deleted_at = now() where username = ?', [second]);
    for (const username of [first, second]) expect((await command([...making(username), '--promote'], production())).code, username).to.equal(3);
    for (const username of [first, second]) expect((await rightsOf(username))[0]?.['tier_override']).to.equal(null);
  });

  it('holds the account to what a registration is held to', async () => {
    const username = newName();
    for (const [args, input, told] of [
      [making(username), 'short\n', 'password'],
      [making(username), 'passwordpassword\n', 'somebody would guess'],
      [making(username), `${username}1\n`, 'somebody would guess'],
      [making(username), `${'x'.repeat(129)}\n`, 'password'],
      [making(username), '', 'Standard input must hold the password'],
      [making(username), `${password}\nand more\n`, 'Standard input must hold the password'],
      [['--email', 'no address', '--username', username], `${password}\n`, 'email'],
      [['--email', `${username}@example.com`, '--username', 'x'], `${password}\n`, 'username'],
      [['--email', `${username}@example.com`], `${password}\n`, '--username'],
      [['--username', username], `${password}\n`, 'Usage'],
      [[...making(username), '--unknown'], `${password}\n`, 'Usage'],
      [[...making(username), 'positional'], `${password}\n`, 'Usage'],
    ] as const) {
      const { code, output } = await command(args, production(), input);
      expect([code, output.includes(told)], `${args.join(' ')}: ${output}`).to.deep.equal([2, true]);
    }
    expect(await rightsOf(username)).to.deep.equal([]);
  });

  it('takes no password as an argument', async () => {
    for (const args of [['--password', 'x'], ['--password=x']]) {
      const { code, output } = await command([...making(newName()), ...args], production());
      expect([code, output.includes('never an argument')], output).to.deep.equal([2, true]);
    }
  });

  it('lets one of several at the same moment make it', async () => {
    const username = newName();
    const ended = await Promise.all([1, 2, 3].map(() => command(making(username), production())));
    expect(ended.filter(({ output }) => output.includes('Sign in with its password'))).to.have.length(1);
    for (const { code } of ended) expect(code).to.be.oneOf([0, 3]);
    expect(await trailOf(username)).to.have.length(1);
  });

  it('refuses a database without its schema, and leaves it as it was; a lacking setting is named', async () => {
    const empty = await emptyDatabase();
    try {
      const { host, port, user, password: secret, database } = empty.env.database ?? { host: '', port: 0, user: '', password: null, database: '' };
      const url = `postgres://${user}:${encodeURIComponent(secret?.reveal() ?? '')}@${host}:${port}/${database}`;
      const { code, output } = await command(making(newName()), production({ DATABASE_URL: url }));
      expect([code, output.includes('npm run db:migrate')], output).to.deep.equal([1, true]);
      const db = openDatabase(empty.env);
      const { rows } = await db.knex.raw<{ rows: unknown[] }>("select tablename from pg_tables where schemaname = 'public'");
      await db.close();
      expect(rows).to.deep.equal([]);
    } finally {
      await empty.drop();
    }
    const { JWT_SECRET: _secret, ...lacking } = production();
    const { code, output } = await command(making(newName()), lacking);
    expect([code, output.includes('JWT_SECRET is required in production')], output).to.deep.equal([1, true]);
    const away = await command(making(newName()), production({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }));
    expect([away.code, away.output.startsWith('No account was changed')], away.output).to.deep.equal([1, true]);
  });

  it('needs no Redis that answers', async () => {
    const username = newName();
    expect((await command(making(username), production({ REDIS_URL: 'redis://127.0.0.1:1' }))).code).to.equal(0);
  });

  describe('on a development machine', () => {
    it('finds the PostgreSQL that npm start runs, with nothing configured', async () => {
      const folder = mkdtempSync(join(testFolder(), 'development-'));
      chmodSync(folder, 0o755);
      mkdirSync(join(folder, 'postgres'));
      const development = { DATA_DIR: folder };
      const before = await command(making('ada'), development);
      expect([before.code, before.output.includes('npm start does not run')], before.output).to.deep.equal([1, true]);
      expect(readdirSync(join(folder, 'postgres')), 'nothing is started or made').to.deep.equal([]);
      const postgres = await startPostgres({
        folder: join(folder, 'postgres'), logFile: join(folder, 'postgres.log'), settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' },
      });
      try {
        const env = { ...(await testEnvironment()), database: postgres.address };
        await migrateUp(env);
        expect((await command(making('ada'), development)).code).to.equal(0);
        const db = openDatabase(env);
        expect(await db.knex('users').select('username', 'tier_override')).to.deep.equal([{ username: 'ada', tier_override: 'admin' }]);
        await db.close();
      } finally {
        await postgres.stop();
      }
    });
  });
});

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { clientConfig } from '#platform/database/pool.ts';
import { startPostgres, type EmbeddedPostgres } from '#platform/embedded/postgres.ts';
import { identify, runsStill, waitUntil } from '#platform/embedded/processes.ts';
import { testFolder } from '../../support/services.ts';

const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

async function ask(server: EmbeddedPostgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client(clientConfig(server.address, 5_000, 'test'));
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  let folder: string;
  let server: EmbeddedPostgres | null = null;
  const start = async (): Promise<EmbeddedPostgres> => (server = await startPostgres({ folder: join(folder, 'home'), logFile: join(folder, 'postgres.log'), settings }));

  before(() => {
    folder = join(testFolder(), 'embedded-postgres');
    mkdirSync(folder, { recursive: true });
  });
  after(() => server?.stop());

  it('makes its data, listens on the loopback alone, and asks for a password', async () => {
    const first = await start();
    expect(first.adopted).to.equal(false);
    expect(await ask(first, `SELECT current_setting('listen_addresses') AS listen, current_setting('unix_socket_directories') AS sockets, current_setting('server_encoding') AS encoding`))
      .to.deep.equal([{ listen: '127.0.0.1', sockets: '', encoding: 'UTF8' }]);
    const stranger = new pg.Client({ ...clientConfig(first.address, 5_000, 'test'), password: 'guess' });
    expect(await stranger.connect().catch((error: unknown) => error)).to.have.property('code', '28P01');
    await ask(first, 'CREATE TABLE kept (id int)');
  });

  it('runs as somebody without rights when we are root, and as ourselves otherwise', () => {
    const pid = server?.process.pid ?? 0;
    const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    if (process.getuid?.() === 0) expect(uid).not.to.equal(0);
    else expect(uid).to.equal(process.getuid?.());
    expect(readFileSync(join(server?.home ?? '', 'data', 'pg_hba.conf'), 'utf8')).not.to.match(/^[^#]*\btrust\b/m);
  });

  it('is adopted by a start that finds it running', async () => {
    const before = server?.process;
    const again = await start();
    expect(again.adopted).to.equal(true);
    expect(again.process).to.deep.equal(before);
  });

  it('comes back on its port with its data after it was stopped', async () => {
    const port = server?.address.port;
    await server?.stop();
    const again = await start();
    expect([again.adopted, again.address.port]).to.deep.equal([false, port]);
    expect(await ask(again, 'SELECT count(*)::int AS n FROM kept')).to.deep.equal([{ n: 0 }]);
  });

  it('recovers after it was killed', async () => {
    const killed = server?.process ?? { pid: 0, started: '' };
    process.kill(killed.pid, 'SIGKILL');
    expect(await waitUntil(() => !runsStill(killed), 5_000)).to.equal(true);
    const again = await start();
    expect(again.adopted).to.equal(false);
    expect(await ask(again, 'SELECT count(*)::int AS n FROM kept')).to.deep.equal([{ n: 0 }]);
  });

  it('is not deceived by a pid file whose number belongs to somebody else now', async () => {
    const home = server?.home ?? '';
    const lines = readFileSync(join(home, 'data', 'postmaster.pid'), 'utf8').split('\n');
    await server?.stop();
    lines[0] = String(process.pid);
    writeFileSync(join(home, 'data', 'postmaster.pid'), lines.join('\n'));
    const again = await start();
    expect(again.adopted).to.equal(false);
    expect(again.process).not.to.deep.equal(identify(process.pid));
  });

  it('clears away the half of a start that was killed while it made its data', async () => {
    const home = join(folder, 'half');
    mkdirSync(join(home, 'data.new', 'base'), { recursive: true });
    const other = await startPostgres({ folder: home, logFile: join(folder, 'half.log'), settings });
    try {
      expect(readdirSync(other.home)).to.include('data').and.not.include('data.new').and.not.include('initdb-password');
    } finally {
      await other.stop();
    }
  });

  it('takes another port when its own was taken meanwhile', async () => {
    const port = server?.address.port ?? 0;
    await server?.stop();
    const { createServer } = await import('node:net');
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    try {
      expect((await start()).address.port).not.to.equal(port);
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
  });

  it('says what to do about data of another version', async () => {
    const home = join(folder, 'old');
    mkdirSync(join(home, 'data'), { recursive: true });
    writeFileSync(join(home, 'data', 'PG_VERSION'), '15\n');
    writeFileSync(join(home, 'password'), 'x\n');
    const failure = await startPostgres({ folder: home, logFile: join(folder, 'old.log') }).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error).and.have.property('message').that.includes('PostgreSQL 15');
  });
});

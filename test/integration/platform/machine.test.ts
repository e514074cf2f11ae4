import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { identify, isFree, pickPort, readIfThere, runsStill, type ProcessIdentity } from '#platform/embedded/processes.ts';
import { testFolder } from '../../support/services.ts';

const main = fileURLToPath(new URL('machine/main.ts', import.meta.url));

/** One `npm start` in a process of its own. */
class Run {
  readonly child: ChildProcess;
  output = '';
  readonly exit: Promise<number | string | null>;
  readonly port: number;

  constructor(folder: string, port: number, more: Record<string, string> = {}) {
    this.port = port;
    this.child = spawn(process.execPath, [main], {
      cwd: folder, stdio: ['ignore', 'pipe', 'pipe'],
      // The built-in Redis, whatever this machine has: no PATH that holds another.
      env: { PATH: '/nonexistent', DATA_DIR: join(folder, 'data'), PORT: String(port), LOG_LEVEL: 'info', ...more },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    this.exit = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve(signal ?? code)));
  }

  async until(text: string): Promise<void> {
    await until(() => this.output.includes(text), () => `"${text}" was never said:\n${this.output}`);
  }

  async ready(): Promise<void> {
    await this.until('Ready in');
  }

  async stop(): Promise<number | string | null> {
    this.child.kill('SIGINT');
    return await this.exit;
  }
}

async function until(check: () => boolean | Promise<boolean>, message: () => string = () => 'It did not come true.'): Promise<void> {
  const endAt = Date.now() + 40_000;
  while (!(await check())) {
    if (Date.now() > endAt) throw new Error(message());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const health = async (port: number): Promise<{ pid: number; database: string; redis: string } | null> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) });
    return answer.ok ? ((await answer.json()) as { pid: number; database: string; redis: string }) : null;
  } catch {
    return null;
  }
};

/** Everything that runs on a data folder: by the logs of the children and by the pid files of the services. */
function processesOf(folder: string): ProcessIdentity[] {
  const data = join(folder, 'data');
  const pids = [Number(readIfThere(join(data, 'postgres', 'data', 'postmaster.pid'))?.split('\n')[0])];
  const redis = readIfThere(join(data, 'redis', 'redis.json'));
  if (redis !== null) pids.push((JSON.parse(redis) as { process: { pid: number } }).process.pid);
  const worker = readIfThere(join(data, 'logs', 'worker-cpu.log'))?.match(/"pid":(\d+)/g)?.at(-1);
  if (worker !== undefined) pids.push(Number(worker.slice(6)));
  return pids.filter((pid) => pid > 0).map(identify).filter((identity) => identity !== null);
}

describe('npm start', function () {
  this.timeout(90_000);
  let folder: string;
  let port: number;
  let runs: Run[];

  before(async () => {
    mkdirSync(join(testFolder(), 'machine'), { recursive: true });
    folder = mkdtempSync(join(testFolder(), 'machine', 'm-'));
    chmodSync(folder, 0o755);
    port = await pickPort(null);
  });
  beforeEach(() => {
    runs = [];
  });
  afterEach(async function () {
    for (const run of runs) if (run.child.exitCode === null && run.child.signalCode === null) await run.stop();
    if (this.currentTest?.state === 'failed') for (const run of runs) process.stderr.write(run.output);
  });
  after(() => {
    expect(processesOf(folder), 'left running').to.deep.equal([]);
    rmSync(folder, { recursive: true, force: true });
  });
  const run = (more: Record<string, string> = {}): Run => {
    const started = new Run(folder, port, more);
    runs.push(started);
    return started;
  };

  it('brings everything up with nothing configured, says what serves each part, and stops it all', async () => {
    const first = run();
    await first.ready();
    await first.until(`first preview on http://localhost:${port}`);
    for (const part of ['PostgreSQL  embedded 18', 'Redis       built-in', 'Objects     files in data/storage', 'Mail        written to data/mail, and told here', 'Secrets     data/secrets.json', 'Logs        data/logs']) {
      expect(first.output).to.include(part);
    }
    await first.until('Mail to ada@example.com: Confirm your address  http://localhost/verify#a-link');
    expect(await health(port)).to.include({ redis: 'PONG' }).and.have.property('database').that.includes('PostgreSQL 18');
    // The worker starts last; its log line names its process.
    await until(() => processesOf(folder).length === 3);
    const running = processesOf(folder);
    expect(await first.stop()).to.equal(0);
    expect(running.filter(runsStill)).to.deep.equal([]);
    expect(await health(port)).to.equal(null);
  });

  it('seeds, and shows the first preview, on the first start alone', async () => {
    const again = run();
    await again.ready();
    expect(again.output).to.include('schema up to date');
    expect(await again.stop()).to.equal(0);
    expect(again.output).not.to.include('first preview');
  });

  it('puts no secret on the console or into a log', async () => {
    const started = run();
    await started.ready();
    await started.stop();
    const data = join(folder, 'data');
    const secrets = [
      ...Object.values(JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as Record<string, string>),
      readFileSync(join(data, 'postgres', 'password'), 'utf8').trim(),
      (JSON.parse(readFileSync(join(data, 'redis', 'redis.json'), 'utf8')) as { password: string }).password,
    ];
    expect(secrets).to.have.length(5);
    const said = [started.output, ...readdirSync(join(data, 'logs')).map((name) => readFileSync(join(data, 'logs', name), 'utf8'))].join('\n');
    for (const secret of secrets) expect(said.includes(secret)).to.equal(false);
  });

  it('refuses a second start on the same data folder, and leaves the first alone', async () => {
    const first = run();
    await first.ready();
    const second = new Run(folder, await pickPort(null));
    runs.push(second);
    expect(await second.exit).to.equal(3);
    expect(second.output).to.include(`already runs on ${join(folder, 'data')} (process ${first.child.pid})`);
    expect(await health(port)).not.to.equal(null);
    expect(await first.stop()).to.equal(0);
  });

  it('starts a crashed API again', async () => {
    const started = run();
    await started.ready();
    const before = await health(port);
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => undefined);
    await until(async () => ![undefined, before?.pid].includes((await health(port))?.pid));
    expect(started.output).to.include('api ended (exit code 7), starting it again');
    expect(await started.stop()).to.equal(0);
  });

  it('starts a crashed PostgreSQL and a crashed Redis again, where the API finds them', async () => {
    const started = run();
    await started.ready();
    const [postgres, redis] = processesOf(folder);
    for (const service of [postgres, redis]) process.kill(service?.pid ?? 0, 'SIGKILL');
    await started.until('PostgreSQL ended, starting it again');
    await started.until('Redis ended, starting it again');
    await until(async () => (await health(port)) !== null);
    expect(await started.stop()).to.equal(0);
  });

  it('leaves no orphan when it is killed, and the next start takes over what still runs', async () => {
    const killed = run();
    await killed.ready();
    const [postgres, ...others] = processesOf(folder);
    const api = identify((await health(port))?.pid ?? 0);
    killed.child.kill('SIGKILL');
    await killed.exit;
    await until(() => ![...others, ...(api === null ? [] : [api])].some(runsStill));
    expect(postgres !== undefined && runsStill(postgres)).to.equal(true);
    const next = run();
    await next.ready();
    expect(next.output).to.match(/PostgreSQL {2}embedded .*\(ran already\)/);
    expect(await next.stop()).to.equal(0);
    expect(postgres !== undefined && runsStill(postgres)).to.equal(false);
  });

  it('comes up after a kill at any moment of its start', async () => {
    for (const afterMs of [50, 150, 300, 500, 800, 1_200]) {
      const fresh = mkdtempSync(join(testFolder(), 'machine', 'k-'));
      chmodSync(fresh, 0o755);
      const killed = new Run(fresh, port);
      runs.push(killed);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      killed.child.kill('SIGKILL');
      await killed.exit;
      const next = new Run(fresh, port);
      runs.push(next);
      await next.ready();
      expect(await next.stop(), next.output).to.equal(0);
      expect(processesOf(fresh)).to.deep.equal([]);
      await until(() => isFree(port), () => `killed after ${afterMs} ms: somebody still holds the port`);
    }
  });

  it('ends at once at a second signal, and comes up after that', async () => {
    const started = run();
    await started.ready();
    await until(() => processesOf(folder).length === 3);
    // A worker that does not answer holds the ordered stop up.
    const worker = processesOf(folder).at(-1);
    process.kill(worker?.pid ?? 0, 'SIGSTOP');
    const askedAt = performance.now();
    started.child.kill('SIGINT');
    started.child.kill('SIGINT');
    await started.until('Stopping');
    expect(started.child.exitCode, 'the same signal twice is one').to.equal(null);
    // Whoever presses Ctrl-C again does so after more than half a second.
    await until(() => performance.now() - askedAt > 600);
    started.child.kill('SIGINT');
    expect(await started.exit).to.equal(130);
    expect(performance.now() - askedAt).to.be.lessThan(5_000);
    const next = run();
    await next.ready();
    expect(await next.stop()).to.equal(0);
  });

  it('stops in order when it is asked to in the middle of its start', async () => {
    const started = run();
    await started.until('Starting HiveSync');
    expect(await started.stop()).to.equal(0);
    expect(processesOf(folder)).to.deep.equal([]);
  });

  it('refuses production, starting nothing and making no secret', async () => {
    const fresh = join(folder, 'production');
    mkdirSync(fresh);
    const refused = new Run(fresh, port, {
      NODE_ENV: 'production', BASE_URL: 'https://h.example.com', JWT_SECRET: 'j'.repeat(40), ENCRYPTION_KEY: 'A'.repeat(43), WORKER_SHARED_SECRET: 'w'.repeat(40),
      DATABASE_URL: 'postgres://a:b@db/c', REDIS_URL: 'redis://cache', STORAGE_DIR: '/srv', EMAIL_PROVIDER: 'smtp', SMTP_URL: 'smtp://mail', EMAIL_FROM: 'a@b.c',
    });
    expect(await refused.exit).to.equal(2);
    expect(refused.output).to.include('node src/api.ts');
    const lacking = new Run(fresh, port, { NODE_ENV: 'production' });
    expect(await lacking.exit).to.equal(1);
    expect(lacking.output).to.include('JWT_SECRET is required in production');
    expect(existsSync(join(fresh, 'data'))).to.equal(false);
  });

  it('says that the port it was given is taken, and stops what it had started', async () => {
    const squatter: Server = createServer();
    await new Promise<void>((resolve, reject) => squatter.once('error', reject).listen(port, '127.0.0.1', resolve));
    try {
      const started = run();
      expect(await started.exit).to.equal(1);
      expect(started.output).to.include(`Port ${port} is taken`);
      expect(processesOf(folder)).to.deep.equal([]);
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
  });

  it('uses the database and the Redis it is given, and starts neither', async () => {
    const provider = run();
    await provider.ready();
    const data = join(folder, 'data');
    const redis = JSON.parse(readFileSync(join(data, 'redis', 'redis.json'), 'utf8')) as { port: number; password: string };
    const postgresPort = readFileSync(join(data, 'postgres', 'port'), 'utf8').trim();
    const fresh = join(folder, 'given');
    mkdirSync(fresh);
    const user = new Run(fresh, await pickPort(null), {
      DATABASE_URL: `postgres://hivesync:${readFileSync(join(data, 'postgres', 'password'), 'utf8').trim()}@127.0.0.1:${postgresPort}/hivesync`,
      REDIS_URL: `redis://:${redis.password}@127.0.0.1:${redis.port}`,
    });
    runs.push(user);
    await user.ready();
    expect(user.output).to.include(`PostgreSQL  yours at 127.0.0.1:${postgresPort}`).and.include(`Redis       yours at 127.0.0.1:${redis.port}`);
    expect(await user.stop()).to.equal(0);
    expect(readdirSync(join(fresh, 'data')).sort()).to.deep.equal(['logs', 'secrets.json']);
    expect(await health(port), 'the provider still runs').not.to.equal(null);
    expect(await provider.stop()).to.equal(0);
  });
});

/**
 * The whole system in its own processes, for tests that drive only the wire: API processes and workers on a cloned
 * database, a Redis database of their own and a fresh storage folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { HiveSync, type HiveSyncOptions, type TokenPair } from '#sdk/index.ts';
import { recordingFetch } from './operations.ts';
import { cloneDatabase, type TestDatabase } from './database.ts';
import { mailsIn, type SentMail } from './mails.ts';
import { ensureSdk } from './preview/sdk.ts';
import { freshRedis, type TestRedis } from './redis.ts';
import { testFolder } from './services.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const password = 'a test of the whole system';
let systems = 0;

export interface Process {
  readonly name: string;
  readonly child: ChildProcess;
  /** Everything it has logged so far. */
  log(): string;
  /** Ends it as a crash would, and waits for that. */
  kill(): Promise<void>;
}

export interface Person {
  readonly hive: HiveSync;
  readonly tokens: TokenPair;
  readonly password: string;
}

export interface SystemOptions {
  readonly apis?: number;
  readonly workers?: number;
  readonly variables?: Readonly<Record<string, string>>;
  /** Others than the run's, for tests that restart or wipe them; the system closes both at its end. */
  readonly database?: SystemDatabase;
  readonly redis?: SystemRedis;
}

/** Migrated, and nobody else's. */
export type SystemDatabase = Pick<TestDatabase, 'url' | 'drop'>;
export type SystemRedis = Pick<TestRedis, 'redis' | 'url' | 'close'>;

interface WorkerOptions {
  readonly entry?: string;
  readonly concurrency?: number;
  /** Of one that comes back after a crash; else a new one. */
  readonly name?: string;
}

export class System {
  readonly #database: SystemDatabase;
  readonly #redis: SystemRedis;
  readonly #folder: string;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #processes: Process[] = [];
  readonly #ports: number[] = [];
  #people = 0;

  private constructor(database: SystemDatabase, redis: SystemRedis, folder: string, variables: Readonly<Record<string, string>>) {
    this.#database = database;
    this.#redis = redis;
    this.#folder = folder;
    this.#variables = variables;
  }

  static async start({ apis = 1, workers = 0, variables = {}, ...own }: SystemOptions = {}): Promise<System> {
    if (workers > 0) await ensureSdk();
    const [database, redis] = [own.database ?? await cloneDatabase(), own.redis ?? await freshRedis()];
    systems += 1;
    const folder = join(testFolder(), `system-${systems}`);
    mkdirSync(folder, { recursive: true });
    // Workers keep their caches here and share the SDK sets, which take a minute to make.
    mkdirSync(join(root, '.hivesync', 'sdk'), { recursive: true });
    symlinkSync(join(root, '.hivesync', 'sdk'), join(folder, 'sdk'));
    const system = new System(database, redis, folder, variables);
    try {
      for (let count = 0; count < apis; count += 1) await system.startApi();
      await Promise.all(Array.from({ length: workers }, () => system.startWorker()));
    } catch (error) {
      await system.stop().catch(() => undefined);
      throw error;
    }
    return system;
  }

  /** Where the first API listens. */
  get baseUrl(): string {
    return this.urlOf(0);
  }

  urlOf(api: number): string {
    return `http://127.0.0.1:${this.#ports[api] ?? 0}`;
  }

  get redis(): TestRedis['redis'] {
    return this.#redis.redis;
  }

  /** For tests that ask the database so often that a connection for each question would cost too much. */
  get databaseUrl(): string {
    return this.#database.url;
  }

  async startApi(): Promise<Process> {
    const port = await freePort();
    this.#ports.push(port);
    return this.#launchApi(`api-${this.#ports.length - 1}`, port);
  }

  async #launchApi(name: string, port: number): Promise<Process> {
    // Every API of one system is reached by the same name: that of the first.
    const api = this.#spawn(name, 'src/api.ts', [], { PORT: String(port), BASE_URL: this.baseUrl });
    await until(`${api.name} to answer`, async () => {
      if (api.child.exitCode !== null) throw new Error(`${api.name} ended:\n${api.log()}`);
      return (await fetch(`http://127.0.0.1:${port}/health`).catch(() => null))?.ok === true;
    });
    return api;
  }

  /** Starts a worker and waits until it takes jobs. */
  async startWorker(variables: Readonly<Record<string, string>> = {}, how: WorkerOptions = {}): Promise<Process> {
    const { entry = 'src/worker.ts', concurrency = 2, name = `worker-${systems}-${this.#processes.length}` } = how;
    const worker = this.#spawn(name, entry, ['--class', 'cpu', '--concurrency', String(concurrency), '--name', name], {
      BASE_URL: this.baseUrl, ...variables,
    });
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${name} was not ready in time:\n${worker.log()}`)), 120_000);
      worker.child.on('message', (message: unknown) => {
        if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready') { clearTimeout(late); resolve(); }
      });
      worker.child.once('exit', () => { clearTimeout(late); reject(new Error(`${name} ended:\n${worker.log()}`)); });
    });
    return worker;
  }

  /** Workers that have not ended. */
  workers(): Process[] {
    return this.#processes.filter(({ name, child }) => name.startsWith('worker') && child.exitCode === null && child.signalCode === null);
  }

  /** Kills every API as a crash would; `restartApi` brings the first one back. */
  async killApis(): Promise<void> {
    await Promise.all(this.#processes.filter(({ name }) => name.startsWith('api')).map((api) => api.kill()));
  }

  /** What each of its processes has logged so far. */
  logs(): string[] {
    return this.#processes.map((one) => one.log());
  }

  /** Kills an API (the first) as a crash would and starts it anew on the same port. */
  async restartApi(number = 0): Promise<void> {
    const api = this.#processes.find(({ name, child }) => name === `api-${number}` && child.exitCode === null && child.signalCode === null);
    await api?.kill();
    await this.#launchApi(`api-${number}`, this.#ports[number] ?? 0);
  }

  /** A client without credentials. */
  anonymous(options: Partial<HiveSyncOptions> = {}): HiveSync {
    return new HiveSync({ baseUrl: this.baseUrl, fetch: recordingFetch, ...options });
  }

  /** Signs somebody up. Tiers are given by the database: the operation that gives them is an administrator's. */
  async person(tier: 'free' | 'pro' | 'premium' | 'admin' = 'premium'): Promise<Person> {
    this.#people += 1;
    const username = `person${systems}x${this.#people}`;
    const tokens = await this.anonymous().api.registerUser({ body: { email: `${username}@example.com`, username, password } });
    await this.sql('update users set tier = $2 where id = $1', [tokens.user.id, tier]);
    return { tokens, password, hive: this.anonymous({ accessToken: tokens.access_token }) };
  }

  /** The mails sent so far by any of its processes (to one address, if given), the oldest first. */
  mails(to?: string): SentMail[] {
    return mailsIn(this.#folder, to);
  }

  /** Waits for a mail to this address whose subject or text matches, the newest if several do. */
  async mail(to: string, about: RegExp = /^/): Promise<SentMail> {
    let found: SentMail | undefined;
    await until(`a mail to ${to} about ${about.source}`, () => {
      found = this.mails(to).findLast(({ subject, text }) => about.test(subject) || about.test(text));
      return found !== undefined;
    }, 20_000);
    return found as SentMail;
  }

  async sql(text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.#database.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends every process in order, and fails if one of them logged what must never happen. */
  async stop(): Promise<void> {
    for (const { child } of [...this.#processes].reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => { child.once('exit', resolve); });
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(hard);
    }
    const logs = this.logs();
    await this.#redis.close();
    await this.#database.drop();
    const bad = logs.flatMap((log) => log.split('\n')).filter((line) => /"event_type":"(referee\.disagreed|policy\.unasked|idempotency\.sealed_otherwise)"/.test(line));
    if (bad.length > 0) throw new Error(`The system disagreed with its contract, or with itself:\n${bad.slice(0, 5).join('\n')}`);
    for (const secret of [password, ...secretValues]) {
      if (logs.some((log) => log.includes(secret))) throw new Error('A secret stands in a log.');
    }
  }

  #spawn(name: string, entry: string, args: readonly string[], more: Readonly<Record<string, string>>): Process {
    const logPath = join(this.#folder, `${name}.log`);
    const out = createWriteStream(logPath, { flags: 'a' });
    const child = spawn(process.execPath, [join(root, entry), ...args], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH: process.env['PATH'], NODE_ENV: 'test', LOG_LEVEL: 'info', HOST: '127.0.0.1',
        DATABASE_URL: this.#database.url, REDIS_URL: this.#redis.url, DATA_DIR: this.#folder, STORAGE_DIR: join(this.#folder, 'storage'),
        CONTRACT_REFEREE: 'on', ...compileCache, ...secrets, ...this.#variables, ...more,
      },
    });
    child.stdout?.pipe(out);
    child.stderr?.pipe(out);
    const one: Process = {
      name, child,
      log: () => { try { return readFileSync(logPath, 'utf8'); } catch { return ''; } },
      kill: async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => { child.once('exit', resolve); });
        child.kill('SIGKILL');
        await ended;
      },
    };
    this.#processes.push(one);
    return one;
  }
}

const secrets = {
  JWT_SECRET: 'acceptance-jwt-secret-of-forty-characters',
  WORKER_SHARED_SECRET: 'acceptance-worker-secret-of-forty-chars',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
} as const;
const secretValues = Object.values(secrets);

/** What one process of a run has compiled the others need not: half a second of each. */
const compiled = process.env['NODE_COMPILE_CACHE'];
const compileCache = compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled };

/** Asks again until the condition holds; fails with its name after the time is up. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> {
  const endAt = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > endAt) throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

/** A system for the tests of a file (or of a describe). Read it inside tests and hooks only. */
export function useSystem(options: SystemOptions = {}): { readonly current: System } {
  let present: System | null = null;
  before('start the system', async function () {
    this.timeout(16 * 60_000);
    present = await System.start(options);
  });
  after('stop the system', async function () {
    this.timeout(60_000);
    const ended = present;
    present = null;
    await ended?.stop();
  });
  return {
    get current() {
      if (present === null) throw new Error('The system is there inside tests and hooks only.');
      return present;
    },
  };
}

import { fork, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { Secret, type RedisAddress } from '#config/environment.ts';
import { pause, withDeadline } from '../deadline.ts';
import { serviceAccount } from './account.ts';
import { endProcess, findOnPath, identify, lastLines, pickPort, readIfThere, runsStill, signalTo, type ProcessIdentity } from './processes.ts';

const startTimeoutMs = 15_000;

export interface EmbeddedRedis {
  readonly address: RedisAddress;
  /** `redis-server`, `valkey-server`, or `js-redis-server`, the built-in one. */
  readonly program: string;
  readonly adopted: boolean;
  readonly process: ProcessIdentity;
  stop(): Promise<void>;
  stopNow(): void;
}

export interface RedisOptions {
  /** Where the port, the password and the process are remembered. */
  readonly folder: string;
  readonly logFile: string;
  /** Where to look for redis-server and valkey-server: PATH. Empty text: take the built-in one. */
  readonly path: string;
}

/** What is remembered of a server from one start to the next. */
interface Kept {
  readonly program: string;
  readonly port: number;
  readonly password: string;
  readonly process: ProcessIdentity;
}

/**
 * Starts (or adopts) a Redis on the loopback with a password: redis-server or valkey-server from PATH, else the
 * built-in one. It keeps nothing on disk: whatever Redis holds may be lost.
 */
export async function startRedis(options: RedisOptions): Promise<EmbeddedRedis> {
  mkdirSync(options.folder, { recursive: true, mode: 0o755 });
  const keptFile = join(options.folder, 'redis.json');
  const kept = readKept(keptFile);
  const program = usable(findOnPath(['redis-server', 'valkey-server'], options.path));
  if (kept !== null && runsStill(kept.process)) {
    const address = addressOf(kept.port, kept.password);
    // The built-in one ends with its starter, so a live one is on its way out: never adopted.
    if (program !== null && kept.program === basename(program) && (await answers(address, kept.process, 5_000))) {
      return handleOf(address, kept.program, true, kept.process);
    }
    await endProcess(kept.process, [['SIGTERM', 5_000], ['SIGKILL', 5_000]]);
  }
  const password = kept?.password ?? randomBytes(24).toString('base64url');
  // A port may be taken between its choice and its use.
  for (let tries = 1; ; tries += 1) {
    const port = await pickPort(tries === 1 ? (kept?.port ?? null) : null);
    const server = program === null
      ? await launchBuiltIn(port, password, options.logFile)
      : await launchProgram(program, port, password, options);
    const name = program === null ? 'js-redis-server' : basename(program);
    const address = addressOf(port, password);
    if (server !== null && (await answers(address, server, startTimeoutMs))) {
      rmSync(keptFile, { force: true });
      writeFileSync(keptFile, `${JSON.stringify({ program: name, port, password, process: server } satisfies Kept)}\n`, { mode: 0o600 });
      return handleOf(address, name, false, server);
    }
    if (server !== null) await endProcess(server, [['SIGKILL', 5_000]]);
    if (tries === 4) throw new Error(`Redis (${name}) did not start. The end of its log (${options.logFile}):\n${lastLines(options.logFile)}`);
    await pause(200);
  }
}

/** The Redis of this folder, where it runs now; null where it does not. Starts nothing. */
export function findEmbeddedRedis(folder: string): RedisAddress | null {
  const kept = readKept(join(folder, 'redis.json'));
  return kept !== null && runsStill(kept.process) ? addressOf(kept.port, kept.password) : null;
}

const addressOf = (port: number, password: string): RedisAddress =>
  ({ host: '127.0.0.1', port, username: null, password: new Secret(password), tls: false, db: 0 });

const handleOf = (address: RedisAddress, program: string, adopted: boolean, server: ProcessIdentity): EmbeddedRedis => ({
  address, program, adopted, process: server,
  stop: async () => {
    if (!(await endProcess(server, [['SIGTERM', 5_000], ['SIGKILL', 5_000]]))) throw new Error(`Redis (process ${server.pid}) does not stop.`);
  },
  stopNow: () => {
    signalTo(server, 'SIGKILL');
  },
});

/** One that lies on PATH and cannot run (a missing library, another machine's program) counts as none. */
function usable(program: string | null): string | null {
  if (program === null) return null;
  const account = serviceAccount();
  const { status } = spawnSync(program, ['--version'], {
    cwd: '/', stdio: 'ignore', timeout: 10_000, env: { PATH: '/usr/bin:/bin' }, ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
  });
  return status === 0 ? program : null;
}

async function launchProgram(program: string, port: number, password: string, options: RedisOptions): Promise<ProcessIdentity | null> {
  const account = serviceAccount();
  const log = openSync(options.logFile, 'a', 0o640);
  // The configuration goes over standard input: an argument would show the password to every user of the machine.
  const child = spawn(program, ['-'], {
    cwd: '/', detached: true, stdio: ['pipe', log, log], env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
  });
  closeSync(log);
  const spawned = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('spawn', () => resolve(true));
  });
  if (!spawned || child.pid === undefined) return null;
  child.stdin?.on('error', () => undefined);
  child.stdin?.end([
    `port ${port}`, 'bind 127.0.0.1', 'protected-mode yes', `requirepass ${password}`, 'save ""', 'appendonly no',
    'daemonize no', 'maxmemory-policy noeviction', '',
  ].join('\n'));
  child.unref();
  return identify(child.pid);
}

async function launchBuiltIn(port: number, password: string, logFile: string): Promise<ProcessIdentity | null> {
  const log = openSync(logFile, 'a', 0o640);
  const child = fork(fileURLToPath(new URL('built-in-redis.ts', import.meta.url)), [], {
    detached: true, stdio: ['ignore', log, log, 'ipc'], execArgv: [], env: { PATH: '/usr/bin:/bin' },
  });
  closeSync(log);
  try {
    const listening = await withDeadline(
      () =>
        new Promise<boolean>((resolve) => {
          child.once('error', () => resolve(false));
          child.once('exit', () => resolve(false));
          child.once('message', () => resolve(true));
          child.send({ port, password });
        }),
      startTimeoutMs,
      'The start of the built-in Redis',
    );
    if (!listening || child.pid === undefined) return null;
    // Neither the child nor its channel keeps us running; the channel's end, when we die, ends the child.
    child.unref();
    child.channel?.unref();
    return identify(child.pid);
  } catch {
    child.kill('SIGKILL');
    return null;
  }
}

async function answers(address: RedisAddress, server: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const endAt = Date.now() + timeoutMs;
  while (Date.now() < endAt && runsStill(server)) {
    const redis = new Redis({
      host: address.host, port: address.port, password: address.password?.reveal() ?? '', lazyConnect: true,
      connectTimeout: 2_000, commandTimeout: 2_000, maxRetriesPerRequest: 0, retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      if ((await redis.ping()) === 'PONG') return true;
    } catch {
      // Not listening yet, or loading.
    } finally {
      redis.disconnect();
    }
    await pause(25);
  }
  return false;
}

function readKept(path: string): Kept | null {
  const text = readIfThere(path);
  if (text === null) return null;
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    return typeof kept.port === 'number' && typeof kept.password === 'string' && typeof kept.program === 'string'
      && typeof kept.process?.pid === 'number' && typeof kept.process.started === 'string'
      ? (kept as Kept)
      : null;
  } catch {
    // Written half by a start that was killed; nothing in it is needed.
    return null;
  }
}

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { Secret, type DatabaseAddress } from '#config/environment.ts';
import { sha256Hex } from '../crypto.ts';
import { clientConfig } from '../database/pool.ts';
import { sqlState } from '../database.ts';
import { pause } from '../deadline.ts';
import { canReach, reachableFolder, serviceAccount, type Account } from './account.ts';
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts';
import { runningPostgres } from './postgres-pid-file.ts';
import { endProcess, identify, lastLines, pickPort, readIfThere, runsStill, signalTo, type ProcessIdentity } from './processes.ts';

const user = 'hivesync';
const database = 'hivesync';
const majorVersion = '18';
const draftPrefix = 'data.new';
const initTimeoutMs = 120_000;
/** After a crash the server replays its log before it answers. */
const startTimeoutMs = 90_000;

export interface EmbeddedPostgres {
  readonly address: DatabaseAddress;
  readonly version: string;
  /** Whether it ran already, left by a start that was killed. */
  readonly adopted: boolean;
  /** Where its data lie. */
  readonly home: string;
  readonly process: ProcessIdentity;
  /** Fast shutdown; after 15 s an immediate one, from which the next start recovers. */
  stop(): Promise<void>;
  /** The immediate one, without waiting. */
  stopNow(): void;
}

export interface PostgresOptions {
  /** Where everything of this server is kept: `data/`, `lib/`, the password, the port. */
  readonly folder: string;
  readonly logFile: string;
  /** Settings beside the usual ones, `fsync: 'off'` for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts (or adopts) the PostgreSQL of this folder: makes its data at first, runs it as an unprivileged account when we
 * are root, on the loopback alone with a password of its own, on the port it had before while that is free. Resolves
 * when it answers and the database exists. It runs in a session of its own: a Ctrl-C is for us, and a kill of ours leaves it
 * to be adopted.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const account = serviceAccount();
  const home = prepareHome(options.folder, account);
  const data = join(home, 'data');
  const password = keptPassword(home, existsSync(data));
  const binaries = findPostgres(home, account);

  if (!existsSync(data)) await initialise(home, binaries, account, password);
  clearDrafts(home);
  const present = readIfThere(join(data, 'PG_VERSION'))?.trim();
  if (present !== majorVersion) {
    throw new Error(`${data} holds the data of PostgreSQL ${present ?? 'of no known version'}, and this is ${majorVersion}. Dump them with that version, or move the folder away.`);
  }

  const { server, port, adopted } = await adoptOrLaunch(home, data, binaries, account, password, options);
  await ensureDatabase(addressOf(port, password, 'postgres'));
  return {
    address: addressOf(port, password, database),
    version: binaries.version,
    adopted,
    home,
    process: server,
    stop: async () => {
      if (!(await endProcess(server, [['SIGINT', 15_000], ['SIGQUIT', 10_000]]))) {
        throw new Error(`PostgreSQL (process ${server.pid}) does not stop.`);
      }
    },
    stopNow: () => {
      signalTo(server, 'SIGQUIT');
    },
  };
}

/** The PostgreSQL of this folder, where it runs now; null where it does not. Starts nothing. */
export async function findEmbeddedPostgres(folder: string): Promise<DatabaseAddress | null> {
  const account = serviceAccount();
  const home = homeOf(folder, account);
  const data = join(home, 'data');
  if (!existsSync(data)) return null;
  const running = await runningPostgres(data);
  return running === null ? null : addressOf(running.port, keptPassword(home, true), database);
}

const addressOf = (port: number, password: Secret, name: string): DatabaseAddress =>
  ({ host: '127.0.0.1', port, user, password, database: name, ssl: 'disable' });

/** Under a closed folder the account could not reach its data: they then lie where it can, named after the folder. */
function homeOf(folder: string, account: Account | null): string {
  if (account === null || canReach(dirname(folder), account)) return folder;
  return join(reachableFolder(account), `postgres-data-${sha256Hex(folder).slice(0, 16)}`);
}

function prepareHome(folder: string, account: Account | null): string {
  const home = homeOf(folder, account);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  if (account !== null) chmodSync(home, 0o755);
  return home;
}

function keptPassword(home: string, dataExist: boolean): Secret {
  const path = join(home, 'password');
  const kept = readIfThere(path)?.trim();
  if (kept !== undefined && kept !== '') return new Secret(kept);
  if (dataExist) throw new Error(`${path} is missing, and without it nobody gets into ${join(home, 'data')}. Restore it, or move the data folder away.`);
  const made = randomBytes(24).toString('base64url');
  writeFileSync(path, `${made}\n`, { mode: 0o600 });
  return new Secret(made);
}

/**
 * initdb into a folder that gets its name only when it is whole: a start killed half-way leaves nothing in the way. The
 * folder is each start's own, because the initdb of a killed one goes on for a moment.
 */
async function initialise(home: string, binaries: PostgresBinaries, account: Account | null, password: Secret): Promise<void> {
  const draft = join(home, `${draftPrefix}${randomBytes(4).toString('hex')}`);
  const passwordFile = join(home, 'initdb-password');
  rmSync(passwordFile, { force: true });
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, `${password.reveal()}\n`, { mode: 0o600 });
  if (account !== null) {
    chownSync(draft, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  try {
    await runInitdb(binaries, account, home, [
      '-D', draft, '-U', user, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8',
      // PostgreSQL's own C.UTF-8: the same order on every machine, whichever locales it has.
      '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions',
    ]);
    renameSync(draft, join(home, 'data'));
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Removes what killed starts left. Where their initdb still writes, the folder stays until the next start. */
function clearDrafts(home: string): void {
  for (const name of readdirSync(home).filter((entry) => entry.startsWith(draftPrefix))) {
    try {
      rmSync(join(home, name), { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error;
    }
  }
}

async function runInitdb(binaries: PostgresBinaries, account: Account | null, home: string, args: readonly string[]): Promise<void> {
  const child = spawn(binaries.initdb, args, { ...spawnOptions(binaries, account, home), stdio: ['ignore', 'pipe', 'pipe'], timeout: initTimeoutMs });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-4_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`PostgreSQL could not make its data folder (initdb ended with ${code ?? 'a signal'}):\n${output.trim()}`);
}

function spawnOptions(binaries: PostgresBinaries, account: Account | null, home: string) {
  return {
    // The account must be able to enter its working directory.
    cwd: home,
    env: { LD_LIBRARY_PATH: binaries.libraryPath, LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' },
    ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
  };
}

/**
 * The running server of this data folder, or a new one. It looks again before each try: a start that was killed just
 * after it launched a server has left no pid file yet, and of two servers PostgreSQL itself lets only the first live.
 */
async function adoptOrLaunch(
  home: string, data: string, binaries: PostgresBinaries, account: Account | null, password: Secret, options: PostgresOptions,
): Promise<{ server: ProcessIdentity; port: number; adopted: boolean }> {
  const portFile = join(home, 'port');
  const remembered = Number(readIfThere(portFile));
  for (let tries = 1; ; tries += 1) {
    const running = await runningPostgres(data);
    if (running !== null) {
      if (await answers(addressOf(running.port, password, 'postgres'), running.process, 30_000)) {
        writeFileSync(portFile, `${running.port}\n`);
        return { server: running.process, port: running.port, adopted: true };
      }
      // It runs and does not answer: nothing to adopt.
      await endProcess(running.process, [['SIGINT', 15_000], ['SIGQUIT', 10_000]]);
    }
    // The port may be taken between its choice and its use: another one at the next try.
    const port = await pickPort(tries === 1 && remembered > 0 ? remembered : null);
    const server = await launch(home, data, port, binaries, account, options);
    if (server !== null && (await answers(addressOf(port, password, 'postgres'), server, startTimeoutMs))) {
      writeFileSync(portFile, `${port}\n`);
      return { server, port, adopted: false };
    }
    if (server !== null) await endProcess(server, [['SIGQUIT', 10_000]]);
    if (tries === 4) throw new Error(`PostgreSQL did not start. The end of its log (${options.logFile}):\n${lastLines(options.logFile)}`);
    // A dead server's processes may take a moment to go.
    await pause(500);
  }
}

async function launch(
  home: string, data: string, port: number, binaries: PostgresBinaries, account: Account | null, options: PostgresOptions,
): Promise<ProcessIdentity | null> {
  const log = openSync(options.logFile, 'a', 0o640);
  const child = spawn(binaries.postgres, ['-D', data, ...settingsOf(port, options.settings ?? {})], {
    ...spawnOptions(binaries, account, home), detached: true, stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
  child.unref();
  return identify(pid);
}

function settingsOf(port: number, more: Readonly<Record<string, string>>): string[] {
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '100',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A container's /dev/shm is often 64 MB, too small for a parallel query: use files then.
    ...(smallSharedMemory() ? { dynamic_shared_memory_type: 'mmap' } : {}),
    ...more,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function smallSharedMemory(): boolean {
  try {
    const { bsize, blocks } = statfsSync('/dev/shm');
    return bsize * blocks < 256 * 1024 * 1024;
  } catch {
    return true;
  }
}

/** Waits until the server takes a connection; false when it died or the time is over. A refused password is an error. */
async function answers(address: DatabaseAddress, server: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const endAt = Date.now() + timeoutMs;
  while (Date.now() < endAt && runsStill(server)) {
    const client = new pg.Client(clientConfig(address, 5_000, 'hivesync start'));
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return true;
    } catch (error) {
      // 28xxx: who we are was refused. Everything else (starting up, not listening yet) passes.
      if (sqlState(error)?.startsWith('28')) throw new Error('The embedded PostgreSQL refuses its own password.', { cause: error });
    }
    await pause(25);
  }
  return false;
}

async function ensureDatabase(address: DatabaseAddress): Promise<void> {
  const client = new pg.Client(clientConfig(address, 60_000, 'hivesync start'));
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (rows.length === 0) await client.query(`CREATE DATABASE ${database}`);
  } finally {
    await client.end();
  }
}

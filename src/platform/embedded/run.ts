/**
 * The supervisor of one machine: what stands behind `npm start`. It starts what is not configured, migrates, seeds once,
 * keeps the API and the workers running, and takes everything down in order.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EnvironmentError, readEnvironment, type Environment } from '#config/environment.ts';
import { openDatabase } from '../database.ts';
import { pause } from '../deadline.ts';
import { migrateUp } from '../migrate.ts';
import { keepRunning, type Child } from './children.ts';
import { AlreadyRunningError, lockMachine } from './machine-lock.ts';
import { doOnce } from './done-once.ts';
import { isFree } from './processes.ts';
import { startServices, type EmbeddedServices } from './services.ts';

export interface Program {
  readonly name: string;
  readonly entry: string;
  readonly variables?: Readonly<Record<string, string>>;
}

export interface MachineOptions {
  readonly source: Readonly<Record<string, string | undefined>>;
  /** The working directory: where `.env` lies. */
  readonly directory: string;
  readonly api: Program;
  readonly workers: readonly Program[];
  /** A module whose default export `seed(db, env)` fills the demo data; run once per database. */
  readonly seedFile: string;
  /** An account of the demo data; said at every start. */
  readonly signInAs?: string;
  /** A module whose default export `firstPreview(env, say, onWorkerMessage)` shows a first preview; run once per database. */
  readonly firstPreviewFile: string;
  /** Where a line for the person at the console goes. */
  readonly say: (line: string) => void;
  /** Aborted when the machine is to go down; its reason is said. */
  readonly signal: AbortSignal;
}

export interface Machine {
  /** The exit code, once everything is down. */
  readonly done: Promise<number>;
  /** Kills everything at once; the next start recovers. */
  stopNow(): void;
}

const healthTimeoutMs = 60_000;
const portsToTry = 20;

/** Brings one machine up and keeps it up until `signal`. */
export function runMachine(options: MachineOptions): Machine {
  const started: { services: EmbeddedServices | null; api: Child | null; workers: Child[] } = { services: null, api: null, workers: [] };
  return {
    done: superviseUntilDone(options, started),
    stopNow: () => {
      for (const child of [...started.workers, ...(started.api === null ? [] : [started.api])]) child.stopNow();
      started.services?.stopNow();
    },
  };
}

async function superviseUntilDone(
  options: MachineOptions, started: { services: EmbeddedServices | null; api: Child | null; workers: Child[] },
): Promise<number> {
  const { say, signal } = options;
  let lock: { release(): void } | null = null;
  let code = 0;
  let graceMs = 10_000;
  try {
    const env = readEnvironment(options.source, { directory: options.directory });
    if (env.production) {
      say('npm start runs everything on one machine, embedded services included, and is not for production.');
      say('With NODE_ENV=production start each part by itself: node src/api.ts and node src/worker.ts.');
      return 2;
    }
    graceMs = Math.min(env.shutdownTimeoutMs, 10_000);
    mkdirSync(env.dataDir, { recursive: true, mode: 0o755 });
    lock = await lockMachine(env.dataDir);
    const startedAt = Date.now();
    say('Starting HiveSync on this machine …');
    const services = await startServices(env, options.source['PATH'] ?? '', say);
    started.services = services;
    signal.throwIfAborted();

    const port = await choosePort(env);
    const variables: Record<string, string | undefined> = { ...options.source, ...services.variables, PORT: String(port) };
    const resolved = readEnvironment(variables, { directory: options.directory });
    const applied = await migrateUp(resolved);
    signal.throwIfAborted();
    await once(resolved, 'demo_seed', options.seedFile, async (seed: Seed, db) => {
      await seed(db, resolved);
    });
    signal.throwIfAborted();
    for (const line of overview(resolved, env, services, options, applied.length)) say(line);

    const logs = join(env.dataDir, 'logs');
    const listeners = new Set<MessageListener>([(message) => { if (isForThePerson(message)) say(message.line); }]);
    const start = (program: Program, given: Readonly<Record<string, string | undefined>> = variables): Child => keepRunning({
      name: program.name, entry: program.entry, env: { ...given, ...program.variables }, logFile: join(logs, `${program.name}.log`), onCrash: say,
      onMessage: (message) => { for (const listener of listeners) listener(message); },
    });
    started.api = start(options.api);
    await raceAbort([waitForHealth(port, resolved, signal), started.api.failed], signal);
    // A worker knows the backend by its operations alone, so it is not told where the database is.
    const { DATABASE_URL: _databaseUrl, ...workerVariables } = variables;
    started.workers = options.workers.map((program) => start(program, workerVariables));
    say(`Ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s. Ctrl-C stops everything.`);

    const failures = [started.api, ...started.workers].map((child) => child.failed);
    void once(resolved, 'first_preview', options.firstPreviewFile, async (firstPreview: FirstPreview) => {
      await firstPreview(resolved, say, (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      });
    }).catch((error: unknown) => say(`The first preview did not work: ${messageOf(error)}`));
    await raceAbort(failures, signal);
  } catch (error) {
    if (!signal.aborted) {
      code = error instanceof AlreadyRunningError ? 3 : 1;
      say(error instanceof EnvironmentError || error instanceof Error ? error.message : String(error));
    }
  }
  if (!(await takeDown(started, graceMs, say))) code = code === 0 ? 1 : code;
  lock?.release();
  return code;
}

type Seed = (db: ReturnType<typeof openDatabase>, env: Environment) => Promise<void>;
type MessageListener = (message: unknown) => void;
type FirstPreview = (env: Environment, say: (line: string) => void, onWorkerMessage: (listener: MessageListener) => () => void) => Promise<void>;

/** What a program has to tell the person at the console: a mail that was written, with its link. */
const isForThePerson = (message: unknown): message is { readonly line: string } =>
  typeof message === 'object' && message !== null && 'type' in message && message.type === 'say' && 'line' in message && typeof message.line === 'string';

/** Workers first, because they still report to the API; then the API; then what both stand on. */
async function takeDown(
  started: { services: EmbeddedServices | null; api: Child | null; workers: Child[] }, graceMs: number, say: (line: string) => void,
): Promise<boolean> {
  if (started.services !== null) say('Stopping …');
  const results = await Promise.allSettled(started.workers.map((worker) => worker.stop(graceMs)));
  results.push(...(await Promise.allSettled([started.api?.stop(graceMs)])));
  results.push(...(await Promise.allSettled([started.services?.stop()])));
  const failures = results.filter((result) => result.status === 'rejected');
  for (const failure of failures) say(messageOf(failure.reason));
  if (started.services !== null) say('Stopped.');
  return failures.length === 0;
}

/** PORT as it was set, which must be free; or, where nobody set one, the next free one after the default. */
async function choosePort(env: Environment): Promise<number> {
  if (await isFree(env.port, env.host)) return env.port;
  if (env.given.has('PORT')) throw new Error(`Port ${env.port} is taken by another program. Set PORT to a free one.`);
  for (let port = env.port + 1; port <= env.port + portsToTry; port += 1) if (await isFree(port, env.host)) return port;
  throw new Error(`Ports ${env.port} to ${env.port + portsToTry} are all taken. Set PORT to a free one.`);
}

/** Runs the default export of a module once per database, if the file is there. */
async function once<Work>(
  env: Environment, name: string, file: string, work: (part: Work, db: ReturnType<typeof openDatabase>) => Promise<void>,
): Promise<void> {
  if (!existsSync(file)) return;
  const db = openDatabase({ ...env, postgresPoolSize: 4 });
  try {
    await doOnce(db, name, async () => {
      const loaded = (await import(pathToFileURL(file).href)) as { default: Work };
      await work(loaded.default, db);
    });
  } finally {
    await db.close();
  }
}

async function waitForHealth(port: number, env: Environment, signal: AbortSignal): Promise<void> {
  const host = env.host === '0.0.0.0' ? '127.0.0.1' : env.host === '::' ? '[::1]' : env.host.includes(':') ? `[${env.host}]` : env.host;
  const endAt = Date.now() + healthTimeoutMs;
  while (Date.now() < endAt) {
    try {
      const answer = await fetch(`http://${host}:${port}/health`, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
      await answer.body?.cancel();
      if (answer.ok) return;
    } catch {
      // Not listening yet.
    }
    await pause(50, signal);
  }
  throw new Error(`The API did not become healthy within ${healthTimeoutMs / 1000} s; see its log in ${join(env.dataDir, 'logs')}.`);
}

async function raceAbort(promises: readonly Promise<unknown>[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([...promises, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Which backend serves each part. */
function overview(env: Environment, given: Environment, services: EmbeddedServices, options: MachineOptions, migrations: number): string[] {
  const shown = (path: string): string => {
    const inside = relative(options.directory, path);
    return inside.startsWith('..') ? path : inside;
  };
  const { postgres, redis } = services;
  const rows: [string, string][] = [
    ['PostgreSQL', postgres === null
      ? `yours at ${env.database?.host}:${env.database?.port}`
      : `embedded ${postgres.version} at 127.0.0.1:${postgres.address.port}, data in ${shown(postgres.home)}${postgres.adopted ? ' (ran already)' : ''}`],
    ['', migrations === 0 ? 'schema up to date' : `${migrations} migration${migrations === 1 ? '' : 's'} applied`],
    ['Redis', redis === null
      ? `yours at ${env.redis?.host}:${env.redis?.port}`
      : `${redis.program === 'js-redis-server' ? 'built-in (js-redis-server; install redis-server for more speed)' : redis.program} at 127.0.0.1:${redis.address.port}${redis.adopted ? ' (ran already)' : ''}`],
    ['Objects', env.r2Endpoint === null ? `files in ${shown(env.storageDir)}` : `bucket ${env.r2Bucket} at ${env.r2Endpoint}`],
    ['Mail', env.emailProvider === 'console' ? `written to ${shown(join(env.dataDir, 'mail'))}, and told here` : `sent by ${env.emailProvider}`],
    ['Secrets', given.given.has('JWT_SECRET') ? 'from the environment' : shown(join(env.dataDir, 'secrets.json'))],
    ['API', `${env.baseUrl}/api/v1`],
    ...(options.signInAs === undefined ? [] : [['Sign in as', options.signInAs] satisfies [string, string]]),
    ['Workers', options.workers.map(({ name }) => name.replace(/^worker-/, '')).join(', ') || 'none'],
    ['Logs', shown(join(env.dataDir, 'logs'))],
  ];
  return ['', ...rows.map(([part, what]) => `  ${part.padEnd(12)}${what}`), ''];
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

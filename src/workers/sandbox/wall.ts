/**
 * The wall around a build process. Two kinds:
 *
 * - `bubblewrap`: its own mount, pid, network, ipc, uts and user namespaces; no capability, no environment, no writable
 *   path but a bounded tmpfs; of the host only the SDK set, the builder's own code, `node`, `prlimit` and the libraries
 *   those two load, all read-only. Node's permission model stands inside as the second wall.
 * - `permission`: Node's permission model and the bounds alone, where bubblewrap is missing or may not work. It keeps a
 *   build's JavaScript in its folders, whose size and number of files are looked at ten times a second; it does not stop the
 *   network, nor a fault in Node itself.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DiskBounds, removeFolder } from './disk-use.ts';
import { findProgram, librariesOf } from './libraries.ts';

export type SandboxKind = 'bubblewrap' | 'permission';

export type Bounds = {
  /** Heap and native memory of the process together; it is ended when it holds more. */
  memoryBytes: number;
  /** All sources of one build together. */
  sourceBytes: number;
  sourceFiles: number;
  /** Processor time over the whole life of the process. */
  cpuSeconds: number;
};

export type Command = {
  program: string;
  args: string[];
  env: Record<string, string>;
  uid: number | null;
  /** The one place it can write to, as it sees it, where that is a disk in memory of its own. */
  memoryDisk: string | null;
  /** What it may keep on a disk of the host, where that is what it writes to: nothing but a look from outside bounds it. */
  disk: DiskBounds | null;
  /** Ends what was made on the host for this process; safe to call twice. */
  dispose: () => void | Promise<void>;
};

export type Inside = { sdkDir: string; cacheDir: string };

/** The builder's own code: all that runs in the sandbox. */
const childDir = fileURLToPath(new URL('../preview/child', import.meta.url));
const base = '/b';
/** Threads count as processes: Node itself has about a dozen. */
const maxProcesses = 48;
/**
 * Beside the measured limit, as a hard end where sampling comes too late. Node maps 570 MB of data that it never touches
 * (measured), which the kernel counts here.
 */
const dataSlackBytes = 1024 * 1024 * 1024;
const probeTimeoutMs = 10_000;
/** Beside the sources themselves, wherever they lie: what a build writes but them. */
const diskSlackBytes = 16 * 1024 * 1024;
/** A file, and the two folders for each that a project may have. */
const entriesPerFile = 3;
/** What a build writes to warm up. */
const entriesSlack = 100;
/** A file that was removed and is open still holds its bytes: so many at most. */
const maxOpenFiles = 512;
/**
 * When the worker is root, each process gets a user of its own out of this range, which nobody else has. Without one
 * (that user could not reach the data folder) bubblewrap runs as root and the kernel does not bound its processes; the
 * second wall still lets none be started.
 */
const firstUid = 1_610_000_000;
const uidRange = 1_000_000;
let nextUid = process.pid % uidRange;

const freshUid = (): number => {
  nextUid = (nextUid + 1) % uidRange;
  return firstUid + nextUid;
};

type Bubblewrap = { program: string; prlimit: string; libraries: string[]; extra: string[]; dropRoot: boolean };

const nodeArguments = (places: string[], writable: string, memoryBytes: number): string[] => [
  '--permission',
  ...places.map((place) => `--allow-fs-read=${place}`),
  `--allow-fs-write=${writable}`,
  '--disable-warning=ExperimentalWarning',
  '--no-addons',
  '--disallow-code-generation-from-strings',
  `--max-old-space-size=${Math.max(64, Math.floor((memoryBytes * 0.75) / 1024 / 1024))}`,
  // Most builds end before the heap, of 200 MB when they begin, has grown so far: none waits for a collection of all of it, which
  // takes 50 ms (measured). A process that waits for its job holds 30 MB more.
  `--initial-old-space-size=${Math.max(64, Math.floor((memoryBytes * 0.375) / 1024 / 1024))}`,
];

const mountArguments = (wrap: Bubblewrap): string[] => [
  '--unshare-all',
  '--die-with-parent',
  '--new-session',
  '--clearenv',
  '--cap-drop', 'ALL',
  '--uid', '65534',
  '--gid', '65534',
  '--hostname', 'preview',
  ...wrap.extra,
  '--dev', '/dev',
  '--ro-bind', process.execPath, '/n/node',
  '--ro-bind', wrap.prlimit, '/n/prlimit',
  ...wrap.libraries.flatMap((path) => ['--ro-bind', path, path]),
  '--ro-bind', childDir, `${base}/w`,
];

const bubblewrapCommand = (wrap: Bubblewrap, inside: Inside, bounds: Bounds): Command => ({
  program: wrap.program,
  args: [
    ...mountArguments(wrap),
    '--ro-bind', inside.sdkDir, `${base}/sdk`,
    '--ro-bind', inside.cacheDir, `${base}/cache`,
    '--size', String(bounds.sourceBytes + diskSlackBytes), '--tmpfs', `${base}/src`,
    '--remount-ro', '/dev',
    '--remount-ro', '/',
    '--chdir', base,
    '--setenv', 'HOME', base,
    '--setenv', 'NODE_ENV', 'production',
    '--',
    '/n/prlimit',
    '--core=0',
    `--nproc=${maxProcesses}`,
    `--fsize=${bounds.sourceBytes + 1024 * 1024}`,
    `--cpu=${bounds.cpuSeconds}`,
    `--data=${bounds.memoryBytes + dataSlackBytes}`,
    `--nofile=${maxOpenFiles}`,
    '/n/node',
    ...nodeArguments([`${base}/*`], `${base}/src/*`, bounds.memoryBytes),
    `${base}/w/main.ts`,
    base,
  ],
  env: {},
  uid: wrap.dropRoot ? freshUid() : null,
  memoryDisk: `${base}/src`,
  disk: null,
  dispose: () => undefined,
});

const permissionCommand = (prlimit: string | null, inside: Inside, bounds: Bounds): Command => {
  const folder = mkdtempSync(join(tmpdir(), 'hivesync-build-'));
  mkdirSync(join(folder, 'src'));
  symlinkSync(inside.sdkDir, join(folder, 'sdk'));
  symlinkSync(inside.cacheDir, join(folder, 'cache'));
  const node = [
    process.execPath,
    // The SDK is known by its place below the folder, as inside bubblewrap: paths are part of cache keys.
    '--preserve-symlinks',
    ...nodeArguments([`${folder}/*`, `${inside.sdkDir}/*`, `${inside.cacheDir}/*`, `${childDir}/*`], `${folder}/src/*`, bounds.memoryBytes),
    join(childDir, 'main.ts'),
    folder,
  ];
  const limits = ['--core=0', `--fsize=${bounds.sourceBytes + 1024 * 1024}`, `--cpu=${bounds.cpuSeconds}`, `--data=${bounds.memoryBytes + dataSlackBytes}`, `--nofile=${maxOpenFiles}`];
  const [program = process.execPath, ...args] = prlimit === null ? node : [prlimit, ...limits, ...node];
  return {
    program,
    args,
    env: { HOME: folder, NODE_ENV: 'production' },
    uid: null,
    memoryDisk: null,
    disk: { folder: join(folder, 'src'), bytes: bounds.sourceBytes + diskSlackBytes, entries: bounds.sourceFiles * entriesPerFile + entriesSlack },
    dispose: () => removeFolder(folder),
  };
};

const works = (wrap: Bubblewrap, paths: readonly string[]): boolean => {
  const args = [
    ...mountArguments(wrap),
    ...paths.flatMap((path, index) => ['--ro-bind', path, `/probe/${index}`]),
    '--size', '1048576', '--tmpfs', `${base}/src`,
    '--remount-ro', '/dev',
    '--remount-ro', '/',
    '--',
    '/n/prlimit', `--nproc=${maxProcesses}`, '/n/node', '--version',
  ];
  const identity = wrap.dropRoot ? { uid: freshUid(), gid: 65534 } : {};
  const answer = spawnSync(wrap.program, args, { env: {}, timeout: probeTimeoutMs, stdio: 'ignore', cwd: '/', ...identity });
  return answer.status === 0;
};

const findBubblewrap = (paths: readonly string[]): Bubblewrap | null => {
  const program = findProgram('bwrap');
  const prlimit = findProgram('prlimit');
  if (program === null || prlimit === null) return null;
  const libraries = [process.execPath, prlimit].map(librariesOf);
  if (libraries.some((list) => list === null)) return null;
  const found = [...new Set(libraries.flatMap((list) => list ?? []))];
  const root = process.getuid?.() === 0;
  // The strongest that works here: an own user where we are root, no further user namespaces where bubblewrap can say so.
  for (const dropRoot of root ? [true, false] : [false]) {
    for (const extra of [['--disable-userns'], []]) {
      const wrap = { program, prlimit, libraries: found, extra, dropRoot };
      if (works(wrap, paths)) return wrap;
    }
  }
  return null;
};

export type Wall = { kind: SandboxKind; ownUser: boolean; command: (inside: Inside, bounds: Bounds) => Command };

/**
 * Finds the strongest wall that works on this machine for what has to be seen inside it, by trying it.
 * Takes a tenth of a second; call it once at start.
 *
 * @param most 'permission' leaves bubblewrap out, to see how a machine without it fares.
 */
export const raiseWall = (paths: readonly string[], most: SandboxKind = 'bubblewrap'): Wall => {
  const wrap = most === 'permission' ? null : findBubblewrap(paths);
  if (wrap !== null) {
    return { kind: 'bubblewrap', ownUser: wrap.dropRoot, command: (inside, bounds) => bubblewrapCommand(wrap, inside, bounds) };
  }
  const prlimit = findProgram('prlimit');
  return { kind: 'permission', ownUser: false, command: (inside, bounds) => permissionCommand(prlimit, inside, bounds) };
};

let kind: SandboxKind | null = null;

/** Which wall builds get on this machine. The caller decides whether the weaker one is good enough, and says so loudly. */
export const sandboxKind = (): SandboxKind => {
  kind ??= raiseWall([dirname(childDir)]).kind;
  return kind;
};

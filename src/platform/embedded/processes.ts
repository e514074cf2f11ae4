import { spawnSync } from 'node:child_process';
import { accessSync, constants, openSync, readFileSync, readSync, closeSync, fstatSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { pause } from '../deadline.ts';

/** A process that cannot be mistaken for another one that got the same number later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever form the system tells: only compared for equality. */
  readonly started: string;
}

/** Who runs under this number now; null when nobody does (a zombie counts as nobody). */
export function identify(pid: number): ProcessIdentity | null {
  if (process.platform === 'linux') {
    const stat = readIfThere(`/proc/${pid}/stat`);
    if (stat === null) return null;
    // The name, in parentheses, may hold anything; after it come state (first) and start time (20th).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[19] === undefined ? null : { pid, started: fields[19] };
  }
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  const started = stdout.trim();
  return started === '' ? null : { pid, started };
}

export const runsStill = (process: ProcessIdentity): boolean => identify(process.pid)?.started === process.started;

/** The command line of a process, its arguments apart; empty when it is gone or not ours to see. */
export function commandOf(pid: number): readonly string[] {
  if (process.platform === 'linux') return (readIfThere(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((part) => part !== '');
  const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  return stdout.trim().split(' ');
}

/** Sends a signal to this very process. False when it is gone. */
export function signalTo(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!runsStill(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Ends a process: each signal in turn, each with its time to work. True when it is gone. It asks the process table, so
 * it serves for processes that are not our children too.
 */
export async function endProcess(target: ProcessIdentity, signals: readonly (readonly [NodeJS.Signals, number])[]): Promise<boolean> {
  for (const [signal, timeoutMs] of signals) {
    if (!signalTo(target, signal)) return true;
    if (await waitUntil(() => !runsStill(target), timeoutMs)) return true;
  }
  return false;
}

/** Asks every 20 ms whether something has come true. */
export async function waitUntil(check: () => boolean, timeoutMs: number): Promise<boolean> {
  const endAt = Date.now() + timeoutMs;
  while (!check()) {
    if (Date.now() >= endAt) return false;
    await pause(20);
  }
  return true;
}

/** Whether a port of this host can be bound now. */
export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await bind(port, host)) !== null;
}

/** A port for a service on the loopback: the preferred one while it is free, else whichever the system gives. */
export async function pickPort(preferred: number | null): Promise<number> {
  const port = (preferred === null ? null : await bind(preferred, '127.0.0.1')) ?? (await bind(0, '127.0.0.1'));
  if (port === null) throw new Error('The system gives no free port on 127.0.0.1.');
  return port;
}

async function bind(port: number, host: string): Promise<number | null> {
  const server = createServer();
  const bound = await new Promise<number | null>((resolve) => {
    server.once('error', () => resolve(null));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : null);
    });
  });
  if (bound !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  return bound;
}

/** The first of these programs that stands on PATH and may be run. */
export function findOnPath(names: readonly string[], path: string): string | null {
  for (const name of names) {
    for (const folder of path.split(delimiter)) {
      if (folder === '') continue;
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not in this folder: look in the next.
      }
    }
  }
  return null;
}

/** The end of a log file, for an error that has to show why something did not start. */
export function lastLines(file: string, count = 15): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return '';
  }
  try {
    const sizeBytes = fstatSync(descriptor).size;
    const buffer = Buffer.alloc(Math.min(sizeBytes, 8_192));
    const read = readSync(descriptor, buffer, 0, buffer.length, Math.max(0, sizeBytes - buffer.length));
    return buffer.subarray(0, read).toString('utf8').trimEnd().split('\n').slice(-count).join('\n');
  } finally {
    closeSync(descriptor);
  }
}

export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR') return null;
    throw error;
  }
}

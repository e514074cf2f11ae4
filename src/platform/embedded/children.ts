import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { pause } from '../deadline.ts';
import { supervisedArgument } from '../shutdown.ts';
import { lastLines } from './processes.ts';

/** A process that a supervisor keeps running. */
export interface Child {
  readonly name: string;
  /** Rejects when the child could not be kept running; never resolves otherwise until it is stopped. */
  readonly failed: Promise<never>;
  /** The number of its process now; null between two runs. */
  readonly pid: number | null;
  /** SIGTERM, then SIGKILL after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
  stopNow(): void;
}

export interface ChildOptions {
  readonly name: string;
  /** The TypeScript file it runs. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Told of a crash and of the wait before the next run. */
  readonly onCrash: (message: string) => void;
  /** Told of what the program says over its IPC channel. */
  readonly onMessage?: (message: unknown) => void;
  /** First wait after a crash; doubles up to 30 s. */
  readonly firstWaitMs?: number;
}

/** A run this long counts as healthy: the count of crashes starts again. */
const healthyMs = 60_000;
const maxCrashes = 8;
const longestWaitMs = 30_000;
const maxLogBytes = 20 * 1024 * 1024;

/**
 * Runs a Node program in our own process group with an IPC channel, whose end tells it that we died. It starts again
 * after a crash, waiting longer each time, and is given up after eight crashes in a row, none of which came after a
 * minute of health.
 */
export function keepRunning(options: ChildOptions): Child {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const stopping = new AbortController();
  let current: ChildProcess | null = null;
  let ended: Promise<unknown> = Promise.resolve();

  async function run(): Promise<void> {
    let crashes = 0;
    let waitMs = options.firstWaitMs ?? 500;
    while (!stopping.signal.aborted) {
      const startedAt = Date.now();
      const how = await runOnce();
      if (stopping.signal.aborted) return;
      if (Date.now() - startedAt > healthyMs) {
        crashes = 0;
        waitMs = options.firstWaitMs ?? 500;
      }
      crashes += 1;
      if (crashes >= maxCrashes) {
        failed.reject(new Error(`${options.name} ended ${crashes} times in a row (${how}). The end of its log (${options.logFile}):\n${lastLines(options.logFile)}`));
        return;
      }
      options.onCrash(`${options.name} ended (${how}), starting it again in ${waitMs / 1000} s; see ${options.logFile}`);
      await pause(waitMs, stopping.signal).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
  }

  async function runOnce(): Promise<string> {
    rotate(options.logFile);
    const log = openSync(options.logFile, 'a', 0o640);
    const child = spawn(process.execPath, [options.entry, supervisedArgument], { env: options.env as NodeJS.ProcessEnv, stdio: ['ignore', log, log, 'ipc'] });
    if (options.onMessage !== undefined) child.on('message', options.onMessage);
    closeSync(log);
    current = child;
    const exit = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 'unknown'}`));
    });
    ended = exit;
    const how = await exit;
    current = null;
    return how;
  }

  void run();
  return {
    name: options.name,
    failed: failed.promise,
    get pid() {
      return current?.pid ?? null;
    },
    async stop(timeoutMs) {
      stopping.abort(new Error('The child is being stopped.'));
      if (current === null) return;
      current.kill('SIGTERM');
      const timer = setTimeout(() => current?.kill('SIGKILL'), timeoutMs);
      await ended;
      clearTimeout(timer);
    },
    stopNow() {
      stopping.abort(new Error('The child is being stopped.'));
      current?.kill('SIGKILL');
    },
  };
}

/** Before a run only: what writes to the file keeps writing to it. */
function rotate(logFile: string): void {
  const entry = statSync(logFile, { throwIfNoEntry: false });
  if (entry !== undefined && entry.size > maxLogBytes) renameSync(logFile, `${logFile}.1`);
}

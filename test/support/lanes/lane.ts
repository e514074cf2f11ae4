import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Calls, Order, Ran } from './messages.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** A lane that does not end by itself then is killed. */
const endTimeoutMs = 60_000;

/** A process of tests, there from the first file it runs until it is ended; after a crash the next file starts another. */
export class Lane {
  readonly number: number;
  readonly #runFolder: string;
  #child: ChildProcess | null = null;

  constructor(number: number, runFolder: string) {
    this.number = number;
    this.#runFolder = runFolder;
  }

  /** Runs a file to its end, or to that of the process. */
  async run(file: string, called: Calls): Promise<Ran | { readonly kind: 'died'; readonly how: number | string }> {
    const child = this.#child ??= this.#start();
    return await new Promise((resolve) => {
      const heard = (message: Ran): void => {
        child.off('exit', ended);
        resolve(message);
      };
      const ended = (code: number | null, signal: string | null): void => {
        child.off('message', heard);
        this.#child = null;
        resolve({ kind: 'died', how: signal ?? code ?? '' });
      };
      child.once('message', heard);
      child.once('exit', ended);
      child.send({ kind: 'run', file, called } satisfies Order);
    });
  }

  /** How its process ended: 0 unless its tests left something open, or what it had started could not be taken away. */
  async end(): Promise<number | string> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return 0;
    if (child.exitCode !== null || child.signalCode !== null) return child.signalCode ?? child.exitCode ?? '';
    const hard = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs);
    const ended = new Promise<number | string>((resolve) => { child.once('exit', (code, signal) => resolve(signal ?? code ?? '')); });
    child.send({ kind: 'end' } satisfies Order);
    const how = await ended;
    clearTimeout(hard);
    return how;
  }

  #start(): ChildProcess {
    // Temporary files of its own: tests look for what is left there.
    const temporary = join(this.#runFolder, String(this.number));
    mkdirSync(temporary, { recursive: true });
    return fork(fileURLToPath(new URL('lane-process.ts', import.meta.url)), {
      cwd: root, serialization: 'advanced', execArgv: [],
      env: { ...process.env, TEST_LANE: String(this.number), TMPDIR: temporary, NODE_COMPILE_CACHE: join(this.#runFolder, 'compiled') },
    });
  }
}

/** A build that stays warm for one live session: the first bundle from all its files, each further one from what changed. */
import { readFile } from 'node:fs/promises';
import { failureOfEnd, lateFailure, readFailure } from './build-failure.ts';
import type { BuilderLimits, BuildRequest } from './builder.ts';
import type { BuildFailure } from './child/protocol.ts';
import type { WarmPool, WarmProcess } from './warm-pool.ts';

export type LiveRequest = Pick<BuildRequest, 'sdkVersion' | 'entryFile' | 'platform' | 'dev' | 'env' | 'environment' | 'memoryBytes' | 'timeoutMs'>;
export type LiveOutcome = { ok: true; bundle: Buffer; buildMs: number } | { ok: false; failure: BuildFailure };
/** Path in the project → file on this machine that holds its bytes. */
export type LiveFiles = ReadonlyMap<string, string>;

/** How a process is had: a warm one where one waits. */
export type ProcessOf = (pool: WarmPool) => Promise<WarmProcess>;

/** One process, one session: it is started with the first build, is nobody else's, and ends with `close` or by its own fault. */
export class LiveBuild {
  readonly #request: LiveRequest;
  readonly #pool: WarmPool;
  readonly #limits: BuilderLimits;
  readonly #processOf: ProcessOf;
  #warm: WarmProcess | null = null;
  #isClosed = false;

  constructor(request: LiveRequest, pool: WarmPool, limits: BuilderLimits, processOf: ProcessOf) {
    this.#request = request;
    this.#pool = pool;
    this.#limits = limits;
    this.#processOf = processOf;
  }

  /** Whether a process is there that `change` can go to. */
  get isWarm(): boolean {
    return this.#warm !== null && !this.#warm.child.isEnded;
  }

  /** The first bundle of a process, from all files. */
  async start(files: LiveFiles): Promise<LiveOutcome> {
    const { sdkVersion: _, timeoutMs: __, memoryBytes, ...job } = this.#request;
    this.#warm?.child.kill();
    const warm = await this.#processOf(this.#pool);
    this.#warm = warm;
    if (this.#isClosed) warm.child.kill();
    warm.child.watchMemory(Math.min(memoryBytes, this.#limits.memoryBytes));
    return await this.#answer(warm, async () => {
      await this.#sendFiles(warm, files);
      await warm.child.send({ type: 'live', ...job });
    });
  }

  /** The next bundle, from what changed. Only where `isWarm`. */
  async change(written: LiveFiles, removed: readonly string[]): Promise<LiveOutcome> {
    const warm = this.#warm;
    if (warm === null) throw new Error('a live build that was not started');
    return await this.#answer(warm, async () => {
      await this.#sendFiles(warm, written);
      for (const path of removed) await warm.child.send({ type: 'removed', path });
      await warm.child.send({ type: 'rebuild' });
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#warm?.child.kill();
  }

  async #sendFiles({ child }: WarmProcess, files: LiveFiles): Promise<void> {
    for (const [path, file] of files) await child.send({ type: 'file', path }, await readFile(file));
  }

  /** What the process says to what is sent, or how it ended instead. One that is late is ended. */
  async #answer({ child }: WarmProcess, send: () => Promise<void>): Promise<LiveOutcome> {
    const timeoutMs = Math.min(this.#request.timeoutMs, this.#limits.timeoutMs);
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      child.kill();
    }, timeoutMs);
    child.renewOutput();
    const answered = new Promise<LiveOutcome>((resolve) => {
      let bundle: Buffer | null = null;
      child.onFrame = ({ header, body }) => {
        if (header.type === 'bundle') bundle = body;
        else if (header.type === 'built' && bundle !== null) resolve({ ok: true, bundle, buildMs: Number(header['buildMs']) });
        else if (header.type === 'failed') resolve({ ok: false, failure: readFailure(header['failure']) });
      };
    });
    try {
      await send();
      const outcome = await Promise.race([answered, child.ended]);
      if ('ok' in outcome) return outcome;
      const failure = isLate ? lateFailure(timeoutMs) : failureOfEnd(outcome, false, { ...this.#request, outputBytes: this.#limits.outputBytes });
      return { ok: false, failure };
    } finally {
      clearTimeout(deadline);
    }
  }
}

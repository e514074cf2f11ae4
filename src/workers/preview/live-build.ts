/** A build that stays warm for one live session: the first bundle from all its files, each further one from what changed. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { failureOfEnd, lateFailure, readFailure } from './build-failure.ts';
import type { BuilderLimits, BuildRequest } from './builder.ts';
import { isAssetPath, readAssetHeader } from './build-output.ts';
import { type Frame, FrameTooLarge } from './child/frames.ts';
import type { BuildFailure, LiveAssetName } from './child/protocol.ts';
import type { WarmPool, WarmProcess } from './warm-pool.ts';

export type LiveRequest = Pick<BuildRequest, 'sdkVersion' | 'entryFile' | 'platform' | 'dev' | 'env' | 'environment' | 'memoryBytes' | 'timeoutMs'>;
/** A file in the bundle's layout. */
export type LiveAsset = { path: string; sha256: string };
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
  readonly #known: readonly LiveAsset[];
  /** All that the last bundle refers to; those that were sent have their bytes in `#sent`. */
  #assets: readonly LiveAsset[] = [];
  #sent = new Map<string, Buffer>();
  #warm: WarmProcess | null = null;
  #isClosed = false;

  /** @param known assets that are had already: their bytes are not asked for */
  constructor(request: LiveRequest, known: readonly LiveAsset[], pool: WarmPool, limits: BuilderLimits, processOf: ProcessOf) {
    this.#known = known;
    this.#request = request;
    this.#pool = pool;
    this.#limits = limits;
    this.#processOf = processOf;
  }

  /** Whether a process is there that `change` can go to. */
  get isWarm(): boolean {
    return this.#warm !== null && !this.#warm.child.isEnded;
  }

  /** Every file that the last bundle refers to, by its place in the layout. */
  get assets(): readonly LiveAsset[] {
    return this.#assets;
  }

  /** Bytes that came with the last bundles, by SHA-256, and are kept nowhere from here on. */
  takeSent(): ReadonlyMap<string, Buffer> {
    const sent = this.#sent;
    this.#sent = new Map();
    return sent;
  }

  /** The source map of the last bundle; null where there is none to be had. Only where `isWarm`. */
  async map(): Promise<Buffer | null> {
    const warm = this.#warm;
    if (warm === null) return null;
    return await this.#ask(warm, () => warm.child.send({ type: 'map' }), ({ header, body }) => (header.type === 'map' && body.length > 0 ? body : null), () => null);
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
      await warm.child.send({ type: 'known' }, Buffer.from(JSON.stringify(this.#known.map(({ path, sha256 }): LiveAssetName => [path, sha256]))));
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

  /** What the process says to what is sent, or how it ended instead. */
  async #answer(warm: WarmProcess, send: () => Promise<void>): Promise<LiveOutcome> {
    let bundle: Buffer | null = null;
    let assets: readonly LiveAsset[] | null = null;
    return await this.#ask(warm, send, ({ header, body }) => {
      if (header.type === 'bundle') bundle = body;
      else if (header.type === 'asset' && readAssetHeader(header) !== null) this.#take(body);
      else if (header.type === 'assets') assets = readAssetNames(body);
      else if (header.type === 'failed') {
        this.#sent.clear();
        return { ok: false, failure: readFailure(header['failure']) };
      }
      if (header.type !== 'built' || bundle === null) return null;
      if (assets !== null) this.#assets = assets;
      // What no bundle refers to is nobody's.
      const named = new Set(this.#assets.map(({ sha256 }) => sha256));
      for (const sha256 of this.#sent.keys()) if (!named.has(sha256)) this.#sent.delete(sha256);
      return { ok: true, bundle, buildMs: Number(header['buildMs']) };
    }, (failure) => ({ ok: false, failure }));
  }

  #take(bytes: Buffer): void {
    if (this.#sent.size >= mostAssets) throw new FrameTooLarge();
    this.#sent.set(sha256Of(bytes), Buffer.from(bytes));
  }

  /** One that is late is ended. */
  async #ask<Answer>(
    { child }: WarmProcess, send: () => Promise<void>, read: (frame: Frame) => Answer | null, failed: (failure: BuildFailure) => Answer,
  ): Promise<Answer> {
    const timeoutMs = Math.min(this.#request.timeoutMs, this.#limits.timeoutMs);
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      child.kill();
    }, timeoutMs);
    child.renewOutput();
    const answered = new Promise<{ answer: Answer }>((resolve) => {
      // What throws here ends the process.
      child.onFrame = (frame) => {
        const answer = read(frame);
        if (answer !== null) resolve({ answer });
      };
    });
    try {
      await send();
      const outcome = await Promise.race([answered, child.ended]);
      if ('answer' in outcome) return outcome.answer;
      return failed(isLate ? lateFailure(timeoutMs) : failureOfEnd(outcome, false, { ...this.#request, outputBytes: this.#limits.outputBytes }));
    } finally {
      clearTimeout(deadline);
    }
  }
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** As many as a manifest names. */
const mostAssets = 5_000;

/** The process names nothing here that is not checked. */
function readAssetNames(body: Buffer): LiveAsset[] {
  const names: unknown = JSON.parse(body.toString('utf8'));
  if (!Array.isArray(names) || names.length > mostAssets) throw new Error('a list of assets that is none, or too long');
  return names.map((name: unknown): LiveAsset => {
    const [path, sha256] = Array.isArray(name) ? name as unknown[] : [];
    if (typeof path !== 'string' || typeof sha256 !== 'string' || !isAssetPath(path) || !/^[0-9a-f]{64}$/u.test(sha256)) throw new Error('an asset with a name that none has');
    return { path, sha256 };
  });
}

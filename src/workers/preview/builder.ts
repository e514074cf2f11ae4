/**
 * The preview builder: a folder of sources in, a folder with bundle, map, assets, metadata and log out.
 *
 * Every build has a process of its own, started and warmed ahead of it, used once and ended (see #workers/sandbox for the
 * wall around it). A process kept warm per project would save little: with a warmed one the same project's second build takes
 * 0.08 s (measured, two cores), and one of a changed file 0.1 s; and it would keep one project's code in memory.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { raiseWall, type SandboxKind } from '../sandbox/wall.ts';
import { BuildLog } from './build-log.ts';
import { BuildOutput, readAssetHeader, type OutputFile } from './build-output.ts';
import { crashed, failureOfEnd, lateFailure, readFailure } from './build-failure.ts';
import { readBuilt, readProgress, type Built } from './build-frames.ts';
import { describeBuild, type BuildMetadata } from './build-metadata.ts';
import { variantName, type BuildFailure, type ChildTimings, type Platform } from './child/protocol.ts';
import { findSdkSet } from '#platform/sdk-sets.ts';
import { type LiveAsset, LiveBuild, type LiveRequest } from './live-build.ts';
import { installedState, sdkPlaces } from './sdk-places.ts';
import { readSourceFolder, SourceRefused } from './source-folder.ts';
import { BuildProcessFailed, WarmPool, type WarmProcess } from './warm-pool.ts';

export { sandboxKind } from '../sandbox/wall.ts';
export type { BuildFailure, FailureCode, Platform } from './child/protocol.ts';
export type { OutputFile, OutputKind } from './build-output.ts';
export type { BuildMetadata } from './build-metadata.ts';

export type BuildStage = 'bundling' | 'packaging';

export type BuildRequest = {
  /** Says whose the cache is; goes into the log alone. */
  projectKey: string;
  sourceDir: string;
  sdkVersion: string;
  entryFile: string;
  platform: Platform;
  dev: boolean;
  /** Keys begin with EXPO_PUBLIC_ or PUBLIC_; read as `process.env.<KEY>`, written into the bundle. */
  env: Readonly<Record<string, string>>;
  /** Read as `process.env.HIVESYNC_ENVIRONMENT`. */
  environment: 'development' | 'staging' | 'production';
  /** Made if missing; must hold nothing of an earlier build. */
  outDir: string;
  /** This project's own and nobody else's; made if missing. A file per platform and mode, replaced as a whole. */
  cacheDir: string;
  /** From the call to the answer. */
  timeoutMs: number;
  /** At most the builder's own limit. */
  memoryBytes: number;
  onProgress?: (progress: { stage: BuildStage; done: number; total: number }) => void;
  /** Called with each file as it comes, while the build goes on: it is not on disk yet, and the build may still fail. */
  onFile?: (file: OutputFile, bytes: Uint8Array) => void;
  /** Ends the build's process at once; `build` then rejects with the signal's reason. */
  signal?: AbortSignal;
};

export type BuildTimings = ChildTimings & { waitMs: number; readMs: number; totalMs: number };

export type BuildResult =
  | { ok: true; files: readonly OutputFile[]; metadata: BuildMetadata; timings: BuildTimings; peakMemoryBytes: number }
  | {
      ok: false;
      failure: BuildFailure;
      /** The log is written for a failed build too. */
      files: readonly OutputFile[];
      peakMemoryBytes: number;
      /** For the operator's log, never for the user: what the process printed. */
      diagnostics: string;
    };

export type BuilderLimits = {
  files: number;
  fileBytes: number;
  sourceBytes: number;
  /** Bundle, map, assets and cache of one build together. */
  outputBytes: number;
  /** Files that one build may make. */
  outputFiles: number;
  memoryBytes: number;
  timeoutMs: number;
  cacheBytes: number;
};

const mebibyte = 1024 * 1024;

/** Measured: 290–420 MB for an app of 36 screens; the rest is room for large ones. */
export const defaultLimits: BuilderLimits = {
  files: 10_000,
  fileBytes: 20 * mebibyte,
  sourceBytes: 100 * mebibyte,
  outputBytes: 400 * mebibyte,
  // As many as the contract lets a job store.
  outputFiles: 5_000,
  memoryBytes: 1024 * mebibyte,
  timeoutMs: 120_000,
  cacheBytes: 64 * mebibyte,
};

export type Builder = {
  build(request: BuildRequest): Promise<BuildResult>;
  /** A build that stays: for one live session, until it is closed. */
  live(request: LiveRequest, known?: readonly LiveAsset[]): LiveBuild;
  readonly sandbox: SandboxKind;
  /** Resolves when `warm` processes wait for a job, for each SDK version; at once where `warm` is 0. */
  warmed(): Promise<void>;
  /** Gives back the memory of the processes that wait; the next build starts its own, and others to wait after it. */
  rest(): void;
  close(): Promise<void>;
};

const publicKey = /^(?:EXPO_PUBLIC_|PUBLIC_)[A-Za-z0-9_]{1,200}$/u;

const readCache = async (path: string, maxBytes: number): Promise<Buffer | null> => {
  try {
    const bytes = await readFile(path);
    return bytes.length > maxBytes ? null : bytes;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};

const writeCache = async (folder: string, name: string, bytes: Buffer): Promise<void> => {
  await mkdir(folder, { recursive: true });
  const fresh = join(folder, `${name}.${process.pid}.${performance.now()}.new`);
  await writeFile(fresh, bytes);
  await rename(fresh, join(folder, name));
};

/** A process that is ready; one that died while it warmed up is replaced once. */
const readyProcess = async (pool: WarmPool, options: { stays?: boolean } = {}): Promise<WarmProcess> => {
  const first = pool.take(options);
  try {
    await first.ready;
    return first;
  } catch (error) {
    if (!(error instanceof BuildProcessFailed)) throw error;
    const second = pool.take(options);
    await second.ready;
    return second;
  }
};

/**
 * Makes a builder over installed SDK sets.
 *
 * @param options.sandbox 'permission' leaves bubblewrap out where it would work; without it the strongest wall is taken.
 * @param options.warm processes kept waiting per SDK version; each holds about 300 MB.
 * @param options.isAtRest whether none waits before the first build.
 * @throws Error when a named set is unknown or not installed and primed (`installSdkSet` does that).
 */
export const createBuilder = (options: { dataDir: string; sdkVersions: readonly string[]; warm: number; isAtRest?: boolean; limits?: Partial<BuilderLimits>; sandbox?: SandboxKind }): Builder => {
  const limits = { ...defaultLimits, ...options.limits };
  const sets = options.sdkVersions.map((version) => {
    const set = findSdkSet(version);
    if (set === null) throw new Error(`There is no SDK set ${version}.`);
    const state = installedState(options.dataDir, set);
    if (state !== 'ready') throw new Error(`The SDK set ${version} is ${state}; npm run sdk:install -- ${version} makes it ready.`);
    return set;
  });
  const wall = raiseWall(sets.map(({ version }) => sdkPlaces(options.dataDir, version).root), options.sandbox);
  const bounds = {
    memoryBytes: limits.memoryBytes,
    sourceBytes: limits.sourceBytes,
    sourceFiles: limits.files,
    // Warming up and garbage collection on other threads count as well.
    cpuSeconds: Math.ceil(limits.timeoutMs / 1000) * 2 + 60,
  };
  const pools = new Map(
    sets.map((set) => [set.version, new WarmPool({ dataDir: options.dataDir, set, wall, size: options.warm, isAtRest: options.isAtRest ?? false, bounds, maxOutputBytes: limits.outputBytes })]),
  );
  for (const pool of pools.values()) pool.fill();

  const build = async (request: BuildRequest): Promise<BuildResult> => {
    const pool = pools.get(request.sdkVersion);
    if (pool === undefined) throw new Error(`This builder does not hold the SDK set ${request.sdkVersion}.`);
    for (const key of Object.keys(request.env)) {
      if (!publicKey.test(key)) throw new TypeError(`The environment key ${key} does not begin with EXPO_PUBLIC_ or PUBLIC_.`);
    }
    request.signal?.throwIfAborted();
    return new Build(request, pool, limits, wall.kind).run();
  };

  const live = (request: LiveRequest, known: readonly LiveAsset[] = []): LiveBuild => {
    const pool = pools.get(request.sdkVersion);
    if (pool === undefined) throw new Error(`This builder does not hold the SDK set ${request.sdkVersion}.`);
    return new LiveBuild(request, known, pool, limits, (from) => readyProcess(from, { stays: true }));
  };

  return {
    build,
    live,
    sandbox: wall.kind,
    warmed: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.warmed()));
    },
    rest: () => {
      for (const pool of pools.values()) pool.rest();
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
};

/** The build was ended while it still waited for its process. */
class Stopped extends Error {}

/** One build, from its process to its answer. */
class Build {
  readonly #request: BuildRequest;
  readonly #pool: WarmPool;
  readonly #limits: BuilderLimits;
  readonly #output: BuildOutput;
  readonly #log: BuildLog;
  readonly #started = performance.now();
  readonly #stopped = new AbortController();
  #warm: WarmProcess | null = null;
  #isLate = false;

  constructor(request: BuildRequest, pool: WarmPool, limits: BuilderLimits, sandbox: SandboxKind) {
    this.#request = request;
    this.#pool = pool;
    this.#limits = limits;
    this.#output = new BuildOutput(request.outDir, request.onFile);
    this.#log = new BuildLog(request, sandbox);
  }

  /** What holds for this build, and what it is told when it goes beyond. */
  get #bounds(): { timeoutMs: number; memoryBytes: number } {
    const { timeoutMs, memoryBytes } = this.#request;
    return { timeoutMs: Math.min(timeoutMs, this.#limits.timeoutMs), memoryBytes: Math.min(memoryBytes, this.#limits.memoryBytes) };
  }

  async run(): Promise<BuildResult> {
    const { signal } = this.#request;
    const { timeoutMs } = this.#bounds;
    await mkdir(this.#request.outDir, { recursive: true });
    // Aborted meanwhile, its event would never come.
    signal?.throwIfAborted();
    const stop = (): void => {
      this.#stopped.abort();
      this.#warm?.child.kill();
    };
    const deadline = setTimeout(() => {
      this.#isLate = true;
      stop();
    }, timeoutMs);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return await this.#build();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Stopped) return await this.#failed(lateFailure(timeoutMs), '');
      if (error instanceof SourceRefused) return await this.#failed(error.failure, '');
      if (error instanceof BuildProcessFailed) {
        const failure: BuildFailure = { code: 'CRASHED', message: 'The build process could not be started.' };
        return await this.#failed(failure, error.message);
      }
      throw error;
    } finally {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', stop);
      stop();
    }
  }

  async #build(): Promise<BuildResult> {
    const request = this.#request;
    const warm = await this.#process();
    const waitMs = performance.now() - this.#started;
    const { child } = warm;
    child.watchMemory(this.#bounds.memoryBytes);

    let failure: BuildFailure | null = null;
    let built: Built | null = null;
    let cache: Buffer | null = null;
    const finished = new Promise<void>((resolve) => {
      child.onFrame = ({ header, body }) => {
        if (header.type === 'progress') this.#progress(header);
        else if (header.type === 'warning') this.#log.line(`warning: ${String(header['message']).slice(0, 500)}`);
        else if (header.type === 'bundle') this.#output.add('bundle', 'bundle.js', body);
        else if (header.type === 'map') this.#output.add('source_map', 'bundle.js.map', body);
        else if (header.type === 'asset') this.#addAsset(header, body);
        else if (header.type === 'built') built = readBuilt(header);
        else if (header.type === 'cache') cache = body;
        else if (header.type === 'failed') failure = readFailure(header['failure']);
        if (this.#output.count > this.#limits.outputFiles) failure = { code: 'TOO_LARGE', message: `The build made more than the ${this.#limits.outputFiles} files it may make.` };
        if (failure === null && header.type !== 'end') return;
        // That was its last word; a process that goes on is heard no more.
        child.onFrame = () => undefined;
        resolve();
      };
    });

    const readStarted = performance.now();
    const cacheFile = `transforms-${variantName(request.platform, request.dev)}.pack`;
    const { files, fileBytes, sourceBytes, cacheBytes } = this.#limits;
    let hasEntry = false;
    const sent = await readSourceFolder(request.sourceDir, { files, fileBytes, bytes: sourceBytes }, (path, bytes) => {
      hasEntry ||= path === request.entryFile;
      return child.send({ type: 'file', path }, bytes);
    });
    if (!hasEntry) throw new SourceRefused({ code: 'BUILD_ERROR', message: `The entry file "${request.entryFile}" is not in the project.` });
    const previous = await readCache(join(request.cacheDir, cacheFile), cacheBytes);
    if (previous !== null) await child.send({ type: 'cache' }, previous);
    const { entryFile, platform, dev, env, environment } = request;
    await child.send({ type: 'build', entryFile, platform, dev, env, environment });
    const readMs = performance.now() - readStarted;
    this.#log.line(`sources: ${sent.files} files, ${sent.bytes} bytes`);

    const end = await Promise.race([finished.then(() => null), child.ended]);
    request.signal?.throwIfAborted();
    if (failure !== null) return await this.#failed(failure, '', child.peakBytes);
    if (end !== null || built === null) {
      const ended = end ?? (await child.ended);
      return await this.#failed(failureOfEnd(ended, this.#isLate, { ...this.#bounds, outputBytes: this.#limits.outputBytes }), ended.errorTail, child.peakBytes);
    }
    child.kill();
    if (!this.#output.has('bundle.js') || !this.#output.has('bundle.js.map')) return await this.#failed(crashed, 'the build process said that it built, and sent no bundle', child.peakBytes);

    const { timings: inner } = built as Built;
    const keptCache = cache !== null && (cache as Buffer).length <= cacheBytes ? writeCache(request.cacheDir, cacheFile, cache) : null;
    await Promise.all([keptCache, this.#output.settled()]);
    const timings: BuildTimings = { waitMs, readMs, ...inner, totalMs: performance.now() - this.#started };
    const metadata = describeBuild(request, built, timings, this.#output.files, child.peakBytes);
    this.#output.add('metadata', 'metadata.json', Buffer.from(`${JSON.stringify(metadata, null, 2)}\n`));
    this.#log.built(metadata);
    await this.#writeLog();
    return { ok: true, files: this.#output.files, metadata, timings, peakMemoryBytes: child.peakBytes };
  }

  /** A ready process, or the end of the wait for it: warming up counts towards the time a build may take. */
  async #process(): Promise<WarmProcess> {
    const waiting = readyProcess(this.#pool);
    // Whoever gives up waiting leaves a process behind that nobody will use.
    void waiting.then(
      (warm) => {
        if (this.#stopped.signal.aborted) warm.child.kill();
      },
      () => undefined,
    );
    const stopped = new Promise<never>((_resolve, reject) => {
      this.#stopped.signal.addEventListener('abort', () => reject(new Stopped()), { once: true });
    });
    const warm = await Promise.race([waiting, stopped]);
    this.#warm = warm;
    return warm;
  }

  #progress(header: Record<string, unknown>): void {
    const progress = readProgress(header);
    if (progress !== null) this.#request.onProgress?.(progress);
  }

  #addAsset(header: Record<string, unknown>, body: Buffer): void {
    const asset = readAssetHeader(header);
    if (asset === null) {
      this.#log.line('warning: an asset with a name that cannot be written was left out');
      return;
    }
    const { path, hash, name, extension, scale } = asset;
    this.#output.add('asset', path, body, { hash, name, extension, scale });
  }

  async #failed(failure: BuildFailure, diagnostics: string, peakMemoryBytes = 0): Promise<BuildResult> {
    await this.#output.settled();
    this.#log.failed(failure);
    await this.#writeLog();
    return { ok: false, failure, files: this.#output.files.filter(({ kind }) => kind === 'log'), peakMemoryBytes, diagnostics };
  }

  async #writeLog(): Promise<void> {
    this.#output.add('log', 'build.log', Buffer.from(this.#log.text()));
    await this.#output.settled();
  }
}

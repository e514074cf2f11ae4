/** The SDK sets this worker builds with: installed and primed one after the other, each with a builder of its own. */
import { pause } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';
import { createBuilder, type Builder, type BuilderLimits } from './builder.ts';
import { installSdkSet, primeLater, type InstallStage } from './sdk-install.ts';
import { findSdkSet, listSdkSets } from '#platform/sdk-sets.ts';
import { installedState } from './sdk-places.ts';

export interface SdkProgress {
  readonly version: string;
  readonly stage: InstallStage | 'ready';
  readonly done: number;
  readonly total: number;
}

export interface ShelfOptions {
  readonly dataDir: string;
  /** What this worker installs by itself; the first is the default. What else is installed here is built with, too. */
  readonly versions: readonly string[];
  /** Build processes kept warm for the default set. Each other one has one, and only while it is built with. */
  readonly warm: number;
  /** The longest a build may take here, whatever its job says. */
  readonly maxBuildMs: number;
  readonly log: Logger;
  readonly onProgress: (progress: SdkProgress) => void;
}

interface Held { readonly builder: Builder; readonly platforms: readonly string[]; usedAt: number }

/** Measured: what one warm process holds. */
const warmProcessBytes = 300 * 1024 * 1024;
const firstRetryMs = 10_000;
const longestRetryMs = 5 * 60_000;
/** A set beside the default that nobody builds with for so long gives its memory back. */
const restAfterMs = 10 * 60_000;
/** How soon a set is built with that somebody else has installed (`npm run sdk:install`). */
const lookEveryMs = 10_000;
const mebibyte = 1024 * 1024;

/** The most any tier may have; a job's own limits are narrower and come with it. */
const limits: Partial<BuilderLimits> = {
  files: 40_000,
  fileBytes: 500_000_000,
  sourceBytes: 500_000_000,
  outputBytes: 1024 * mebibyte,
  memoryBytes: 2048 * mebibyte,
};

/**
 * Processes to keep waiting for a set: two for each job at once, since the next edit is built while the last one's process
 * has no successor yet; within an eighth of the machine's memory, and at least one.
 */
export function warmProcesses(concurrency: number, memoryBytes: number): number {
  return Math.max(1, Math.min(concurrency * 2, Math.floor(memoryBytes / 8 / warmProcessBytes)));
}

/** Measured: what the process of a live session holds after some edits of a small app; large ones take more. */
const liveProcessBytes = 450 * 1024 * 1024;

/** Live sessions that a worker keeps warm beside its builds: within a quarter of the machine's memory, and at least one. */
export function liveSessionsAtOnce(memoryBytes: number): number {
  return Math.max(1, Math.floor(memoryBytes / 4 / liveProcessBytes));
}

export class SdkShelf {
  readonly #on: ShelfOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: ShelfOptions) {
    this.#on = options;
  }

  /** What a job that names no set gets; without it this worker takes none. */
  get defaultVersion(): string {
    const [first] = this.#on.versions;
    if (first === undefined) throw new Error('PREVIEW_SDK_VERSIONS names no SDK set.');
    return first;
  }

  /** Sets that are ready here, the configured ones first. */
  get versions(): string[] {
    return [...new Set([...this.#on.versions, ...this.#held.keys()])].filter((version) => this.#held.has(version));
  }

  get(version: string): Omit<Held, 'usedAt'> | null {
    const held = this.#held.get(version);
    if (held === undefined) return null;
    held.usedAt = performance.now();
    return held;
  }

  /** Takes what is installed and primed already, and answers what came by it. Quick: for before the first registration. */
  takeInstalled(): string[] {
    const taken = listSdkSets().filter((set) => !this.#held.has(set.version) && installedState(this.#on.dataDir, set) === 'ready');
    for (const { version } of taken) this.#hold(version);
    return taken.map(({ version }) => version);
  }

  /**
   * Makes every configured set ready, the default first, and calls `onReady` after each. An installation that fails (no
   * network, say) is tried again, waiting longer each time, and holds up no other. Then primes what no first preview waits
   * for, and takes what others install. Ends by the signal.
   */
  async prepare(signal: AbortSignal, onReady: (version: string) => Promise<void>): Promise<void> {
    for (const version of this.#on.versions) if (findSdkSet(version) === null) throw new Error(`PREVIEW_SDK_VERSIONS names ${version}; there is no such SDK set.`);
    let missing = this.#on.versions.filter((version) => !this.#held.has(version));
    for (let waitMs = firstRetryMs; missing.length > 0; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
      for (const version of missing) {
        if (!(await this.#install(version, signal))) continue;
        this.#hold(version);
        await onReady(version);
      }
      missing = missing.filter((version) => !this.#held.has(version));
      if (missing.length > 0) await pause(waitMs, signal);
    }
    for (const version of this.#on.versions) await this.#primeLater(version, signal);
    for (;;) {
      await pause(lookEveryMs, signal);
      this.#restUnused();
      for (const version of this.takeInstalled()) await onReady(version);
    }
  }

  #restUnused(): void {
    for (const [version, { builder, usedAt }] of this.#held) {
      if (version !== this.defaultVersion && performance.now() - usedAt > restAfterMs) builder.rest();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held.values()].map(({ builder }) => builder.close()));
  }

  async #install(version: string, signal: AbortSignal): Promise<boolean> {
    const { dataDir, log, onProgress } = this.#on;
    const startedAt = performance.now();
    let last: { stage: string; tenth: number; toldAt: number } = { stage: '', tenth: -1, toldAt: -Infinity };
    try {
      await installSdkSet(version, {
        dataDir,
        signal,
        onProgress: ({ stage, done, total }) => {
          const tenth = Math.floor((done * 10) / Math.max(1, total));
          const isNews = stage !== last.stage || tenth !== last.tenth;
          // The bar moves ten times a second at most, the log has a line for each tenth.
          if (isNews) log.info('sdk.progress', 'Preparing an SDK set', { version, stage, done, total });
          if (!isNews && performance.now() - last.toldAt < 100) return;
          last = { stage, tenth, toldAt: performance.now() };
          onProgress({ version, stage, done, total });
        },
      });
      log.info('sdk.ready', 'An SDK set is ready', { version, ms: Math.round(performance.now() - startedAt) });
      onProgress({ version, stage: 'ready', done: 1, total: 1 });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      log.error('sdk.install_failed', 'An SDK set could not be made ready; trying again later', { version, error });
      return false;
    }
  }

  /** Builds for the web work without, and take as long as its priming. */
  async #primeLater(version: string, signal: AbortSignal): Promise<void> {
    const { dataDir, log } = this.#on;
    const startedAt = performance.now();
    try {
      await primeLater(version, { dataDir, signal });
      log.info('sdk.primed', 'An SDK set is primed for every platform', { version, ms: Math.round(performance.now() - startedAt) });
    } catch (error) {
      signal.throwIfAborted();
      log.warn('sdk.prime_failed', 'An SDK set could not be primed for the web; its web builds take longer', { version, error });
    }
  }

  #hold(version: string): void {
    const { dataDir, warm, maxBuildMs } = this.#on;
    const isDefault = version === this.defaultVersion;
    const builder = createBuilder({
      dataDir,
      sdkVersions: [version],
      warm: isDefault ? warm : Math.min(1, warm),
      isAtRest: !isDefault,
      limits: { ...limits, timeoutMs: maxBuildMs },
    });
    this.#held.set(version, { builder, platforms: findSdkSet(version)?.platforms ?? [], usedAt: -Infinity });
  }
}

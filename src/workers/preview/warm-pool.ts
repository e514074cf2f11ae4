/** Build processes that have loaded Metro and the SDK and wait for the one job of their life. */
import { SandboxedProcess } from '../sandbox/sandboxed-process.ts';
import type { Bounds, Wall } from '../sandbox/wall.ts';
import type { Frame } from './child/frames.ts';
import type { SdkSet } from '#platform/sdk-sets.ts';
import { sdkPlaces } from './sdk-places.ts';

export type WarmProcess = { child: SandboxedProcess; ready: Promise<void>; isReady: boolean };

export class BuildProcessFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BuildProcessFailed';
  }
}

/** After this many processes in a row that never became ready, the pool stops starting new ones ahead of a job. */
const maxFailuresInARow = 3;
/** Measured: 2–3 s on two cores. */
const warmUpTimeoutMs = 60_000;
/**
 * Successors start when nothing was built for so long: warming up takes a core for two seconds, which the build that
 * runs, its packaging and the next one have more use for: on two cores six builds without a pause take 0.8 s each, in
 * processes that start for the job, where one that waits takes 0.24 s (measured; bench/results).
 */
const quietMs = 1_000;

export class WarmPool {
  readonly #dataDir: string;
  readonly #set: SdkSet;
  readonly #wall: Wall;
  readonly #size: number;
  readonly #bounds: Bounds;
  readonly #maxOutputBytes: number;
  readonly #quietMs: number;
  #refill: NodeJS.Timeout | null = null;
  #building = 0;
  #waiting: WarmProcess[] = [];
  readonly #alive = new Set<SandboxedProcess>();
  #failures = 0;
  #isClosed = false;
  #isAtRest: boolean;

  constructor(options: { dataDir: string; set: SdkSet; wall: Wall; size: number; isAtRest: boolean; bounds: Bounds; maxOutputBytes: number; quietMs?: number }) {
    this.#dataDir = options.dataDir;
    this.#set = options.set;
    this.#wall = options.wall;
    this.#size = options.size;
    this.#isAtRest = options.isAtRest;
    this.#bounds = options.bounds;
    this.#maxOutputBytes = options.maxOutputBytes;
    this.#quietMs = options.quietMs ?? quietMs;
  }

  /** Starts processes until as many wait as the pool is to hold; one at a time, so that the first is ready soonest. */
  fill(): void {
    const isWarming = this.#waiting.some(({ isReady }) => !isReady);
    if (this.#isClosed || this.#isAtRest || isWarming || this.#waiting.length >= this.#size || this.#failures >= maxFailuresInARow) return;
    const warm = this.#start(true);
    this.#waiting.push(warm);
    const next = (): void => {
      if (this.#building === 0) this.fill();
    };
    warm.ready.then(next, () => undefined);
    void warm.child.ended.then(() => {
      this.#waiting = this.#waiting.filter((other) => other !== warm);
      if (!warm.isReady) next();
    });
  }

  /**
   * A process that is nobody else's: one that waits, else a new one. Its successor starts in the next quiet moment.
   *
   * @param options.stays it is kept for long: nobody waits for its end.
   */
  take(options: { stays?: boolean } = {}): WarmProcess {
    if (this.#isClosed) throw new Error('the builder is closed');
    this.#isAtRest = false;
    const warm = this.#waiting.find(({ isReady }) => isReady) ?? this.#waiting[0] ?? this.#start(false);
    this.#waiting = this.#waiting.filter((other) => other !== warm);
    if (options.stays === true) this.#fillLater();
    else {
      this.#building += 1;
      void warm.child.ended.then(() => {
        this.#building -= 1;
        this.#fillLater();
      });
    }
    return warm;
  }

  #fillLater(): void {
    if (this.#refill !== null) clearTimeout(this.#refill);
    this.#refill = setTimeout(() => {
      this.#refill = null;
      // Its end asks again.
      if (this.#building === 0) this.fill();
    }, this.#quietMs);
  }

  /** @param ahead nobody waits for it yet, so it takes its time to warm up: its job is then twice as fast. */
  #start(ahead: boolean): WarmProcess {
    const places = sdkPlaces(this.#dataDir, this.#set.version);
    const child = new SandboxedProcess(this.#wall.command({ sdkDir: places.root, cacheDir: places.cache }, this.#bounds), this.#maxOutputBytes);
    this.#alive.add(child);
    const warm = { child, isReady: false, ready: Promise.resolve() };
    warm.ready = new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => child.kill(), warmUpTimeoutMs);
      let told = '';
      child.onFrame = ({ header }: Frame) => {
        if (header.type === 'failed') told = JSON.stringify(header['failure']);
        if (header.type !== 'ready') return;
        clearTimeout(deadline);
        this.#failures = 0;
        warm.isReady = true;
        resolve();
      };
      void child.ended.then((end) => {
        clearTimeout(deadline);
        this.#alive.delete(child);
        reject(new BuildProcessFailed(`a build process ended before it was ready (${end.reason}, ${end.exitCode ?? end.signal ?? 'not started'}): ${told}${end.errorTail}`));
      });
    });
    warm.ready.catch(() => {
      this.#failures += 1;
    });
    const { name, version, packages } = this.#set;
    void child.send({ type: 'start', mode: 'serve', warmUp: ahead, sdk: { name, version, importable: packages.map((entry) => entry.name) } });
    return warm;
  }

  /** Resolves when as many wait, ready, as the pool is to hold; they start at once, whatever is built. */
  async warmed(): Promise<void> {
    for (;;) {
      this.fill();
      const warming = this.#waiting.find(({ isReady }) => !isReady);
      if (warming === undefined) return;
      await warming.ready;
    }
  }

  /** Ends the processes that wait; none starts ahead of a job until the next one was taken. */
  rest(): void {
    this.#isAtRest = true;
    for (const { child } of this.#waiting) child.kill();
  }

  /** Ends every process, waiting or building, and resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#refill !== null) clearTimeout(this.#refill);
    const alive = [...this.#alive];
    for (const child of alive) child.kill();
    await Promise.all(alive.map((child) => child.ended));
  }
}

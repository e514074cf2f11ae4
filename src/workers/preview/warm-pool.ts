/** Build processes that have loaded Metro and the SDK and wait for the one job of their life. */
import { SandboxedProcess } from '../sandbox/sandboxed-process.ts';
import type { Bounds, Wall } from '../sandbox/wall.ts';
import type { Frame } from './child/frames.ts';
import type { SdkSet } from '#platform/sdk-sets.ts';
import { sdkPlaces } from './sdk-places.ts';

export type WarmProcess = { child: SandboxedProcess; ready: Promise<void> };

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

export class WarmPool {
  readonly #dataDir: string;
  readonly #set: SdkSet;
  readonly #wall: Wall;
  readonly #size: number;
  readonly #bounds: Bounds;
  readonly #maxOutputBytes: number;
  #waiting: WarmProcess[] = [];
  readonly #alive = new Set<SandboxedProcess>();
  #failures = 0;
  #isClosed = false;
  #isAtRest: boolean;

  constructor(options: { dataDir: string; set: SdkSet; wall: Wall; size: number; isAtRest: boolean; bounds: Bounds; maxOutputBytes: number }) {
    this.#dataDir = options.dataDir;
    this.#set = options.set;
    this.#wall = options.wall;
    this.#size = options.size;
    this.#isAtRest = options.isAtRest;
    this.#bounds = options.bounds;
    this.#maxOutputBytes = options.maxOutputBytes;
  }

  /** Starts processes until as many wait as the pool is to hold. */
  fill(): void {
    while (!this.#isClosed && !this.#isAtRest && this.#waiting.length < this.#size && this.#failures < maxFailuresInARow) {
      const warm = this.#start(true);
      this.#waiting.push(warm);
      void warm.child.ended.then(() => {
        this.#waiting = this.#waiting.filter((other) => other !== warm);
      });
    }
  }

  /**
   * A process that is nobody else's: one that waits, else a new one. Its successor starts when it has ended: warming up
   * takes a core for two to three seconds, which the build itself has more use for.
   */
  take(): WarmProcess {
    if (this.#isClosed) throw new Error('the builder is closed');
    this.#isAtRest = false;
    const warm = this.#waiting.shift() ?? this.#start(false);
    void warm.child.ended.then(() => this.fill());
    return warm;
  }

  /** @param ahead nobody waits for it yet, so it takes its time to warm up: its job is then twice as fast. */
  #start(ahead: boolean): WarmProcess {
    const places = sdkPlaces(this.#dataDir, this.#set.version);
    const child = new SandboxedProcess(this.#wall.command({ sdkDir: places.root, cacheDir: places.cache }, this.#bounds), this.#maxOutputBytes);
    this.#alive.add(child);
    const ready = new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => child.kill(), warmUpTimeoutMs);
      let told = '';
      child.onFrame = ({ header }: Frame) => {
        if (header.type === 'failed') told = JSON.stringify(header['failure']);
        if (header.type !== 'ready') return;
        clearTimeout(deadline);
        this.#failures = 0;
        resolve();
      };
      void child.ended.then((end) => {
        clearTimeout(deadline);
        this.#alive.delete(child);
        reject(new BuildProcessFailed(`a build process ended before it was ready (${end.reason}, ${end.exitCode ?? end.signal ?? 'not started'}): ${told}${end.errorTail}`));
      });
    });
    ready.catch(() => {
      this.#failures += 1;
    });
    const { name, version, packages } = this.#set;
    void child.send({ type: 'start', mode: 'serve', warmUp: ahead, sdk: { name, version, importable: packages.map((entry) => entry.name) } });
    return { child, ready };
  }

  /** Resolves when all that wait are ready. */
  async warmed(): Promise<void> {
    await Promise.all(this.#waiting.map(({ ready }) => ready));
  }

  /** Ends the processes that wait; none starts ahead of a job until the next one was taken. */
  rest(): void {
    this.#isAtRest = true;
    for (const { child } of this.#waiting) child.kill();
  }

  /** Ends every process, waiting or building, and resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const alive = [...this.#alive];
    for (const child of alive) child.kill();
    await Promise.all(alive.map((child) => child.ended));
  }
}

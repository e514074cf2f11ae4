/** One single-use process behind the wall: started, spoken to by frames, bounded in time and memory, ended as a whole. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdir, readFile, statfs } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { encodeFrame, FrameReader, FrameTooLarge, type Frame, type FrameHeader } from '../preview/child/frames.ts';
import { type DiskBounds, isDiskFull } from './disk-use.ts';
import type { Command } from './wall.ts';

export type EndReason = 'exit' | 'killed' | 'memory' | 'output' | 'disk';
export type End = { reason: EndReason; exitCode: number | null; signal: NodeJS.Signals | null; errorTail: string };

/** How often the memory of a busy process is looked at. A process can grow beyond its limit for this long only. */
const memorySampleMs = 100;
/** How often its disk is looked at where nothing else bounds it; what a look took is added five times over, so that large projects cost little. */
const diskSampleMs = 100;
/** Of what a process prints, the last part is kept for the operator's log. */
const maxErrorTail = 8192;
/** Metro and Babel print a few lines at most; reading without end would keep the worker busy for as long as the build may take. */
const maxPrintedBytes = 16 * 1024 * 1024;
const pageBytes = 4096;
/** What an empty file on a memory disk holds in the kernel, where no process' memory counts it. Measured: 0.7–1 KB, 160,000 a second. */
const inodeBytes = 1024;
/** As `statfs` tells a disk in memory (TMPFS_MAGIC). */
const memoryDiskType = 0x01021994;

/** Of every thread: each may have started processes. */
const childrenOf = async (pid: number): Promise<number[]> => {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const texts = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')));
    return texts.flatMap((text) => text.split(' ').filter((part) => part !== '').map(Number));
  } catch {
    // Gone meanwhile, or not Linux.
    return [];
  }
};

/** What the files on the process' own memory disk hold beside their contents, which the disk's size bounds; 0 where the system does not tell. */
const inodesOf = async (pid: number, memoryDisk: string): Promise<number> => {
  try {
    const { type, files, ffree } = await statfs(`/proc/${pid}/root${memoryDisk}`);
    return type === memoryDiskType ? (files - ffree) * inodeBytes : 0;
  } catch {
    // Outside the mounts (the first process, or all of them behind the weaker wall), gone, or not ours to look at.
    return 0;
  }
};

type Held = { resident: number; disk: number };

/** Memory that a process and all below it hold, in bytes; 0 where the system does not tell. */
const heldBy = async (pid: number, memoryDisk: string | null): Promise<Held> => {
  let resident = 0;
  try {
    resident = Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1] ?? 0) * pageBytes;
  } catch {
    return { resident: 0, disk: 0 };
  }
  const [children, disk] = await Promise.all([childrenOf(pid), memoryDisk === null ? 0 : inodesOf(pid, memoryDisk)]);
  const below = await Promise.all(children.map((child) => heldBy(child, memoryDisk)));
  // One disk for all of them.
  return below.reduce((sum, held) => ({ resident: sum.resident + held.resident, disk: Math.max(sum.disk, held.disk) }), { resident, disk });
};

export class SandboxedProcess {
  readonly ended: Promise<End>;
  onFrame: (frame: Frame) => void = () => undefined;
  peakBytes = 0;
  #child: ChildProcess;
  #input: Writable;
  #reason: EndReason = 'exit';
  #errorTail = '';
  #printedBytes = 0;
  readonly #memoryDisk: string | null;
  #sampler: NodeJS.Timeout | null = null;
  #diskSampler: NodeJS.Timeout | null = null;
  #isEnded = false;
  readonly #reader: FrameReader;

  /**
   * @param maxOutputBytes all that the process may send in its life, or until `renewOutput`; one that sends more is ended.
   */
  constructor(command: Command, maxOutputBytes: number) {
    this.#reader = new FrameReader(maxOutputBytes);
    const child = spawn(command.program, command.args, {
      cwd: '/',
      env: command.env,
      // A group of its own: ending it ends all of it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      ...(command.uid === null ? {} : { uid: command.uid, gid: 65534 }),
    });
    this.#child = child;
    this.#memoryDisk = command.memoryDisk;
    const { stdin: input, stdout, stderr } = child;
    const frames = child.stdio[3];
    if (input === null || stdout === null || stderr === null || !(frames instanceof Readable)) throw new Error('a process without its pipes');
    this.#input = input;
    // The process may be gone before it read everything; its end says why.
    input.on('error', () => undefined);

    const keep = (chunk: Buffer): void => {
      this.#errorTail = (this.#errorTail + chunk.toString('utf8')).slice(-maxErrorTail);
    };
    const read = (chunk: Buffer): void => {
      this.#printedBytes += chunk.length;
      if (this.#printedBytes > maxPrintedBytes) this.#end('output');
      else keep(chunk);
    };
    stdout.on('data', read);
    stderr.on('data', read);

    const reader = this.#reader;
    frames.on('data', (chunk: Buffer) => {
      if (this.#reason !== 'exit') return;
      try {
        for (const frame of reader.push(chunk)) this.onFrame(frame);
      } catch (error) {
        if (error instanceof FrameTooLarge) this.#end('output');
        else {
          keep(Buffer.from(String(error)));
          this.#end('killed');
        }
      }
    });
    frames.on('error', () => undefined);

    this.ended = new Promise((resolve) => {
      const finish = (exitCode: number | null, signal: NodeJS.Signals | null): void => {
        if (this.#isEnded) return;
        this.#isEnded = true;
        this.#stopSampling();
        const tell = (): void => resolve({ reason: this.#reason, exitCode, signal, errorTail: this.#errorTail });
        // Its end is told once nothing of it is left.
        Promise.resolve(command.dispose()).catch((error: unknown) => keep(Buffer.from(String(error)))).finally(tell);
      };
      child.once('error', (error) => {
        keep(Buffer.from(String(error)));
        finish(null, null);
      });
      // Should the first process have ended before others of its group: they would hold the pipes open.
      child.once('exit', () => this.#signalGroup());
      child.once('close', finish);
    });
    if (command.disk !== null) this.#watchDisk(command.disk);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Sends one frame; resolves when the process has taken it, so that sources do not pile up in the worker. */
  async send(header: FrameHeader, body?: Uint8Array): Promise<void> {
    for (const part of encodeFrame(header, body)) {
      if (part.length === 0 || this.#isEnded || this.#input.write(part)) continue;
      await Promise.race([new Promise<void>((resolve) => this.#input.once('drain', resolve)), this.ended]);
    }
  }

  /** For a process that answers more than once: each answer has the bound to itself. */
  renewOutput(): void {
    this.#printedBytes = 0;
    this.#reader.renew();
  }

  /** From now on the process is ended when it holds more than this. */
  watchMemory(maxBytes: number): void {
    const sample = async (): Promise<void> => {
      const pid = this.#child.pid;
      if (pid === undefined || this.#isEnded) return;
      const held = await heldBy(pid, this.#memoryDisk);
      const bytes = held.resident + held.disk;
      this.peakBytes = Math.max(this.peakBytes, bytes);
      if (bytes > maxBytes) this.#end('memory');
      else if (!this.#isEnded) this.#sampler = setTimeout(() => void sample(), memorySampleMs);
    };
    void sample();
  }

  #watchDisk(bounds: DiskBounds): void {
    const sample = async (): Promise<void> => {
      const pid = this.#child.pid;
      if (pid === undefined || this.#isEnded) return;
      const startedAt = performance.now();
      if (await isDiskFull(pid, bounds)) this.#end('disk');
      else if (!this.#isEnded) this.#diskSampler = setTimeout(() => void sample(), diskSampleMs + 5 * (performance.now() - startedAt));
    };
    this.#diskSampler = setTimeout(() => void sample(), diskSampleMs);
  }

  /** Ends the process and everything it started, now. */
  kill(): void {
    this.#end('killed');
  }

  #end(reason: EndReason): void {
    if (this.#isEnded || this.#reason !== 'exit') return;
    this.#reason = reason;
    this.#stopSampling();
    this.#signalGroup();
  }

  #stopSampling(): void {
    for (const sampler of [this.#sampler, this.#diskSampler]) if (sampler !== null) clearTimeout(sampler);
    this.#sampler = null;
    this.#diskSampler = null;
  }

  #signalGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/** One single-use process behind the wall: started, spoken to by frames, bounded in time and memory, ended as a whole. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { encodeFrame, FrameReader, FrameTooLarge, type Frame, type FrameHeader } from '../preview/child/frames.ts';
import type { Command } from './wall.ts';

export type EndReason = 'exit' | 'killed' | 'memory' | 'output';
export type End = { reason: EndReason; exitCode: number | null; signal: NodeJS.Signals | null; errorTail: string };

/** How often the memory of a busy process is looked at. A process can grow beyond its limit for this long only. */
const memorySampleMs = 100;
/** Of what a process prints, the last part is kept for the operator's log. */
const maxErrorTail = 8192;
const pageBytes = 4096;

const childrenOf = async (pid: number): Promise<number[]> => {
  try {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter((part) => part !== '').map(Number);
  } catch {
    // Gone meanwhile, or not Linux.
    return [];
  }
};

/** Resident memory of a process and all below it, in bytes; 0 where the system does not tell. */
const residentBytes = async (pid: number): Promise<number> => {
  let own = 0;
  try {
    own = Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1] ?? 0) * pageBytes;
  } catch {
    return 0;
  }
  const below = await Promise.all((await childrenOf(pid)).map(residentBytes));
  return below.reduce((sum, bytes) => sum + bytes, own);
};

export class SandboxedProcess {
  readonly ended: Promise<End>;
  onFrame: (frame: Frame) => void = () => undefined;
  peakBytes = 0;
  #child: ChildProcess;
  #input: Writable;
  #reason: EndReason = 'exit';
  #errorTail = '';
  #sampler: NodeJS.Timeout | null = null;
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
    const { stdin: input, stdout, stderr } = child;
    const frames = child.stdio[3];
    if (input === null || stdout === null || stderr === null || !(frames instanceof Readable)) throw new Error('a process without its pipes');
    this.#input = input;
    // The process may be gone before it read everything; its end says why.
    input.on('error', () => undefined);

    const keep = (chunk: Buffer): void => {
      this.#errorTail = (this.#errorTail + chunk.toString('utf8')).slice(-maxErrorTail);
    };
    stdout.on('data', keep);
    stderr.on('data', keep);

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
        command.dispose();
        resolve({ reason: this.#reason, exitCode, signal, errorTail: this.#errorTail });
      };
      child.once('error', (error) => {
        keep(Buffer.from(String(error)));
        finish(null, null);
      });
      // Should the first process have ended before others of its group: they would hold the pipes open.
      child.once('exit', () => this.#signalGroup());
      child.once('close', finish);
    });
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
    this.#reader.renew();
  }

  /** From now on the process is ended when it holds more than this. */
  watchMemory(maxBytes: number): void {
    const sample = async (): Promise<void> => {
      const pid = this.#child.pid;
      if (pid === undefined || this.#isEnded) return;
      const bytes = await residentBytes(pid);
      this.peakBytes = Math.max(this.peakBytes, bytes);
      if (bytes > maxBytes) this.#end('memory');
      else if (!this.#isEnded) this.#sampler = setTimeout(() => void sample(), memorySampleMs);
    };
    void sample();
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
    if (this.#sampler !== null) clearTimeout(this.#sampler);
    this.#sampler = null;
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

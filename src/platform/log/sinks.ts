import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import pino from 'pino';

/** Where finished lines go. */
export interface Sink {
  write(line: string): void;
  /** Resolves when everything written so far is with the operating system. */
  flush(): Promise<void>;
  /** Blocks until then: for the moment before a crash ends the process. */
  flushSync(): void;
  close(): void;
}

type Destination = ReturnType<typeof pino.destination>;

/** Lines that wait for a slow reader are bounded; beyond it the oldest waiting are dropped rather than memory. */
const maxWaitingBytes = 16 * 1024 * 1024;

/**
 * Standard output (or another descriptor), written asynchronously by pino's destination. `minLength: 1` writes every
 * line at once, as 0 would; but with 0 the destination's flush() does nothing.
 */
export function descriptorSink(fd: number): Sink {
  const destination = pino.destination({ dest: fd, sync: false, minLength: 1, maxLength: maxWaitingBytes });
  return sinkOver(destination, () => undefined);
}

/**
 * A file, rotated by size: at `maxBytes` `x.log` becomes `x.log.1`, and so on up to `keep`, of which the oldest goes.
 * One process per file: two would rotate under each other.
 */
export function fileSink(path: string, maxBytes = 50 * 1024 * 1024, keep = 5): Sink {
  mkdirSync(dirname(path), { recursive: true });
  const destination = pino.destination({ dest: path, sync: false, minLength: 1, maxLength: maxWaitingBytes, mode: 0o640 });
  let sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return sinkOver(destination, (line) => {
    sizeBytes += Buffer.byteLength(line);
    if (sizeBytes < maxBytes) return;
    sizeBytes = 0;
    rmSync(`${path}.${keep}`, { force: true });
    for (let index = keep - 1; index >= 0; index -= 1) {
      const from = index === 0 ? path : `${path}.${index}`;
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${path}.${index + 1}`);
    }
    destination.reopen();
  });
}

function sinkOver(destination: Destination, afterWrite: (line: string) => void): Sink {
  // A log that cannot be written must not take the process down; what was lost is said on standard error, once.
  let told = false;
  destination.on('error', (error: Error) => {
    if (told) return;
    told = true;
    process.stderr.write(`The log cannot be written: ${error.message}\n`);
  });
  let opened = false;
  const whenOpen = new Promise<void>((resolve) => {
    destination.once('ready', () => {
      opened = true;
      resolve();
    });
    destination.once('error', () => resolve());
  });
  return {
    write(line) {
      destination.write(line);
      if (opened) afterWrite(line);
    },
    async flush() {
      await whenOpen;
      await new Promise<void>((resolve) => destination.flush(() => resolve()));
    },
    flushSync() {
      if (opened) destination.flushSync();
    },
    close() {
      destination.end();
    },
  };
}

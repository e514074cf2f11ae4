import { realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../crypto.ts';

/** Another supervisor runs on the same data folder. */
export class AlreadyRunningError extends Error {
  constructor(dataDir: string, pid: string | null) {
    super(`HiveSync already runs on ${dataDir}${pid === null ? '' : ` (process ${pid})`}. Stop it first, or give this one a DATA_DIR and a PORT of its own.`);
    this.name = 'AlreadyRunningError';
  }
}

/**
 * One supervisor per data folder. The lock is a listening socket, so the system itself lets it go when the holder dies,
 * however it dies: on Linux one without a file (abstract), elsewhere one in the temporary folder that is cleared away
 * when nobody answers. Whoever connects is told the holder's process number.
 */
export async function lockMachine(dataDir: string): Promise<{ release(): void }> {
  const name = `hivesync-${sha256Hex(realpathSync(dataDir)).slice(0, 32)}`;
  const path = process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
  for (let tries = 1; tries <= 3; tries += 1) {
    const server = await listen(path);
    if (server !== null) {
      server.unref();
      return { release: () => server.close() };
    }
    const holder = await holderOf(path);
    if (holder !== null) throw new AlreadyRunningError(dataDir, holder);
    // Nobody answers: it ended in this moment, or left its file behind.
    if (process.platform !== 'linux') rmSync(path, { force: true });
  }
  throw new AlreadyRunningError(dataDir, null);
}

async function listen(path: string): Promise<Server | null> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(String(process.pid));
  });
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(path, () => resolve(server));
  });
}

async function holderOf(path: string): Promise<string | null> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    let told = '';
    socket.setTimeout(2_000, () => {
      socket.destroy();
      resolve('unknown');
    });
    socket.on('data', (chunk: Buffer) => {
      told += chunk.toString('latin1');
    });
    socket.on('error', () => resolve(null));
    socket.on('end', () => resolve(told));
  });
}

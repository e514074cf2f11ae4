import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, identify, readIfThere, waitUntil, type ProcessIdentity } from './processes.ts';

/** A server that already runs on a data folder. */
export interface RunningPostgres {
  readonly process: ProcessIdentity;
  readonly port: number;
}

/**
 * Who holds a data folder, as its `postmaster.pid` says: the running server, which can be adopted; or null, after a
 * file that a dead server left was seen to.
 *
 * A dead server's own processes may outlive it for a moment, attached to its shared memory; a second server beside them
 * would destroy the data. PostgreSQL guards against that by the memory's id in the same file, so the file is left for
 * it to judge, except when its process number now belongs to a stranger: then PostgreSQL would refuse to start, and the
 * file is removed once nobody is attached to that memory.
 */
export async function runningPostgres(dataFolder: string): Promise<RunningPostgres | null> {
  const path = join(dataFolder, 'postmaster.pid');
  const text = readIfThere(path);
  if (text === null) return null;
  // Lines: process, data folder, start time, port, socket folder, listen address, shared memory key and id, status.
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  const identity = Number.isInteger(pid) && pid > 0 ? identify(pid) : null;
  if (identity === null) return null;
  if (isPostgresOf(pid, dataFolder)) {
    const port = Number(lines[3]);
    // A server that has only just begun has not written its port yet.
    return Number.isInteger(port) && port > 0 ? { process: identity, port } : await waitForPort(dataFolder, identity);
  }
  const memoryId = lines[6]?.split(/\s+/)[1];
  if (memoryId !== undefined && !(await waitUntil(() => !isAttached(memoryId), 15_000))) {
    throw new Error(`Processes of an earlier PostgreSQL still use ${dataFolder}. End them, and start again.`);
  }
  rmSync(path, { force: true });
  return null;
}

async function waitForPort(dataFolder: string, process: ProcessIdentity): Promise<RunningPostgres | null> {
  let port = NaN;
  const known = await waitUntil(() => {
    port = Number(readIfThere(join(dataFolder, 'postmaster.pid'))?.split('\n')[3]);
    return port > 0 || identify(process.pid)?.started !== process.started;
  }, 15_000);
  return known && port > 0 ? { process, port } : null;
}

function isPostgresOf(pid: number, dataFolder: string): boolean {
  const [program, ...rest] = commandOf(pid);
  return program !== undefined && /(^|\/)postgres$/.test(program) && rest.includes(dataFolder);
}

/** Whether anybody is attached to a System V shared memory segment (Linux). */
function isAttached(memoryId: string): boolean {
  const table = readIfThere('/proc/sysvipc/shm');
  const row = table?.split('\n').map((line) => line.trim().split(/\s+/)).find((fields) => fields[1] === memoryId);
  return row !== undefined && Number(row[6]) > 0;
}

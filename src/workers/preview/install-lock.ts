/** A lock between processes that outlives none of them: its holder keeps it fresh, and what is stale is taken over. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const freshenEveryMs = 2000;
/** A holder that has not freshened its lock for this long is gone (kill -9) or as good as gone. */
const staleAfterMs = 15_000;
const retryEveryMs = 250;

const isErrorWith = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;

const ageOf = async (path: string): Promise<number | null> => {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (isErrorWith(error, 'ENOENT')) return null;
    throw error;
  }
};

/**
 * Runs `work` while no other process runs it under the same lock folder. The lock saves double work; correctness must
 * not hang on it (a holder that was stopped for long may lose it), so `work` publishes its result by a rename.
 *
 * @param signal ends the wait for the lock.
 */
export const withInstallLock = async <T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  for (;;) {
    try {
      await mkdir(path);
      break;
    } catch (error) {
      if (!isErrorWith(error, 'EEXIST')) throw error;
    }
    const age = await ageOf(path);
    if (age !== null && age > staleAfterMs) {
      // Only one of those who find it stale can rename it away.
      const taken = `${path}.${randomUUID()}`;
      try {
        await rename(path, taken);
        await rm(taken, { recursive: true, force: true });
      } catch (error) {
        if (!isErrorWith(error, 'ENOENT')) throw error;
      }
      continue;
    }
    await delay(retryEveryMs, undefined, signal === undefined ? {} : { signal });
  }
  const freshener = setInterval(() => {
    const now = new Date();
    // Taken over meanwhile: the work goes on, and its rename decides.
    utimes(path, now, now).catch(() => undefined);
  }, freshenEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(freshener);
    await rm(path, { recursive: true, force: true });
  }
};

/** The folder a worker keeps on its disk: one for each worker of a machine, found again after a restart. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AlreadyRunningError, lockMachine } from '#platform/embedded/machine-lock.ts';

export interface WorkDir {
  /** The worker's name: the one asked for, or the first free one after it. */
  readonly name: string;
  readonly jobsDir: string;
  readonly blobsDir: string;
  readonly projectsDir: string;
  release(): void;
}

const maxSiblings = 64;

/**
 * Takes `<dataDir>/worker/<name>` for this process, and clears away the attempts an earlier one left. Where another
 * process of that name runs, a name that was asked for is refused, and one that was made up gets a number.
 */
export async function takeWorkDir(dataDir: string, name: string, isGiven: boolean): Promise<WorkDir> {
  for (let number = 1; ; number += 1) {
    const tried = number === 1 ? name : `${name}-${number}`;
    const dir = join(dataDir, 'worker', tried);
    await mkdir(dir, { recursive: true, mode: 0o755 });
    try {
      const lock = await lockMachine(dir);
      const jobsDir = join(dir, 'jobs');
      await rm(jobsDir, { recursive: true, force: true });
      await mkdir(jobsDir, { mode: 0o700 });
      return { name: tried, jobsDir, blobsDir: join(dir, 'blobs'), projectsDir: join(dir, 'projects'), release: () => lock.release() };
    } catch (error) {
      if (!(error instanceof AlreadyRunningError)) throw error;
      if (isGiven) throw new Error(`A worker named ${name} runs on this machine already. Give this one another --name.`, { cause: error });
      if (number === maxSiblings) throw error;
    }
  }
}

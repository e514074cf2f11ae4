/**
 * Metro reads the modules and images that a module imports all at once, and each open file is a descriptor, of which a
 * build has 512: an app of five hundred images failed for want of them (EMFILE). What is read stays the same.
 */
import { createRequire } from 'node:module';

/** Four threads read; more than a few dozen at once only wait in another place. */
const readsAtOnce = 64;

type ReadFile = (...given: unknown[]) => Promise<unknown>;

/** From here on no more than this are open at once by `fs.promises.readFile`, which is what Metro reads by. */
export const boundReads = (): void => {
  const { promises } = createRequire(import.meta.url)('node:fs') as { promises: { readFile: ReadFile } };
  const read = promises.readFile;
  const waiting: (() => void)[] = [];
  let running = 0;
  promises.readFile = async (...given) => {
    // Who waited takes the place of whoever is through.
    if (running >= readsAtOnce) await new Promise<void>((resolve) => { waiting.push(resolve); });
    else running += 1;
    try {
      return await read(...given);
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
};

import { setImmediate } from 'node:timers/promises';

/** Runs `work` over `items`, at most `atOnce` at a time; answers in their order. The first failure stops what has not begun. */
export async function mapBounded<In, Out>(items: readonly In[], atOnce: number, work: (item: In, index: number) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = new Array<Out>(items.length);
  let next = 0;
  let failed = false;
  const runner = async (): Promise<void> => {
    while (!failed) {
      const index = next;
      next += 1;
      if (index >= items.length) return;
      try {
        results[index] = await work(items[index] as In, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, runner));
  return results;
}

/** Signing a URL of an S3 store takes about 0.25 ms (measured), so this many hold up everybody else for some 25 ms. */
const itemsInTurn = 100;

/**
 * The same for work that waits for nothing outside: between every hundred items the event loop gets its turn, where
 * `mapBounded` would keep it from all others until the last item (10,000 signed URLs: 2.5 s).
 */
export async function mapInTurns<In, Out>(items: readonly In[], atOnce: number, work: (item: In, index: number) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (let start = 0; start < items.length; start += itemsInTurn) {
    if (start > 0) await setImmediate();
    results.push(...await mapBounded(items.slice(start, start + itemsInTurn), atOnce, (item, index) => work(item, start + index)));
  }
  return results;
}

/** Lets at most `count` works run at once, whoever brings them; the others wait in their order. */
export function atMost(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= count) await new Promise<void>((resolve) => { waiting.push(resolve); });
    else running += 1;
    try {
      return await work();
    } finally {
      // A place goes on to who waits without being free in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

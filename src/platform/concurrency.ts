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

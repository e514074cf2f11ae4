import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { mapBounded, mapInTurns } from '#platform/concurrency.ts';

describe('work over many items', () => {
  const items = Array.from({ length: 1_000 }, (_, index) => index);

  it('gives the event loop its turn while nothing in it waits, and answers in order', async () => {
    let turns = 0;
    let isDone = false;
    const counting = (async () => {
      while (!isDone) {
        await setImmediate();
        turns += 1;
      }
    })();
    const results = await mapInTurns(items, 16, (item, index) => Promise.resolve(item + index));
    isDone = true;
    await counting;
    expect(results).to.deep.equal(items.map((item) => item * 2));
    expect(turns).to.be.at.least(8);
  });

  it('begins nothing more after the first failure, in either form', async () => {
    for (const map of [mapBounded, mapInTurns]) {
      let begun = 0;
      const failing = map(items, 4, async (item) => {
        begun += 1;
        await setImmediate();
        if (item === 2) throw new Error('the third');
      });
      expect(await failing.catch((error: unknown) => (error as Error).message)).to.equal('the third');
      expect(begun).to.be.at.most(8);
    }
  });
});

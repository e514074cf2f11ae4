import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { atMost, mapBounded, mapInTurns } from '#platform/concurrency.ts';

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

describe('works that share a few places', () => {
  it('run so many at once and no more, in the order they came, also after some have failed', async () => {
    const inTurn = atMost(3);
    let [running, most] = [0, 0];
    const begun: number[] = [];
    const ended = await Promise.allSettled(Array.from({ length: 20 }, (_, nth) => inTurn(async () => {
      begun.push(nth);
      running += 1;
      most = Math.max(most, running);
      await setImmediate();
      running -= 1;
      if (nth % 4 === 0) throw new Error('a fourth');
      return nth;
    })));
    expect([most, begun]).to.deep.equal([3, Array.from({ length: 20 }, (_, nth) => nth)]);
    expect(ended.filter(({ status }) => status === 'fulfilled')).to.have.length(15);
    expect(await inTurn(() => Promise.resolve('free again'))).to.equal('free again');
  });
});

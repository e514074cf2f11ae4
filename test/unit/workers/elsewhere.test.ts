import { expect } from 'chai';
import { Elsewhere } from '#workers/elsewhere.ts';

describe('messages of other workers', () => {
  it('are known when they come again, until other sets are held', () => {
    const elsewhere = new Elsewhere();
    expect(elsewhere.has('a.0')).to.equal(false);
    elsewhere.add('a.0', 'high');
    expect([elsewhere.has('a.0'), elsewhere.has('a.1')]).to.deep.equal([true, false]);
    elsewhere.forget();
    expect(elsewhere.has('a.0')).to.equal(false);
  });
  it('make their queue be left alone when all of it has come round, longer each time, a second at most', () => {
    const elsewhere = new Elsewhere();
    const round = ['a.0', 'b.0', 'c.0'];
    const rests = Array.from({ length: 24 }, (_, nth) => elsewhere.add(round[nth % 3] ?? '', 'high'));
    expect(rests.filter((ms) => ms > 0)).to.deep.equal([50, 100, 200, 400, 800, 1_000, 1_000]);
    expect(rests.slice(0, 4)).to.deep.equal([0, 0, 0, 50]);
  });
  it('say nothing of other queues, and the rounds begin anew with a message of one\'s own', () => {
    const elsewhere = new Elsewhere();
    const twice = (priority: 'high' | 'low'): number[] => ['a.0', 'a.0'].map((message) => elsewhere.add(message, priority));
    expect(twice('high')).to.deep.equal([0, 50]);
    expect(twice('low')).to.deep.equal([0, 50]);
    elsewhere.found('high');
    expect(twice('high')).to.deep.equal([0, 50]);
    expect(twice('low')).to.deep.equal([100, 200]);
  });
});

import { expect } from 'chai';
import { parseRange, resolveRange } from '#platform/storage/range.ts';

describe('byte ranges', () => {
  it('reads the three forms of a single range', () => {
    expect(parseRange('bytes=0-0', 10)).to.deep.equal({ start: 0, end: 0 });
    expect(parseRange('bytes=5-', 10)).to.deep.equal({ start: 5 });
    expect(parseRange('bytes=-3', 10)).to.deep.equal({ start: 7 });
    expect(parseRange('bytes=-30', 10)).to.deep.equal({ start: 0 });
  });
  it('ignores several ranges, other units and nonsense', () => {
    for (const header of [undefined, '', 'bytes=', 'bytes=-', 'bytes=a-b', 'bytes=0-1,3-4', 'items=0-1', 'bytes=5-4', 'bytes=0x1-2', `bytes=0-${'9'.repeat(20)}`]) {
      expect(parseRange(header, 10), String(header)).to.equal(null);
    }
  });
  it('finds nothing behind the end, nor in an empty object', () => {
    expect(() => resolveRange(parseRange('bytes=-0', 10) ?? undefined, 10)).to.throw().with.property('kind', 'bad_range');
    expect(() => resolveRange({ start: 10 }, 10)).to.throw().with.property('kind', 'bad_range');
    expect(() => resolveRange({ start: 0 }, 0)).to.throw().with.property('kind', 'bad_range');
    expect(() => resolveRange({ start: -1 }, 10)).to.throw().with.property('kind', 'bad_range');
    expect(resolveRange(undefined, 0)).to.deep.equal({ start: 0, end: -1, sizeBytes: 0 });
  });
});

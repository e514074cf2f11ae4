import { expect } from 'chai';
import fc from 'fast-check';
import { ServiceError } from '#platform/errors.ts';
import { countBound, type Keyset, pageOf, pageOfAll, positionalPage, readCursor, readPosition } from '#platform/paging.ts';

interface Row extends Keyset { readonly name: string }

const rowsOf = (count: number): Row[] => Array.from({ length: count }, (_, index) => ({
  // Several rows share a moment, so that only the id tells them apart.
  at: new Date(Date.UTC(2026, 2, 2, 9, 0, 0) - Math.floor(index / 3) * 1_000).toISOString(),
  id: `01920000-0000-7000-8000-${String(count - index).padStart(12, '0')}`,
  name: `row ${index}`,
}));
const keyOf = ({ at, id }: Row): Keyset => ({ at, id });
const after = (rows: readonly Row[], key: Keyset | null): Row[] => (key === null ? [...rows] : rows.filter(({ at, id }) => at < key.at || (at === key.at && id < key.id)));
const refused = (work: () => unknown): string => {
  try {
    work();
    return 'taken';
  } catch (error) {
    return error instanceof ServiceError ? error.code : String(error);
  }
};

describe('paging', () => {
  it('walks any list by any page size without loss or double', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 20 }), (count, limit) => {
      const rows = rowsOf(count);
      const walked: Row[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages <= count; pages += 1) {
        const query = { limit, ...(cursor === undefined ? {} : { cursor }) };
        const { items, page } = pageOf(after(rows, readCursor(query, { q: 'x' })).slice(0, limit + 1), query, { q: 'x' }, null, keyOf);
        walked.push(...items);
        if (page.next_cursor === null) break;
        cursor = page.next_cursor;
      }
      expect(walked).to.deep.equal(rows);
    }), { seed: 1 });
  });

  it('does the same by position', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 20 }), (count, limit) => {
      const all = Array.from({ length: count }, (_, index) => index);
      const walked: number[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages <= count; pages += 1) {
        const { items, page } = pageOfAll(all, { limit, ...(cursor === undefined ? {} : { cursor }) });
        walked.push(...items);
        if (page.next_cursor === null) break;
        cursor = page.next_cursor;
      }
      expect(walked).to.deep.equal(all);
    }), { seed: 2 });
  });

  it('binds a cursor to its filters, whatever their order, and an absent filter to none', () => {
    const { page } = pageOf(rowsOf(3), { limit: 2 }, { q: 'a', tag: 'b', team: undefined }, 3, keyOf);
    const cursor = page.next_cursor ?? '';
    expect(readCursor({ limit: 2, cursor }, { tag: 'b', q: 'a' })).to.deep.equal(keyOf(rowsOf(3)[1] as Row));
    for (const filters of [{}, { q: 'a' }, { q: 'b', tag: 'a' }, { q: 'a', tag: 'b', team: 'c' }]) {
      expect(refused(() => readCursor({ limit: 2, cursor }, filters))).to.equal('VALIDATION_ERROR');
    }
  });

  it('refuses whatever is not a cursor, and never breaks on it', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.base64String(), fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url'))), (cursor) => {
      expect(refused(() => readCursor({ limit: 1, cursor }, {}))).to.equal('VALIDATION_ERROR');
      expect(refused(() => readPosition({ limit: 1, cursor }))).to.equal('VALIDATION_ERROR');
    }), { seed: 3 });
  });

  it('refuses a cursor that was made up well, of a time or an id that cannot be', () => {
    const made = pageOf(rowsOf(3), { limit: 2 }, {}, 3, keyOf).page.next_cursor ?? '';
    const [at = '', id = '', mark = ''] = Buffer.from(made, 'base64url').toString('utf8').split('|');
    const cursorOf = (...parts: string[]): string => Buffer.from(parts.join('|'), 'utf8').toString('base64url');
    expect(readCursor({ limit: 2, cursor: cursorOf(at, id, mark) }, {})).to.deep.equal({ at, id });
    for (const cursor of [cursorOf('9999-99-99T99:99:99.999Z', id, mark), cursorOf('2026-02-31T00:00:00.000Z', id, mark), cursorOf(at, '-'.repeat(36), mark)]) {
      expect(refused(() => readCursor({ limit: 2, cursor }, {})), cursor).to.equal('VALIDATION_ERROR');
    }
  });

  it('takes no cursor of one sort for the other', () => {
    const byKey = pageOf(rowsOf(3), { limit: 2 }, {}, 3, keyOf).page.next_cursor ?? '';
    const byPosition = pageOfAll([1, 2, 3], { limit: 2 }).page.next_cursor ?? '';
    expect(refused(() => readPosition({ limit: 2, cursor: byKey }))).to.equal('VALIDATION_ERROR');
    expect(refused(() => readCursor({ limit: 2, cursor: byPosition }, {}))).to.equal('VALIDATION_ERROR');
  });

  it('tells the total up to the bound, and none beyond it or under a cursor', () => {
    expect(pageOf(rowsOf(1), { limit: 5 }, {}, countBound, keyOf).page.total).to.equal(countBound);
    expect(pageOf(rowsOf(1), { limit: 5 }, {}, countBound + 1, keyOf).page.total).to.equal(null);
    expect(pageOf(rowsOf(1), { limit: 5, cursor: 'x' }, {}, 1, keyOf).page).to.deep.equal({ limit: 5, offset: null, total: null, next_cursor: null });
    expect(positionalPage([1], { limit: 5, offset: 3 }, 3, 4).page).to.deep.equal({ limit: 5, offset: 3, total: 4, next_cursor: null });
  });
});

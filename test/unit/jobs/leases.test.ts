import { expect } from 'chai';
import fc from 'fast-check';
import { isSafeRelativePath } from '#domains/workers/object-paths.ts';
import type { JobRow } from '#jobs/kinds.ts';
import { hashOfLease, isOverdue, retryDelayMs, transferGraceMs } from '#jobs/leases.ts';
import { mapBounded } from '#platform/concurrency.ts';

describe('the wait before another attempt', () => {
  it('is about two seconds, then eight, then thirty-two, and two minutes at most, a quarter more or less', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), (attempt) => {
      const middle = Math.min(500 * 4 ** attempt, 120_000);
      for (const kind of ['crashed', 'internal'] as const) expect(retryDelayMs(attempt, kind)).to.be.within(middle * 0.75, middle * 1.25);
    }), { seed: 8 });
  });

  it('is longer after a fault of what workers lean on: five seconds, thirty, and five minutes at most', () => {
    for (const kind of ['storage_unavailable', 'sdk_unavailable', 'provider_unavailable'] as const) {
      expect(retryDelayMs(1, kind)).to.be.within(3_750, 6_250);
      expect(retryDelayMs(2, kind)).to.be.within(22_500, 37_500);
      expect(retryDelayMs(40, kind)).to.be.within(225_000, 375_000);
    }
  });

  it('is nothing after the first loss of a worker, and something after each further one', () => {
    expect(retryDelayMs(1, 'worker_lost')).to.equal(0);
    expect(retryDelayMs(2, 'worker_lost')).to.be.within(6_000, 10_000);
  });

  it('differs from job to job, so that those who failed together do not come back together', () => {
    expect(new Set(Array.from({ length: 50 }, () => retryDelayMs(3, 'crashed'))).size).to.be.greaterThan(10);
  });
});

describe('a job\'s deadline', () => {
  const job = (startedMsAgo: number | null): JobRow => ({
    started_at: startedMsAgo === null ? null : new Date(Date.now() - startedMsAgo).toISOString(), max_build_ms: 120_000,
  } as JobRow);

  it('is its build limit and what fetching and uploading may take, from the start of the attempt', () => {
    expect(isOverdue(job(null))).to.equal(false);
    expect(isOverdue(job(120_000 + transferGraceMs - 5_000))).to.equal(false);
    expect(isOverdue(job(120_000 + transferGraceMs + 5_000))).to.equal(true);
  });
});

describe('a lease', () => {
  it('is known by 32 bytes that do not tell it', () => {
    expect(hashOfLease('a')).to.have.length(32);
    expect(hashOfLease('a').equals(hashOfLease('b'))).to.equal(false);
  });
});

describe('the path of an object', () => {
  it('stays below its prefix, whatever it is made of', () => {
    const segment = fc.oneof(fc.constantFrom('', '.', '..', '...', 'a', 'b.js', '..a'), fc.string({ maxLength: 5 }).filter((text) => !text.includes('/')));
    fc.assert(fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
      const isSafe = isSafeRelativePath(segments.join('/'));
      expect(isSafe).to.equal(segments.every((one) => one !== '' && one !== '.' && one !== '..'));
      if (isSafe) expect(new URL(`file:///prefix/${segments.map(encodeURIComponent).join('/')}`).pathname.startsWith('/prefix/')).to.equal(true);
    }), { seed: 9 });
    expect(isSafeRelativePath('a'.repeat(1_025))).to.equal(false);
  });
});

describe('bounded work', () => {
  it('answers in order, and never does more at once than it may', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.integer(), { maxLength: 30 }), fc.integer({ min: 1, max: 8 }), async (items, atOnce) => {
      let running = 0;
      let most = 0;
      const results = await mapBounded(items, atOnce, async (item) => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve();
        running -= 1;
        return item * 2;
      });
      expect(results).to.deep.equal(items.map((item) => item * 2));
      expect(most).to.be.at.most(atOnce);
    }), { seed: 10 });
  });

  it('begins nothing more after the first failure, and fails with it', async () => {
    const begun: number[] = [];
    const failure = await mapBounded([0, 1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      await Promise.resolve();
      if (item === 1) throw new Error('one failed');
      return item;
    }).then(() => 'done', (error: unknown) => String(error));
    expect(failure).to.equal('Error: one failed');
    expect(begun.length).to.be.lessThan(5);
  });
});

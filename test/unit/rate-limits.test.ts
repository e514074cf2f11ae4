import { expect } from 'chai';
import type { TierService } from '#domains/tiers/service.ts';
import { rateLimits } from '../../src/rate-limits.ts';

describe('the limits of requests', () => {
  it('let one node take, keep and report 200 jobs a second: a bound that work reaches has messages wait in its hands', async () => {
    const { limitsFor } = rateLimits({} as TierService);
    const [window, ...others] = await limitsFor({ kind: 'worker', nodeId: '01920000-0000-7000-8000-000000000501' }, 'worker');
    expect(others).to.deep.equal([]);
    const requestsOfJob = 4;
    expect((window?.quota ?? 0) / (window?.windowSeconds ?? 1)).to.be.at.least(200 * requestsOfJob);
  });
});

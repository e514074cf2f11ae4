import { expect } from 'chai';
import fc from 'fast-check';
import { decide, type Seen } from '#domains/workers/scaling-decision.ts';

const rule = { type: 'cpu', enabled: true, min: 1, max: 4, scale_up_queue_length: 5, target_wait_seconds: 10, idle_seconds: 300, cooldown_seconds: 60 } as const;
/** A clock that stands still unless a test moves it on. */
const noon = Date.parse('2026-03-02T12:00:00Z');
const seen = (more: Partial<Seen> = {}): Seen => ({
  rule, nowMs: noon, workers: 2, waiting: 0, oldestWaitingSeconds: null, idleWorkerIds: [], drainableIds: ['a', 'b'], lastDecisionMs: null, ...more,
});

describe('the decision about workers', () => {
  it('is none where all is as it should be', () => {
    expect(decide(seen())).to.equal(null);
    expect(decide(seen({ waiting: 9, oldestWaitingSeconds: 10 }))).to.equal(null);
  });
  it('asks for one more where so many jobs wait for each, and says so', () => {
    expect(decide(seen({ waiting: 12 }))).to.deep.equal({ action: 'scale_up', from: 2, to: 3, reason: '12 jobs wait for 2 workers.', workerId: null });
    expect(decide(seen({ waiting: 1, workers: 0, rule: { ...rule, min: 0 } }))?.reason).to.equal('1 job waits for 0 workers.');
  });
  it('asks for one more where a job has waited too long, however few they are', () => {
    expect(decide(seen({ waiting: 1, oldestWaitingSeconds: 14.2 }))).to.deep.include({ action: 'scale_up', to: 3 });
    expect(decide(seen({ waiting: 1, oldestWaitingSeconds: 14.2 }))?.reason).to.contain('14 s').and.to.contain('10 s');
  });
  it('never asks for more than the rule allows', () => {
    expect(decide(seen({ workers: 4, waiting: 1_000, oldestWaitingSeconds: 1_000 }))).to.equal(null);
  });
  it('asks for as many as are missing at least, at once', () => {
    expect(decide(seen({ workers: 0, rule: { ...rule, min: 3 } }))).to.deep.include({ action: 'scale_up', from: 0, to: 3 });
  });
  it('lets go one that is idle, and none while jobs wait or at the least number', () => {
    expect(decide(seen({ idleWorkerIds: ['b'] }))).to.deep.equal({ action: 'scale_down', from: 2, to: 1, reason: 'A worker has had no work for 300 s.', workerId: 'b' });
    expect(decide(seen({ idleWorkerIds: ['b'], waiting: 1 }))).to.equal(null);
    expect(decide(seen({ idleWorkerIds: ['a'], workers: 1 }))).to.equal(null);
  });
  it('lets go one that is too many, busy or not, if there is one it may', () => {
    expect(decide(seen({ workers: 5 }))).to.deep.include({ action: 'scale_down', from: 5, to: 4, workerId: 'a' });
    expect(decide(seen({ workers: 5, drainableIds: [] }))).to.equal(null);
  });
  it('waits for the cooldown after the last one, to the second', () => {
    const waiting = { waiting: 100, lastDecisionMs: noon } as const;
    expect(decide(seen({ ...waiting, nowMs: noon + 59_999 }))).to.equal(null);
    expect(decide(seen({ ...waiting, nowMs: noon + 60_000 }))?.action).to.equal('scale_up');
  });
  it('is none for a class that is switched off', () => {
    expect(decide(seen({ workers: 0, waiting: 100, rule: { ...rule, enabled: false } }))).to.equal(null);
  });
  it('stays within the bounds and comes to rest, whatever happens', () => {
    const bounds = fc.record({ min: fc.integer({ min: 0, max: 5 }), more: fc.integer({ min: 0, max: 5 }) });
    fc.assert(fc.property(bounds, fc.integer({ min: 0, max: 20 }), fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 60 }), ({ min, more }, start, loads) => {
      let workers = start;
      const own = { ...rule, min, max: min + more, cooldown_seconds: 1 };
      const step = (waiting: number): boolean => {
        const ids = Array.from({ length: workers }, (_, index) => `w${index}`);
        const decision = decide(seen({ rule: own, workers, waiting, oldestWaitingSeconds: waiting === 0 ? null : 60, idleWorkerIds: waiting === 0 ? ids : [], drainableIds: ids }));
        if (decision === null) return false;
        expect(decision.from).to.equal(workers);
        expect(decision.reason.length).to.be.within(1, 500);
        if (decision.action === 'scale_up') expect(decision.to).to.be.within(workers + 1, own.max);
        else expect(decision.to).to.equal(workers - 1).and.to.be.at.least(own.min);
        workers = decision.to;
        return true;
      };
      for (const load of loads) step(load);
      for (let calm = 0; calm < 30 && step(0); calm += 1);
      expect(workers).to.equal(Math.max(own.min, 0));
    }), { seed: 5 });
  });
});

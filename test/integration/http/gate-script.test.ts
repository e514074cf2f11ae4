import { expect } from 'chai';
import { sentinelKey } from '#http/gate/marks.ts';
import { defineGate, type AskGate, type Counting } from '#http/gate/script.ts';
import { newId } from '#platform/ids.ts';
import { findOnPath } from '#platform/embedded/processes.ts';
import { openRedis, redisReady, type Redis } from '#platform/redis.ts';
import { requestUse, useOf, windowKey } from '#platform/request-windows.ts';
import { revocationKey } from '#platform/revocations.ts';
import { startRedisFor, testEnvironment } from '../../support/services.ts';

const windowMs = 60_000;
const kinds = [{ name: 'the built-in Redis', path: '' }];
const path = process.env['PATH'] ?? '';
if (findOnPath(['redis-server', 'valkey-server'], path) !== null) kinds.push({ name: 'a real Redis server', path });

for (const kind of kinds) {
  describe(`the gate's script in ${kind.name}`, () => {
    let redis: Redis;
    let ask: AskGate;
    before(async () => {
      const { redisUrl } = await startRedisFor(`gate-${kinds.indexOf(kind)}`, kind.path);
      redis = openRedis(await testEnvironment({ REDIS_URL: redisUrl }));
      await redisReady(redis);
      ask = defineGate(redis);
    });
    after(() => redis.disconnect());
    const fresh = (quota: number, key = windowKey(newId(), 'api')): Counting => ({ key, quota, windowMs });
    const passed = async (windows: readonly Counting[], times: number): Promise<number> => {
      const answers = await Promise.all(Array.from({ length: times }, () => ask(sentinelKey, [], windows)));
      return answers.filter(({ verdict }) => verdict?.refusedBy === null).length;
    };

    it('lets exactly the quota through from rest, in one window and in two', async () => {
      expect(await passed([fresh(7)], 20)).to.equal(7);
      const [narrow, wide] = [fresh(3), fresh(10)];
      expect(await passed([narrow, wide], 20)).to.equal(3);
      expect(await passed([wide], 20)).to.equal(7);
      expect(await passed([wide, fresh(5)], 20), 'whichever comes first').to.equal(0);
    });

    it('says what remains in each window, and of those that refuse names the one with the longest wait', async () => {
      const [narrow, wide] = [fresh(2), { ...fresh(1), windowMs: 10 * windowMs }];
      const first = (await ask(sentinelKey, [], [narrow, wide])).verdict;
      expect([first?.refusedBy, first?.windows.map(({ remaining }) => remaining)]).to.deep.equal([null, [1, 0]]);
      const second = (await ask(sentinelKey, [], [narrow, wide])).verdict;
      expect([second?.refusedBy, second?.windows.map(({ remaining }) => remaining)]).to.deep.equal([1, [1, 0]]);
      expect(await passed([narrow], 5), 'what was refused counted nowhere').to.equal(1);
      const third = (await ask(sentinelKey, [], [narrow, wide])).verdict;
      expect(third?.refusedBy).to.equal(1);
      expect(third?.windows[1]?.resetMs ?? 0).to.be.above(third?.windows[0]?.resetMs ?? Infinity);
    });

    it('counts nothing where there is a mark, and says which', async () => {
      const window = fresh(1);
      const [ended, other] = [newId(), newId()].map(revocationKey) as [string, string];
      await redis.set(ended, '1', 'PX', windowMs);
      const answer = await ask(sentinelKey, [other, ended], [window]);
      expect([answer.marked, answer.verdict]).to.deep.equal([[false, true], null]);
      expect(await passed([window], 3)).to.equal(1);
    });

    it('says whether the marks are whole, also when it is asked of nothing else', async () => {
      await redis.del(sentinelKey);
      expect(await ask(sentinelKey, [], [])).to.deep.equal({ sentinelMs: -2, marked: null, verdict: { refusedBy: null, windows: [] } });
      await redis.set(sentinelKey, '1', 'PX', windowMs);
      expect((await ask(sentinelKey, [], [])).sentinelMs).to.be.within(1, windowMs);
    });

    it('keeps no window for ever, and what an account has used can be read', async () => {
      const userId = newId();
      const window = fresh(100, windowKey(userId, 'api'));
      expect(await requestUse(redis).used(userId)).to.have.property('used', 0);
      expect(await passed([window], 9)).to.equal(9);
      const use = await requestUse(redis).used(userId);
      // A window may have ended in between: what it counted then weighs a little less.
      expect(use?.used).to.be.within(1, 9);
      expect((use?.emptyAtMs ?? 0) - Date.now()).to.be.within(1, 2 * windowMs);
      expect(await redis.pttl(window.key)).to.be.within(1, 2 * windowMs);
    });
  });
}

describe('the use of a window', () => {
  const at = (nowMs: number, kept: string | null) => useOf(kept, nowMs, windowMs);

  it('is what it counted and the share of the window before that still lies within its length', () => {
    expect(at(5 * windowMs + 15_000, '5 10 8')).to.deep.equal({ used: 16, emptyAtMs: 7 * windowMs });
    expect(at(6 * windowMs, '5 10 8')).to.deep.equal({ used: 10, emptyAtMs: 7 * windowMs });
    expect(at(6 * windowMs + 59_999, '5 10 8').used).to.equal(1);
    expect(at(5 * windowMs, '5 0 8')).to.deep.equal({ used: 8, emptyAtMs: 6 * windowMs });
  });

  it('is nothing before the first request and after two windows without one', () => {
    expect(at(1_000, null)).to.deep.equal({ used: 0, emptyAtMs: 1_000 });
    expect(at(7 * windowMs, '5 10 8')).to.deep.equal({ used: 0, emptyAtMs: 7 * windowMs });
  });
});

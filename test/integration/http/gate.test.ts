import { expect } from 'chai';
import { freshRedis } from '../../support/redis.ts';
import { sentinelKey } from '#http/gate/marks.ts';
import { announceAccountChange, markRevoked } from '#platform/revocations.ts';
import { newId } from '#platform/ids.ts';
import { requestUse, windowKey } from '#platform/request-windows.ts';
import { defineGate } from '#http/gate/script.ts';
import { startFixture, useFixture, type Fixture, type Reply } from './fixture/app.ts';

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const endAt = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > endAt) throw new Error(`Never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const outcome = ({ status, json }: Reply): string => `${status} ${json.error?.code ?? 'ok'}`;

describe('http: the gate', () => {
  const fixture = useFixture();
  afterEach('no limits', () => fixture.current.limits.clear());

  it('lets exactly the limit through in a burst, says what is left, and refuses the rest with Retry-After', async () => {
    const { call, person, limits } = fixture.current;
    limits.set('read', { quota: 5, windowSeconds: 60 });
    const { headers } = person();
    const replies = await Promise.all(Array.from({ length: 12 }, () => call('GET', '/things', { headers })));
    const passed = replies.filter(({ status }) => status === 200);
    const refused = replies.filter(({ status }) => status === 429);
    expect([passed.length, refused.length]).to.deep.equal([5, 7]);
    expect(passed.map((reply) => /r=(\d+)/.exec(reply.headers.get('ratelimit') ?? '')?.[1]).sort()).to.deep.equal(['0', '1', '2', '3', '4']);
    for (const reply of replies) expect(reply.headers.get('ratelimit-policy')).to.equal('"read";q=5;w=60');
    for (const reply of refused) {
      expect(outcome(reply)).to.equal('429 RATE_LIMITED');
      expect(reply.headers.get('ratelimit')).to.match(/^"read";r=0;t=\d+$/);
      expect(Number(reply.headers.get('retry-after'))).to.be.within(1, 120);
    }
  });

  it('counts each caller and each class by itself', async () => {
    const { call, person, limits } = fixture.current;
    limits.set('read', { quota: 1, windowSeconds: 60 });
    limits.set('write', { quota: 1, windowSeconds: 60 });
    const [ada, ben] = [person(), person()];
    expect((await call('GET', '/things', { headers: ada.headers })).status).to.equal(200);
    expect((await call('GET', '/things', { headers: ada.headers })).status).to.equal(429);
    expect((await call('GET', '/things', { headers: ben.headers })).status).to.equal(200);
    expect((await call('POST', '/things', { headers: ada.headers, json: { title: 'a' } })).status).to.equal(201);
  });

  it('counts every request of an account in one window, of whatever class and by whatever credential', async () => {
    const { call, person, keyOf, limits } = fixture.current;
    limits.set('api', { quota: 6, windowSeconds: 60 });
    const ada = person();
    const [key, other] = [keyOf(ada), keyOf(ada)];
    const asks = [
      () => call('GET', '/things', { headers: ada.headers }),
      () => call('POST', '/things', { headers: ada.headers, json: { title: 'a' } }),
      () => call('GET', '/things', { headers: key.headers }),
      () => call('POST', '/things', { headers: other.headers, json: { title: 'a' } }),
    ];
    const replies = await Promise.all(Array.from({ length: 5 }, () => asks).flat().map((ask) => ask()));
    expect(replies.filter(({ status }) => status < 300)).to.have.length(6);
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused).to.have.length(14);
    for (const { json } of refused) expect(json.error?.details).to.deep.equal({ limit: 'api', quota: 6, window_seconds: 60 });
    expect((await call('GET', '/things', { headers: person().headers })).status, 'somebody else').to.equal(200);
  });

  it('lets an API key run dry in a class by itself, and not its owner or another key', async () => {
    const { call, person, keyOf, limits } = fixture.current;
    limits.set('read', { quota: 2, windowSeconds: 60 });
    const ada = person();
    const [key, other] = [keyOf(ada), keyOf(ada)];
    const statuses: number[] = [];
    for (const { headers } of [key, key, key, other, other, other, ada, ada, ada]) statuses.push((await call('GET', '/things', { headers })).status);
    expect(statuses).to.deep.equal([200, 200, 429, 200, 200, 429, 200, 200, 429]);
  });

  it('counts a refused request in no window', async () => {
    const { call, person, limits, redis } = fixture.current;
    limits.set('read', { quota: 1, windowSeconds: 60 });
    limits.set('api', { quota: 3, windowSeconds: 60 });
    const ada = person();
    const read = () => call('GET', '/things', { headers: ada.headers });
    const write = () => call('POST', '/things', { headers: ada.headers, json: { title: 'a' } });
    expect((await read()).status).to.equal(200);
    const refused = await Promise.all(Array.from({ length: 10 }, read));
    for (const { status, json } of refused) {
      expect(status).to.equal(429);
      expect(json.error?.details).to.deep.equal({ limit: 'read', quota: 1, window_seconds: 60 });
    }
    // Of the three of the account one was used.
    expect((await Promise.all([write(), write(), write()])).map(({ status }) => status).sort()).to.deep.equal([201, 201, 429]);
    expect((await requestUse(redis.redis).used(ada.userId))?.used).to.equal(3);
    limits.set('write', { quota: 5, windowSeconds: 60 });
    const full = await Promise.all(Array.from({ length: 4 }, write));
    expect(new Set(full.map(({ json }) => JSON.stringify(json.error?.details)))).to.deep.equal(new Set(['{"limit":"api","quota":3,"window_seconds":60}']));
    expect(await redis.redis.exists(windowKey(ada.userId, 'write')), 'nothing was counted for the class').to.equal(0);
  });

  it('names every window it counted in, the tightest first', async () => {
    const { call, person, limits } = fixture.current;
    limits.set('read', { quota: 2, windowSeconds: 60 });
    limits.set('api', { quota: 3, windowSeconds: 60 });
    const { headers } = person();
    const told = async (method = 'GET'): Promise<(string | null)[]> => {
      const reply = await call(method, '/things', { headers, ...(method === 'POST' ? { json: { title: 'a' } } : {}) });
      return ['ratelimit', 'ratelimit-policy'].map((name) => reply.headers.get(name)?.replaceAll(/;t=\d+/g, '') ?? null);
    };
    expect(await told()).to.deep.equal(['"read";r=1, "api";r=2', '"read";q=2;w=60, "api";q=3;w=60']);
    expect(await told('POST')).to.deep.equal(['"api";r=1', '"api";q=3;w=60']);
    expect(await told('POST')).to.deep.equal(['"api";r=0', '"api";q=3;w=60']);
    expect(await told(), 'refused by the account').to.deep.equal(['"api";r=0, "read";r=1', '"api";q=3;w=60, "read";q=2;w=60']);
  });

  it('counts anonymous callers by address, whatever credential they show', async () => {
    const { call, person, limits } = fixture.current;
    limits.set('public', { quota: 2, windowSeconds: 60 });
    expect((await call('GET', '/open')).status).to.equal(200);
    expect((await call('GET', '/open', { headers: person().headers })).status).to.equal(200);
    expect((await call('GET', '/open', { headers: person().headers })).status).to.equal(429);
  });

  it('slides: there is room when Retry-After says so, never twice the quota in a window, the quota per window in the long run', async () => {
    const { redis } = fixture.current;
    const ask = defineGate(redis.redis);
    const [quota, windowMs] = [4, 400];
    const passedAt: number[] = [];
    const key = `rate_limit:${newId()}:slide`;
    const beganAt = Date.now();
    let isPromised = false;
    while (Date.now() < beganAt + 4 * windowMs) {
      const { verdict } = await ask(sentinelKey, ['revoked:'], [{ key, quota, windowMs }]);
      if (verdict?.refusedBy === null) {
        passedAt.push(Date.now());
        isPromised = false;
        continue;
      }
      expect(isPromised, 'there was no room when there should have been').to.equal(false);
      const waitMs = verdict?.windows[0]?.resetMs ?? 0;
      expect(waitMs).to.be.within(1, 2 * windowMs);
      await new Promise((resolve) => setTimeout(resolve, waitMs + 2));
      isPromised = true;
    }
    expect(passedAt.length).to.be.within(2 * quota, 5 * quota);
    for (const [at, time] of passedAt.entries()) {
      expect(passedAt.filter((other, index) => index >= at && other < time + windowMs).length).to.be.below(2 * quota);
    }
  });

  it('refuses a revoked session at the next request, in every replica', async () => {
    const { call, person, redis, database, credentials, limits } = fixture.current;
    const replica = await startFixture({ share: { database, redis, credentials, limits } });
    try {
      const ada = person();
      expect((await call('GET', '/things', { headers: ada.headers })).status).to.equal(200);
      expect((await replica.call('GET', '/things', { headers: ada.headers })).status).to.equal(200);
      await markRevoked(redis.redis, [ada.sessionId], 900);
      expect(outcome(await call('GET', '/things', { headers: ada.headers }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await replica.call('GET', '/things', { headers: ada.headers }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await call('POST', '/sign-out', { headers: ada.headers }))).to.equal('401 AUTH_INVALID');
    } finally {
      await replica.close();
    }
  });

  it('looks at an account that is marked before anything kept of it is believed, in every replica, for every credential', async () => {
    const { call, person, keyOf, redis, database, credentials, limits } = fixture.current;
    const replica = await startFixture({ share: { database, redis, credentials, limits } });
    try {
      const ada = person();
      const asks = [call, replica.call].flatMap((ask) => [ada, keyOf(ada)].map(({ headers }) => () => ask('GET', '/things', { headers })));
      for (const ask of asks) expect((await ask()).status).to.equal(200);
      const account = credentials.accounts.get(ada.userId);
      if (account === undefined) throw new Error('There is no account.');
      credentials.accounts.set(ada.userId, { ...account, isSuspended: true });
      for (const ask of asks) expect((await ask()).status, 'kept for three seconds').to.equal(200);
      await markRevoked(redis.redis, [ada.userId], 900);
      for (const ask of asks) {
        const reply = await ask();
        expect([outcome(reply), reply.json.error?.details]).to.deep.equal(['403 FORBIDDEN', { reason: 'suspended' }]);
      }
      credentials.accounts.set(ada.userId, account);
      limits.set('read', { quota: 2, windowSeconds: 60 });
      const again = await Promise.all(Array.from({ length: 5 }, () => call('GET', '/things', { headers: ada.headers })));
      expect(again.map(({ status }) => status).sort(), 'the mark does not keep it from being counted').to.deep.equal([200, 200, 429, 429, 429]);
    } finally {
      await replica.close();
    }
  });

  it('reads revocation from the store after a wipe of Redis, and rebuilds the marks', async () => {
    const { call, person, redis, credentials, logLines } = fixture.current;
    const [ada, ben] = [person(), person()];
    await call('GET', '/things', { headers: ada.headers });
    await until('the sentinel', async () => (await redis.redis.exists(sentinelKey)) === 1);
    credentials.sessions.set(ada.sessionId, { userId: ada.userId, isRevoked: true });
    credentials.revocations = [{ id: ada.sessionId, ttlSeconds: 900 }];
    await redis.redis.flushdb();
    logLines.length = 0;
    expect(outcome(await call('GET', '/things', { headers: ada.headers }))).to.equal('401 AUTH_INVALID');
    expect((await call('GET', '/things', { headers: ben.headers })).status).to.equal(200);
    await until('the mark', async () => (await redis.redis.exists(`revoked:${ada.sessionId}`)) === 1 && (await redis.redis.exists(sentinelKey)) === 1);
    credentials.reads.session = 0;
    expect(outcome(await call('GET', '/things', { headers: ada.headers }))).to.equal('401 AUTH_INVALID');
    expect(credentials.reads.session).to.equal(0);
    expect(logLines.filter(({ event_type }) => event_type === 'revocations.missing')).to.have.length(1);
  });
});

describe('http: the gate without Redis', () => {
  let own: Fixture | null = null;
  afterEach('stop', async () => {
    await own?.close();
    own = null;
  });

  it('goes on with the store and its own counting, and says so once each way', async () => {
    own = await startFixture();
    const { call, person, keyOf, limits, redis, credentials, logLines } = own;
    limits.set('read', { quota: 3, windowSeconds: 60 });
    const [ada, ben, eve] = [person(), person(), person()];
    const key = keyOf(eve);
    expect((await call('GET', '/things', { headers: ada.headers })).status).to.equal(200);
    expect((await call('GET', '/things', { headers: key.headers })).status).to.equal(200);
    redis.redis.disconnect();
    await until('the end', () => redis.redis.status === 'end');
    const statuses = (await Promise.all(Array.from({ length: 5 }, () => call('GET', '/things', { headers: ben.headers })))).map(({ status }) => status);
    expect(statuses.sort()).to.deep.equal([200, 200, 200, 429, 429]);
    credentials.sessions.set(ada.sessionId, { userId: ada.userId, isRevoked: true });
    expect(outcome(await call('GET', '/things', { headers: ada.headers }))).to.equal('401 AUTH_INVALID');
    const account = credentials.accounts.get(eve.userId);
    if (account !== undefined) credentials.accounts.set(eve.userId, { ...account, isSuspended: true });
    expect(outcome(await call('GET', '/things', { headers: key.headers })), 'a key of a suspended account').to.equal('403 FORBIDDEN');
    expect(logLines.filter(({ event_type }) => event_type === 'gate.local')).to.have.length(1);
    await redis.redis.connect();
    expect((await call('GET', '/things', { headers: person().headers })).status).to.equal(200);
    expect(logLines.filter(({ event_type }) => event_type === 'gate.shared')).to.have.length(1);
  });

  it('keeps every window, and counts a refused request in none', async () => {
    own = await startFixture();
    const { call, person, limits, redis } = own;
    limits.set('read', { quota: 1, windowSeconds: 60 });
    limits.set('api', { quota: 3, windowSeconds: 60 });
    const { headers } = person();
    redis.redis.disconnect();
    await until('the end', () => redis.redis.status === 'end');
    const read = () => call('GET', '/things', { headers });
    const reads = await Promise.all(Array.from({ length: 6 }, read));
    expect(reads.map(({ status }) => status).sort()).to.deep.equal([200, 429, 429, 429, 429, 429]);
    const refused = reads.find(({ status }) => status === 429);
    expect(refused?.json.error?.details).to.deep.equal({ limit: 'read', quota: 1, window_seconds: 60 });
    expect(refused?.headers.get('ratelimit')).to.match(/^"read";r=0;t=\d+, "api";r=2;t=\d+$/);
    const writes = await Promise.all(Array.from({ length: 3 }, () => call('POST', '/things', { headers, json: { title: 'a' } })));
    expect(writes.map(({ status }) => status).sort()).to.deep.equal([201, 201, 429]);
    await redis.redis.connect();
  });

  it('does not take its own busy process for a Redis that is slow: the count stays one', async () => {
    own = await startFixture({ deps: { gateTimeoutMs: 60 } });
    const { call, person, limits, logLines } = own;
    limits.set('read', { quota: 5, windowSeconds: 60 });
    const { headers } = person();
    await call('GET', '/things', { headers: person().headers });
    const calls = Promise.all(Array.from({ length: 20 }, () => call('GET', '/things', { headers })));
    for (let turn = 0; turn < 6; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const endAt = performance.now() + 150; performance.now() < endAt;);
    }
    const statuses = (await calls).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).to.have.length(5);
    expect(logLines.filter(({ event_type }) => event_type === 'gate.local')).to.deep.equal([]);
  });

  it('does not wait for a Redis that hangs', async () => {
    own = await startFixture({ deps: { gateTimeoutMs: 100 } });
    const { call, person, redis } = own;
    const ada = person();
    // The gate's own client: every command of it waits for the one that sleeps.
    let isHanging = true;
    const hanging = redis.redis.call('BLPOP', 'nothing-comes', '1.9').catch(() => null).then(() => { isHanging = false; });
    expect((await call('GET', '/things', { headers: ada.headers })).status).to.equal(200);
    expect(isHanging, 'the answer came while Redis hung').to.equal(true);
    await hanging;
  });
});

describe('http: changed accounts', () => {
  it('are heard of at once by every replica that subscribes', async () => {
    const { openSubscriber } = await import('#platform/redis.ts');
    const { Identities } = await import('#http/authenticate/identities.ts');
    const { accountChangedChannel } = await import('#platform/revocations.ts');
    const redis = await freshRedis();
    const subscriber = openSubscriber(redis.env);
    try {
      const userId = newId();
      let isSuspended = false;
      const identities = new Identities({
        account: () => Promise.resolve({ userId, tier: 'free', isSuspended, isDeleted: false, isVerified: true }),
        session: () => Promise.resolve(null), apiKey: () => Promise.resolve(null), recentRevocations: () => Promise.resolve([]),
      }, { now: () => 0 });
      await subscriber.subscribe(accountChangedChannel, (id) => void identities.forget(id));
      expect((await identities.account(userId))?.isSuspended).to.equal(false);
      isSuspended = true;
      expect((await identities.account(userId))?.isSuspended).to.equal(false);
      await announceAccountChange(redis.redis, userId);
      await until('the change', async () => (await identities.account(userId))?.isSuspended === true);
    } finally {
      subscriber.close();
      await redis.close();
    }
  });
});

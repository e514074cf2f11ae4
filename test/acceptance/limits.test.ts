import { expect } from 'chai';
import { burst, emptyWindow, passed, refusals, send, statuses, times } from '../support/limits.ts';
import { type Person, until, useSystem } from '../support/system.ts';

describe('limits over two API processes', function () {
  this.timeout(60_000);
  const system = useSystem({ apis: 2, variables: { TRUSTED_PROXIES: '127.0.0.1', PREVIEW_MAX_TIMEOUT_MS: '1000' } });
  let lastAddress = 0;
  /** An address that nothing came from yet. */
  const freshAddress = (): string => `198.51.${Math.floor((lastAddress += 1) / 250)}.${(lastAddress % 250) + 1}`;
  const bearer = ({ tokens }: Person): Record<string, string> => ({ authorization: `Bearer ${tokens.access_token}` });
  /** An account of a tier that has asked for nothing in this minute. */
  const rested = async (tier: 'free' | 'pro' | 'premium' | 'admin'): Promise<Person> => {
    const person = await system.current.person(tier);
    await emptyWindow(system.current, person.tokens.user.id, 'api');
    return person;
  };
  const keyOf = async ({ hive, tokens }: Person, scopes: ['account:read'] | ['previews:read']): Promise<Record<string, string>> => {
    const { key } = await hive.api.createApiKey({ body: { name: 'ci', scopes } });
    await emptyWindow(system.current, tokens.user.id, 'api');
    return { 'x-api-key': key };
  };

  // A process compiles much at the first request of each kind; on a busy machine that can take longer than it waits for Redis.
  before('every process has seen each kind of request', async () => {
    const [ada, forwardedFor] = [await rested('free'), freshAddress()];
    const headers = bearer(ada);
    const none = '01920000-0000-7000-8000-00000000ffff';
    for (const api of [0, 1]) {
      for (const ask of [
        { path: '/users/me' }, { method: 'PATCH', path: '/users/me', json: { display_name: 'Ada' } }, { method: 'POST', path: '/auth/session-tokens' },
        { method: 'POST', path: '/auth/email/verify', json: { token: 'x'.repeat(43) } }, { path: '/tiers' }, { path: `/preview/jobs/${none}/events` },
        { method: 'POST', path: '/auth/login', json: { username: 'nobody', password: 'a phrase of somebody else' } },
        { method: 'POST', path: '/projects', json: { name: '' } }, { method: 'POST', path: '/api-keys', json: { name: '', scopes: [] } },
        { method: 'POST', path: '/preview/build', json: { project_id: none, files: [] } }, { method: 'POST', path: '/preview/request', json: { project_id: none, files: [] } },
      ]) await send(system.current, api, { ...ask, headers, forwardedFor });
    }
  });

  describe('on requests', () => {
    it('let exactly the tier\'s number of an account through in a burst, of every class and by every credential together', async () => {
      const ada = await rested('free');
      const key = await keyOf(ada, ['account:read']);
      const answers = await burst(system.current, times(160, (index) => (index % 3 === 0
        ? { path: '/users/me', headers: key }
        : index % 3 === 1 ? { path: '/users/me', headers: bearer(ada) } : { method: 'PATCH', path: '/users/me', headers: bearer(ada), json: { display_name: `Ada ${index}` } })));
      expect(statuses(answers)).to.deep.equal({ 200: 120, 429: 40 });
      expect(refusals(answers)).to.deep.equal([{ limit: 'api', quota: 120, window_seconds: 60 }]);
      for (const { status, headers } of answers) {
        expect(headers.get('ratelimit-policy')).to.equal('"api";q=120;w=60');
        expect(headers.get('ratelimit')).to.match(status === 429 ? /^"api";r=0;t=\d+$/ : /^"api";r=\d+;t=\d+$/);
        if (status === 429) expect(Number(headers.get('retry-after'))).to.be.within(1, 120);
      }
      const ben = await rested('free');
      expect((await send(system.current, 0, { path: '/users/me', headers: bearer(ben) })).status, 'somebody else').to.equal(200);
    });

    it('hold in a new form once an administrator changed them, in both processes, without a restart', async () => {
      const [ada, ben, admin] = [await rested('pro'), await rested('pro'), await system.current.person('admin')];
      const change = async (quota: number | null): Promise<void> => {
        const changedAt = Date.now();
        await admin.hive.api.updateTierLimits({ path: { tier: 'pro' }, body: { api_requests_per_minute: quota } });
        for (const api of [0, 1]) {
          await until('the process to hear of it', async () => {
            const { headers } = await send(system.current, api, { path: '/users/me', headers: bearer(ben) });
            return headers.get('ratelimit-policy') === (quota === null ? null : `"api";q=${quota};w=60`);
          });
        }
        expect(Date.now() - changedAt).to.be.below(5_000);
      };
      await change(7);
      try {
        const answers = await burst(system.current, times(20, () => ({ path: '/users/me', headers: bearer(ada) })));
        expect(statuses(answers)).to.deep.equal({ 200: 7, 429: 13 });
        await change(null);
        const uncapped = await burst(system.current, times(20, () => ({ path: '/users/me', headers: bearer(ada) })));
        expect(statuses(uncapped)).to.deep.equal({ 200: 20 });
        expect(uncapped[0]?.headers.get('ratelimit'), 'there is nothing to say').to.equal(null);
      } finally {
        await change(600);
      }
    });

    it('let exactly the class\'s number of a person through, and leave the account the rest', async () => {
      const ada = await rested('free');
      const ask = { method: 'POST', path: '/auth/session-tokens', headers: bearer(ada) };
      const answers = await burst(system.current, times(30, () => ask));
      expect(passed(answers)).to.equal(20);
      expect(refusals(answers)).to.deep.equal([{ limit: 'strict', quota: 20, window_seconds: 60 }]);
      const [first] = answers;
      expect(first?.headers.get('ratelimit-policy'), 'the tightest first').to.equal('"strict";q=20;w=60, "api";q=120;w=60');
      // The ten that were refused counted nowhere: a hundred are left of the account's.
      const rest = await burst(system.current, times(110, () => ({ path: '/users/me', headers: bearer(ada) })));
      expect(statuses(rest)).to.deep.equal({ 200: 100, 429: 10 });
    });

    it('let exactly the class\'s number of an API key through, and its owner and another key go on', async () => {
      const ada = await rested('premium');
      const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
      const files = [{ path: 'index.js', sha256: 'a'.repeat(64), size: 1 }];
      const { job } = await ada.hive.api.requestPreview({ body: { project_id: projectId, entry_file: 'index.js', files } });
      await ada.hive.api.cancelPreviewJob({ path: { job_id: job.id } });
      const [key, other] = [await keyOf(ada, ['previews:read']), await keyOf(ada, ['previews:read'])];
      // Of an ended job it tells the end, and is over.
      const stream = (headers: Record<string, string>) => ({ path: `/preview/jobs/${job.id}/events`, headers });
      const answers = await burst(system.current, times(80, () => stream(key)));
      expect(passed(answers)).to.equal(60);
      expect(refusals(answers.filter(({ status }) => status === 429))).to.deep.equal([{ limit: 'stream', quota: 60, window_seconds: 60 }]);
      for (const headers of [other, bearer(ada)]) expect((await send(system.current, 1, stream(headers))).status).to.equal(200);
    });

    it('let exactly the class\'s number of an address through, whoever signs in from it', async () => {
      const [strict, open] = [freshAddress(), freshAddress()];
      const token = 'x'.repeat(43);
      const guesses = await burst(system.current, times(30, () => ({ method: 'POST', path: '/auth/email/verify', json: { token }, forwardedFor: strict })));
      expect(statuses(guesses)).to.deep.equal({ 401: 20, 429: 10 });
      const ada = await rested('free');
      const reads = await burst(system.current, times(140, (index) => ({ path: '/tiers', forwardedFor: open, headers: index % 2 === 0 ? bearer(ada) : {} })));
      expect(statuses(reads)).to.deep.equal({ 200: 120, 429: 20 });
      expect(refusals(reads)).to.deep.equal([{ limit: 'public', quota: 120, window_seconds: 60 }]);
    });
  });

  describe('behind a proxy', () => {
    const guess = (forwardedFor: string) => ({ method: 'POST', path: '/auth/email/verify', json: { token: 'y'.repeat(43) }, forwardedFor });

    it('count two clients apart, by the address that the proxy saw, whatever they claim themselves', async () => {
      const [ada, ben] = [freshAddress(), freshAddress()];
      const answers = await burst(system.current, times(50, (index) => guess(index % 2 === 0 ? `203.0.113.${index}, ${ada}` : ben)));
      expect(passed(answers.filter((_, index) => index % 2 === 0))).to.equal(20);
      expect(passed(answers.filter((_, index) => index % 2 === 1))).to.equal(20);
    });

    it('count one customer of an IPv6 network once, whatever address of it is used', async () => {
      const answers = await burst(system.current, times(30, (index) => guess(`2001:db8:77:1::${index.toString(16)}`)));
      expect(passed(answers)).to.equal(20);
      expect(passed(await burst(system.current, [guess('2001:db8:77:2::1')]))).to.equal(1);
    });
  });

  describe('on sign-ins', () => {
    const login = (username: string, forwardedFor: string) => ({ method: 'POST', path: '/auth/login', json: { username, password: 'a phrase of somebody else' }, forwardedFor });
    /** As if its time had come: what is waited for is a key that runs out. */
    const afterTheWait = async (): Promise<void> => {
      const keys = await system.current.redis.keys('rate_limit:sign_in_wait:*');
      if (keys.length > 0) await system.current.redis.del(...keys);
    };

    it('let five a minute through for one account from one address', async () => {
      const { tokens } = await system.current.person('free');
      const [here, there] = [freshAddress(), freshAddress()];
      const answers = await burst(system.current, times(16, () => login(tokens.user.username, here)));
      expect(statuses(answers)).to.deep.equal({ 401: 5, 429: 11 });
      for (const { status, headers } of answers) if (status === 429) expect(Number(headers.get('retry-after'))).to.be.within(1, 60);
      expect(statuses(await burst(system.current, [login(tokens.user.username, there), login('nobody-at-all', here)]))).to.deep.equal({ 401: 2 });
    });

    it('let thirty an hour through from one address, whatever the accounts', async () => {
      const address = freshAddress();
      let tried = 0;
      for (let wave = 0; wave < 4; wave += 1) {
        // The twenty a minute of an address are another limit.
        await emptyWindow(system.current, `ip:${address}`, 'strict');
        tried += passed(await burst(system.current, times(10, (index) => login(`nobody${wave}x${index}`, address))));
      }
      expect(tried).to.equal(30);
      const [last] = await burst(system.current, [login('nobody-more', address)]);
      expect(Number(last?.headers.get('retry-after'))).to.be.within(60, 3_600);
    });

    it('let one try through at a time after ten failures of an account, from wherever, with a wait that doubles with each', async () => {
      const { tokens, password } = await system.current.person('free');
      const { username } = tokens.user;
      const wrong = (count: number) => burst(system.current, times(count, () => login(username, freshAddress())));
      expect(statuses(await wrong(30)), 'ten, and the first that has to be waited after').to.deep.equal({ 401: 11, 429: 19 });
      for (const longest of [4, 8, 16]) {
        await afterTheWait();
        const answers = await wrong(12);
        expect(statuses(answers)).to.deep.equal({ 401: 1, 429: 11 });
        for (const { status, headers } of answers) if (status === 429) expect(Number(headers.get('retry-after'))).to.be.within(1, longest);
        const [later] = await wrong(1);
        expect(Number(later?.headers.get('retry-after')), 'refused tries do not lengthen it').to.be.within(longest / 2, longest);
      }
      await afterTheWait();
      expect((await send(system.current, 0, { ...login(username, freshAddress()), json: { username, password } })).status).to.equal(200);
      expect(statuses(await wrong(8)), 'a right password forgets them').to.deep.equal({ 401: 8 });
    });
  });

  describe('that stand', () => {
    it('let exactly as many projects be made at once as the tier has places', async () => {
      const ada = await rested('free');
      const answers = await burst(system.current, times(20, (index) => ({ method: 'POST', path: '/projects', headers: bearer(ada), json: { name: `p${index}` } })));
      expect(statuses(answers)).to.deep.equal({ 201: 5, 402: 15 });
      expect(refusals(answers)).to.deep.equal([{ limit: 'projects', allowed: 5, used: 5, tier: 'free', upgrade_to: 'pro' }]);
    });

    it('let exactly as many API keys be made at once', async () => {
      const ada = await rested('free');
      const answers = await burst(system.current, times(20, (index) => ({ method: 'POST', path: '/api-keys', headers: bearer(ada), json: { name: `k${index}`, scopes: ['account:read'] } })));
      expect(statuses(answers)).to.deep.equal({ 201: 2, 402: 18 });
      expect(refusals(answers)).to.deep.equal([{ limit: 'api_keys', allowed: 2, used: 2, tier: 'free', upgrade_to: 'pro' }]);
    });

    it('let exactly as many previews wait or run at once, and be asked for in a minute', async () => {
      const ada = await rested('pro');
      const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
      const files = [{ path: 'index.js', content_base64: Buffer.from('export default 1;').toString('base64') }];
      // Whoever gets a place waits for a build that no worker makes.
      const build = () => ({ method: 'POST', path: '/preview/build', headers: bearer(ada), json: { project_id: projectId, entry_file: 'index.js', files } });
      const answers = await burst(system.current, times(20, build));
      expect(statuses(answers)).to.deep.equal({ 402: 17, 504: 3 });
      expect(refusals(answers)).to.deep.equal([{ limit: 'preview_jobs_at_once', allowed: 3, used: 3, tier: 'pro', upgrade_to: 'premium' }]);
      const ben = await rested('free');
      const { id } = await ben.hive.api.createProject({ body: { name: 'Field Notes' } });
      const request = () => ({ method: 'POST', path: '/preview/request', headers: bearer(ben), json: { project_id: id, entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'c'.repeat(64), size: 1 }] } });
      const asked = await burst(system.current, times(20, request));
      expect(statuses(asked)).to.deep.equal({ 202: 3, 429: 17 });
      for (const { status, headers } of asked) if (status === 429) expect(Number(headers.get('retry-after'))).to.be.within(1, 60);
    });
  });
});

describe('limits without a trusted proxy', () => {
  const system = useSystem();

  it('count by the peer\'s own address: a forwarded one that it made up is not even looked at', async () => {
    const answers = await Promise.all(times(30, (index) => ({ method: 'POST', path: '/auth/email/verify', json: { token: 'z'.repeat(43) }, forwardedFor: `198.51.100.${index}` }))
      .map((ask) => send(system.current, 0, ask)));
    expect(statuses(answers)).to.deep.equal({ 401: 20, 429: 10 });
  });
});

/** Whoever asks cannot tell an account that exists from one that does not: not by an answer, its headers, its work or its time. */
import argon2 from 'argon2';
import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type Account, register } from '../../support/accounts.ts';
import { type Reply, useBackend } from '../../support/backend.ts';
import { statementsOf } from '../../support/statements.ts';

/** Pairs of tries in a round; rounds until one is quiet enough to say something. */
const pairs = 40;
const rounds = 3;
/** How far the medians may lie apart. An unknown account that were not hashed for would be ten times as fast. */
const least = 0.8;
const most = 1.25;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

describe('an account that is not there', () => {
  const backend = useBackend();
  let ada: Account;
  before(async () => { ada = await register(backend.current); });

  /** How often one may ask is no part of this. */
  const lift = async (): Promise<void> => {
    const { redis } = backend.current.redis;
    const keys = await redis.keys('rate_limit:*');
    if (keys.length > 0) await redis.del(...keys);
  };
  const post = async (path: string, json: unknown): Promise<Reply> => {
    await lift();
    return backend.current.http('POST', path, { json });
  };
  const nobody = (): string => `ada${newId().slice(-10)}`;
  const wrong = 'a phrase of somebody else';

  /** Everything of an answer but what differs from request to request. */
  const told = ({ status, headers, text }: Reply): unknown => {
    const own = ['x-request-id', 'date', 'ratelimit'];
    return { status, text, headers: [...headers].filter(([name]) => !own.includes(name)).sort() };
  };

  /** Sends the two in turn, first the one, then the other, and says by how much their medians differ at best. */
  async function ratio(known: () => Promise<unknown>, unknown: () => Promise<unknown>): Promise<number> {
    let best = Infinity;
    const timed = async (ask: () => Promise<unknown>): Promise<number> => {
      await lift();
      const startedAt = performance.now();
      await ask();
      return performance.now() - startedAt;
    };
    for (let round = 0; round < rounds; round += 1) {
      const [ofKnown, ofUnknown]: [number[], number[]] = [[], []];
      for (let pair = 0; pair < pairs; pair += 1) {
        if (pair % 2 === 0) ofKnown.push(await timed(known));
        ofUnknown.push(await timed(unknown));
        if (pair % 2 === 1) ofKnown.push(await timed(known));
      }
      const one = median(ofUnknown) / median(ofKnown);
      if (Math.abs(Math.log(one)) < Math.abs(Math.log(best))) best = one;
      if (best >= least && best <= most) break;
    }
    return best;
  }

  /** How often passwords were hashed or compared meanwhile. */
  async function hashesOf(work: () => Promise<unknown>): Promise<number> {
    const { verify, hash } = argon2;
    let count = 0;
    argon2.verify = (...args) => { count += 1; return verify(...args); };
    argon2.hash = ((...args: Parameters<typeof hash>) => { count += 1; return hash(...args); }) as typeof hash;
    try {
      await work();
    } finally {
      Object.assign(argon2, { verify, hash });
    }
    return count;
  }

  describe('at a sign-in', () => {
    const by = (names: Readonly<Record<string, string>>): Promise<Reply> => post('/auth/login', { ...names, password: wrong });

    it('is answered as a wrong password is, header by header, by username and by address', async () => {
      const suspended = await register(backend.current);
      await backend.current.sql('update users set suspended_at = now() where id = ?', [suspended.userId]);
      const answers = [
        await by({ username: ada.username }), await by({ email: ada.email }), await by({ username: nobody() }), await by({ email: `${nobody()}@example.com` }),
        await by({ username: suspended.username }),
      ];
      const [first] = answers;
      if (first === undefined) throw new Error('Nothing was asked.');
      expect(first.status).to.equal(401);
      for (const answer of answers) expect(told(answer)).to.deep.equal(told(first));
    });

    it('costs the same statements and the same hashing', async () => {
      await by({ username: ada.username });
      const [known, unknown] = [
        await statementsOf(() => by({ username: ada.username })), await statementsOf(() => by({ username: nobody() })),
      ];
      expect(unknown).to.deep.equal(known);
      expect(await hashesOf(() => by({ username: ada.username }))).to.equal(1);
      expect(await hashesOf(() => by({ username: nobody() }))).to.equal(1);
    });

    it('is answered in the same time', async function () {
      this.timeout(90_000);
      const { http } = backend.current;
      const asking = (name: () => string) => () => http('POST', '/auth/login', { json: { username: name(), password: wrong } });
      expect(await ratio(asking(() => ada.username), asking(nobody))).to.be.within(least, most);
    });
  });

  describe('where a password was forgotten', () => {
    const forgot = (email: string): Promise<Reply> => post('/auth/password/forgot', { email });

    it('is answered as one that is there, header by header, by the same statements', async () => {
      const [known, unknown] = [await forgot(ada.email), await forgot(`${nobody()}@example.com`)];
      expect(known.status).to.be.below(300);
      expect(told(unknown)).to.deep.equal(told(known));
      // Asked again while the first mail is on its way: alike too.
      const [ben, none] = [await register(backend.current), `${nobody()}@example.com`];
      for (let asked = 0; asked < 2; asked += 1) {
        expect(await statementsOf(() => forgot(none))).to.deep.equal(await statementsOf(() => forgot(ben.email)));
      }
      expect(await hashesOf(() => forgot(ada.email))).to.equal(0);
    });

    it('is answered in the same time', async function () {
      this.timeout(60_000);
      const { http } = backend.current;
      const asking = (email: string) => () => http('POST', '/auth/password/forgot', { json: { email } });
      expect(await ratio(asking(ada.email), asking(`${nobody()}@example.com`))).to.be.within(least, most);
    });
  });
});

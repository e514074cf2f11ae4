import { expect } from 'chai';
import { SignInAttempts } from '#domains/auth/attempts.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { useBackend } from '../../support/backend.ts';

describe('trying to sign in', () => {
  const backend = useBackend();
  let last = 0;
  const freshIp = (): string => `10.${Math.floor((last += 1) / 65_536)}.${Math.floor(last / 256) % 256}.${last % 256}`;
  const attempts = (): SignInAttempts => new SignInAttempts(backend.current.redis.redis);
  /** `let in`, or the seconds to wait. */
  const outcome = (trying: Promise<unknown>): Promise<string | number> => trying.then(
    () => 'let in',
    (error: unknown) => {
      if (!(error instanceof ServiceError) || error.code !== 'RATE_LIMITED') throw error;
      return error.retryAfterSeconds ?? 0;
    },
  );

  it('is let in five times a minute for one account from one address, also when all come at once', async () => {
    const [account, ip] = [newId(), freshIp()];
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => outcome(attempts().begin(account, ip))));
    expect(outcomes.filter((one) => one === 'let in')).to.have.length(5);
    for (const seconds of outcomes.filter((one) => one !== 'let in')) expect(seconds).to.be.within(1, 60);
    expect(await outcome(attempts().begin(account.toUpperCase(), ip)), 'another spelling').not.to.equal('let in');
    expect(await outcome(attempts().begin(account, freshIp())), 'another address').to.equal('let in');
    expect(await outcome(attempts().begin(newId(), ip)), 'another account').to.equal('let in');
  });

  it('is let in thirty times an hour from one address, whatever the account', async () => {
    const ip = '2001:db8:7::1';
    for (let tried = 0; tried < 30; tried += 1) expect(await outcome(attempts().begin(newId(), ip))).to.equal('let in');
    expect(await outcome(attempts().begin(newId(), '2001:db8:7::2'))).to.be.within(60, 3_600);
  });

  it('waits longer with each failure after the tenth, wherever they come from', async () => {
    const account = newId();
    for (let tried = 0; tried < 11; tried += 1) expect(await outcome(attempts().begin(account, freshIp()))).to.equal('let in');
    expect(await outcome(attempts().begin(account, freshIp()))).to.be.within(1, 2);
    await backend.current.redis.redis.del(...await backend.current.redis.redis.keys('rate_limit:sign_in_wait:*'));
    expect(await outcome(attempts().begin(account, freshIp()))).to.equal('let in');
    expect(await outcome(attempts().begin(account, freshIp()))).to.be.within(3, 4);
  });

  it('is forgotten by a right password', async () => {
    const [account, ip] = [newId(), freshIp()];
    for (let signedIn = 0; signedIn < 40; signedIn += 1) await (await attempts().begin(account, ip)).succeeded();
    for (let tried = 0; tried < 10; tried += 1) await attempts().begin(account, freshIp());
    await (await attempts().begin(account, ip)).succeeded();
    expect(await outcome(attempts().begin(account, freshIp()))).to.equal('let in');
    expect(await outcome(attempts().begin(account, freshIp()))).to.equal('let in');
  });

  it('is limited alike for an account that does not exist, over the wire, by Retry-After', async () => {
    const known = `ada${newId().slice(-8)}`;
    await backend.current.http('POST', '/auth/register', { json: { email: `${known}@example.com`, username: known, password: 'forty bees in a garden' } });
    for (const username of [known, `nobody${newId().slice(-8)}`]) {
      const login = () => backend.current.http('POST', '/auth/login', { json: { username, password: 'a phrase of somebody else' } });
      for (let tried = 0; tried < 5; tried += 1) expect((await login()).status).to.equal(401);
      const limited = await login();
      expect([limited.status, limited.error?.code]).to.deep.equal([429, 'RATE_LIMITED']);
      expect(Number(limited.headers.get('retry-after'))).to.be.within(1, 60);
    }
  });
});

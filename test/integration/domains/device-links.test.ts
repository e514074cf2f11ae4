import { expect } from 'chai';
import { UserCodeGuesses } from '#domains/auth/user-codes.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;
const tv = { device_id: 'television-of-ada', name: 'Ada\'s television', platform: 'other' };

interface Link { readonly deviceCode: string; readonly userCode: string; readonly grant: Record<string, unknown> }

describe('device links', () => {
  const backend = useBackend();
  const begin = async (more: Record<string, unknown> = { device: tv }): Promise<Link> => {
    const reply = await backend.current.http('POST', '/auth/device-links', { json: { client_name: 'HiveSync for VS Code', ...more } });
    expect(outcome(reply)).to.equal('200 ok');
    return { deviceCode: String(reply.data['device_code']), userCode: String(reply.data['user_code']), grant: reply.data };
  };
  const poll = ({ deviceCode }: Pick<Link, 'deviceCode'>): Promise<Reply> => backend.current.http('POST', '/auth/device-links/token', { json: { device_code: deviceCode } });
  const look = (by: Person, code: string): Promise<Reply> => backend.current.http('GET', `/auth/device-links/${code}`, { headers: by.headers });
  const approve = (by: Person, code: string): Promise<Reply> => backend.current.http('POST', `/auth/device-links/${code}/approve`, { headers: by.headers });
  const deny = (by: Person, code: string): Promise<Reply> => backend.current.http('POST', `/auth/device-links/${code}/deny`, { headers: by.headers });
  /** As if so many seconds had passed since the last poll. */
  const wait = (seconds: number): Promise<unknown> => backend.current.sql("update device_links set last_polled_at = last_polled_at - interval '1 second' * ?", [seconds]);
  const age = (link: Link): Promise<unknown> => backend.current.sql(
    "update device_links set expires_at = now() - interval '1 millisecond' where device_code_hash = sha256(?)", [Buffer.from(link.deviceCode)]);
  /** A code of the right form that is nobody's. */
  const made = (): string => Array.from({ length: 8 }, () => 'BCDFGHJKLMNPQRSTVWXZ'.charAt(Math.floor(Math.random() * 20))).join('');

  it('take a device from its code to a session of the person who approved', async () => {
    const ada = await backend.current.person();
    const link = await begin();
    expect(link.grant).to.include({
      verification_uri: `${backend.current.env.baseUrl}/link`, verification_uri_complete: `${backend.current.env.baseUrl}/link?code=${link.userCode}`,
      expires_in: 900, interval: 5,
    });
    expect(link.userCode).to.match(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    const pending = await poll(link);
    expect([outcome(pending), pending.error?.details]).to.deep.equal(['400 AUTHORIZATION_PENDING', { interval: 5 }]);

    const seen = await look(ada, link.userCode.toLowerCase().replace('-', ''));
    expect(seen.data).to.include({
      user_code: link.userCode, status: 'pending', client_name: 'HiveSync for VS Code', device_name: 'Ada\'s television', platform: 'other', ip_address: '127.0.0.1',
    });
    const approved = await approve(ada, link.userCode);
    expect([outcome(approved), approved.data['status']]).to.deep.equal(['200 ok', 'approved']);

    const linked = await poll(link);
    expect(outcome(linked)).to.equal('200 ok');
    expect((linked.data['user'] as { id: string }).id).to.equal(ada.userId);
    const sessions = await backend.current.http('GET', '/auth/sessions', { headers: { authorization: `Bearer ${String(linked.data['access_token'])}` } });
    const own = (sessions.data['items'] as Record<string, unknown>[]).find((session) => session['current']);
    expect(own).to.include({ device_name: 'Ada\'s television', suspicious: false });
    expect(await backend.current.sql("select event_type, user_id from audit_logs where entity_type = 'device_link' order by id")).to.deep.equal([
      { event_type: 'device_link.approved', user_id: ada.userId }, { event_type: 'device_link.completed', user_id: ada.userId },
    ]);
  });

  it('work for a device that says nothing of itself', async () => {
    const ada = await backend.current.person();
    const link = await begin({});
    expect((await look(ada, link.userCode)).data).to.include({ device_name: null, platform: null });
    await approve(ada, link.userCode);
    expect(outcome(await poll(link))).to.equal('200 ok');
  });

  it('are kept as hashes alone, the short code under a key', async () => {
    const link = await begin();
    const rows = JSON.stringify(await backend.current.sql('select device_links::text as it from device_links'));
    expect(rows).not.to.contain(link.deviceCode);
    expect(rows).not.to.contain(link.userCode.replace('-', ''));
    const plain = await backend.current.sql('select from device_links where user_code_hash in (sha256(?), sha256(?))', [Buffer.from(link.userCode), Buffer.from(link.userCode.replace('-', ''))]);
    expect(plain, 'found by a plain hash').to.deep.equal([]);
  });

  describe('a device that asks too often', () => {
    it('is told to slow down by five seconds each time, for good', async () => {
      const link = await begin();
      const told = async (): Promise<[string, unknown]> => {
        const reply = await poll(link);
        return [outcome(reply), (reply.error?.details as { interval?: number } | null)?.interval];
      };
      expect(await told()).to.deep.equal(['400 AUTHORIZATION_PENDING', 5]);
      expect(await told()).to.deep.equal(['400 SLOW_DOWN', 10]);
      await wait(7);
      expect(await told(), 'seven seconds are no ten').to.deep.equal(['400 SLOW_DOWN', 15]);
      await wait(15);
      expect(await told()).to.deep.equal(['400 AUTHORIZATION_PENDING', 15]);
      await wait(14);
      expect(await told()).to.deep.equal(['400 SLOW_DOWN', 20]);
    });

    it('is never told to wait more than a minute, however many polls come at once', async () => {
      const link = await begin();
      const replies = await Promise.all(Array.from({ length: 30 }, () => poll(link)));
      expect(replies.filter((reply) => reply.error?.code === 'AUTHORIZATION_PENDING')).to.have.length(1);
      const intervals = replies.map((reply) => (reply.error?.details as { interval: number }).interval);
      expect(Math.max(...intervals)).to.equal(60);
    });

    it('gets its tokens all the same once it is approved', async () => {
      const ada = await backend.current.person();
      const link = await begin();
      await poll(link);
      await poll(link);
      await approve(ada, link.userCode);
      expect(outcome(await poll(link))).to.equal('200 ok');
    });
  });

  describe('the tokens', () => {
    it('go to exactly one of fifty polls at once', async () => {
      const ada = await backend.current.person();
      const link = await begin();
      await approve(ada, link.userCode);
      const replies = await Promise.all(Array.from({ length: 50 }, () => poll(link)));
      expect(replies.map(outcome).sort()).to.deep.equal(['200 ok', ...Array<string>(49).fill('400 EXPIRED_TOKEN')]);
      expect(await backend.current.sql('select count(*) as opened from sessions where user_id = ?', [ada.userId])).to.deep.equal([{ opened: 2 }]);
    });

    it('are as recent a sign-in as the one that approved', async () => {
      const ada = await backend.current.person();
      const twoHoursAgo = Math.floor(Date.now() / 1000) - 7_200;
      const { services } = backend.current;
      const { token } = services.accessTokens.sign({ userId: ada.userId, sessionId: ada.sessionId, tier: 'premium', authenticatedAtMs: twoHoursAgo * 1000 });
      const link = await begin();
      await approve({ ...ada, headers: { authorization: `Bearer ${token}` } }, link.userCode);
      const linked = await poll(link);
      expect(services.accessTokens.verify(String(linked.data['access_token'])).authenticatedAt).to.equal(twoHoursAgo);
    });

    it('are not to be had once the session that approved has ended, or its account is suspended or gone', async () => {
      const { sql } = backend.current;
      const unknown = await poll({ deviceCode: 'A'.repeat(43) });
      const spoil: Record<string, (ada: Person) => Promise<unknown>> = {
        signedOut: (ada) => backend.current.http('POST', '/auth/logout', { headers: ada.headers }),
        suspended: (ada) => sql('update users set suspended_at = now() where id = ?', [ada.userId]),
        deleted: (ada) => sql('update users set deleted_at = now() where id = ?', [ada.userId]),
      };
      for (const [how, happens] of Object.entries(spoil)) {
        const ada = await backend.current.person();
        const link = await begin();
        await approve(ada, link.userCode);
        await happens(ada);
        const reply = await poll(link);
        expect([reply.status, reply.text], how).to.deep.equal([unknown.status, unknown.text]);
        expect(await sql('select from sessions where user_id = ? and id <> ?', [ada.userId, ada.sessionId]), how).to.deep.equal([]);
      }
    });
  });

  it('are answered alike, to the byte, when the device code is unknown, used or too old', async () => {
    const ada = await backend.current.person();
    const unknown = await poll({ deviceCode: 'A'.repeat(43) });
    expect([outcome(unknown), unknown.error?.details]).to.deep.equal(['400 EXPIRED_TOKEN', null]);
    const used = await begin();
    await approve(ada, used.userCode);
    expect(outcome(await poll(used))).to.equal('200 ok');
    expect((await poll(used)).text).to.equal(unknown.text);
    const [old, oldAndApproved] = [await begin(), await begin()];
    await approve(ada, oldAndApproved.userCode);
    for (const link of [old, oldAndApproved]) {
      await age(link);
      expect((await poll(link)).text).to.equal(unknown.text);
    }
  });

  describe('deciding', () => {
    it('again changes nothing, and writes nothing', async () => {
      const ada = await backend.current.person();
      const [yes, no] = [await begin(), await begin()];
      for (let times = 0; times < 3; times += 1) {
        expect((await approve(ada, yes.userCode)).data['status']).to.equal('approved');
        expect((await deny(ada, no.userCode)).data['status']).to.equal('denied');
      }
      expect(await backend.current.sql('select event_type from audit_logs where user_id = ? order by event_type', [ada.userId]))
        .to.deep.equal([{ event_type: 'device_link.approved' }, { event_type: 'device_link.denied' }]);
      const refused = await poll(no);
      expect([outcome(refused), refused.error?.details]).to.deep.equal(['400 ACCESS_DENIED', null]);
    });

    it('otherwise, or after somebody else, is a conflict and changes nothing', async () => {
      const [ada, eve] = [await backend.current.person(), await backend.current.person()];
      const [yes, no] = [await begin(), await begin()];
      await approve(ada, yes.userCode);
      await deny(ada, no.userCode);
      for (const reply of [await deny(ada, yes.userCode), await approve(eve, yes.userCode), await deny(eve, yes.userCode)]) {
        expect([outcome(reply), reply.error?.details]).to.deep.equal(['409 CONFLICT', { status: 'approved' }]);
      }
      for (const reply of [await approve(ada, no.userCode), await approve(eve, no.userCode), await deny(eve, no.userCode)]) {
        expect([outcome(reply), reply.error?.details]).to.deep.equal(['409 CONFLICT', { status: 'denied' }]);
      }
      expect((await poll(yes)).data['user']).to.include({ id: ada.userId });
    });

    it('by two people at once is one\'s alone', async () => {
      const people = await Promise.all(Array.from({ length: 8 }, () => backend.current.person()));
      const link = await begin();
      const replies = await Promise.all(people.map((person) => approve(person, link.userCode)));
      expect(replies.map(outcome).sort()).to.deep.equal(['200 ok', ...Array<string>(7).fill('409 CONFLICT')]);
      const winner = people[replies.findIndex(({ status }) => status === 200)];
      expect((await poll(link)).data['user']).to.include({ id: winner?.userId });
    });

    it('finds nothing under a code that is unknown or has expired, to the byte', async () => {
      const ada = await backend.current.person();
      const old = await begin();
      await age(old);
      const unknown = await look(ada, made());
      expect(outcome(unknown)).to.equal('404 NOT_FOUND');
      for (const reply of [await look(ada, old.userCode), await approve(ada, old.userCode), await deny(ada, made())]) {
        expect([reply.status, reply.text]).to.deep.equal([unknown.status, unknown.text]);
      }
    });
  });

  describe('guessing at codes', () => {
    it('is over for a person after ten wrong ones, also when all come at once, and for nobody else', async () => {
      const [eve, ada] = [await backend.current.person(), await backend.current.person()];
      const link = await begin();
      const replies = await Promise.all(Array.from({ length: 25 }, (_, index) => [look, approve, deny][index % 3]?.(eve, made()) ?? look(eve, made())));
      expect(replies.filter(({ status }) => status === 404)).to.have.length(10);
      const refused = replies.filter(({ status }) => status === 429);
      expect(refused).to.have.length(15);
      for (const { headers, error } of refused) {
        expect(Number(headers.get('retry-after'))).to.be.within(1, 900);
        expect(error?.details).to.include({ limit: 'user_code' });
      }
      expect(outcome(await look(eve, link.userCode)), 'a right one now').to.equal('429 RATE_LIMITED');
      expect(outcome(await look(ada, link.userCode))).to.equal('200 ok');
    });

    it('counts no code that there is, however often it is looked at', async () => {
      const ada = await backend.current.person();
      const link = await begin();
      for (let times = 0; times < 15; times += 1) expect(outcome(await look(ada, link.userCode))).to.equal('200 ok');
      await approve(ada, link.userCode);
      for (let times = 0; times < 12; times += 1) expect(outcome(await deny(ada, link.userCode))).to.equal('409 CONFLICT');
      expect(outcome(await look(ada, made()))).to.equal('404 NOT_FOUND');
    });

    it('is over for all together after three hundred wrong ones, and costs those kept out by it nothing', async () => {
      const { redis: { redis } } = backend.current;
      const left = Number(await redis.get('rate_limit:user_code_all:everybody') ?? 0);
      await redis.del('rate_limit:user_code_all:everybody');
      const [one, other] = [new UserCodeGuesses(redis), new UserCodeGuesses(redis)];
      const tries = await Promise.allSettled(Array.from({ length: 320 }, (_, index) => (index % 2 === 0 ? one : other).begin(newId())));
      expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(300);
      const eve = newId();
      for (let times = 0; times < 12; times += 1) {
        const refusal = await one.begin(eve).then(() => null, (error: unknown) => error);
        expect(refusal).to.be.instanceOf(ServiceError);
      }
      expect(Number(await redis.get(`rate_limit:user_code_caller:${eve}`))).to.equal(0);
      await redis.del('rate_limit:user_code_all:everybody');
      expect(left).to.be.at.least(10);
      await one.begin(eve);
    });

    it('is limited by each process while Redis is away', async () => {
      const { redis: { redis } } = backend.current;
      const guesses = new UserCodeGuesses(redis);
      const eve = newId();
      redis.disconnect();
      await until('the connection to be gone', () => redis.status === 'end');
      try {
        const tries = await Promise.allSettled(Array.from({ length: 14 }, () => guesses.begin(eve)));
        expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(10);
      } finally {
        await redis.connect();
      }
    });
  });
});

import { expect } from 'chai';
import type { HiveSync } from '#sdk/index.ts';
import { failureOf } from '../support/failures.ts';
import { recordingFetch } from '../support/operations.ts';
import { type Person, until, useSystem } from '../support/system.ts';

const device = (name: string): { device_id: string; name: string; platform: 'ios' } => ({ device_id: `installation-of-${name}`, name: `Somebody's ${name}`, platform: 'ios' });
let addresses = 0;

describe('sessions over the wire', () => {
  const system = useSystem({ apis: 2, variables: { TRUSTED_PROXIES: '127.0.0.1' } });
  /** A client whose every request comes from an address of its own, so that no limit by address is met. */
  const from = (api: number, accessToken?: string): HiveSync => system.current.anonymous({
    baseUrl: system.current.urlOf(api), maxRetries: 0, ...(accessToken === undefined ? {} : { accessToken }),
    fetch: (input, init) => {
      addresses += 1;
      const request = new Request(input, init);
      request.headers.set('x-forwarded-for', `198.18.${addresses >> 8}.${addresses & 255}`);
      return recordingFetch(request);
    },
  });
  const signIn = async ({ tokens, password }: Person, on?: string): Promise<{ id: string; accessToken: string; refreshToken: string }> => {
    const result = await from(0).api.loginUser({ body: { username: tokens.user.username, password, ...(on === undefined ? {} : { device: device(on) }) } });
    if (result.token_type !== 'Bearer') throw new Error('no second factor is set');
    return { id: result.session_id, accessToken: result.access_token, refreshToken: result.refresh_token };
  };
  /** That neither API takes a token any more. */
  const refusedEverywhere = async (accessToken: string, what: string): Promise<void> => {
    for (const api of [0, 1]) expect(await failureOf(from(api, accessToken).api.getMe({})), what).to.include({ code: 'AUTH_INVALID', status: 401 });
  };
  const welcomeEverywhere = async (accessToken: string): Promise<void> => {
    for (const api of [0, 1]) await from(api, accessToken).api.getMe({});
  };

  it('shows a person its sessions and devices, the one that asks marked', async () => {
    const ada = await system.current.person();
    const phone = await signIn(ada, 'phone');
    const sessions = await ada.hive.api.listSessions({});
    expect(sessions.items.map(({ id, current, device_name }) => ({ id, current, device_name }))).to.have.deep.members([
      { id: ada.tokens.session_id, current: true, device_name: null }, { id: phone.id, current: false, device_name: 'Somebody\'s phone' },
    ]);
    const [first] = (await ada.hive.api.listSessions({ query: { limit: 1 } })).items;
    expect(first?.id).to.equal(sessions.items[0]?.id);
    const devices = await ada.hive.api.listDevices({});
    expect(devices.items.map(({ device_name, session_count }) => ({ device_name, session_count }))).to.deep.equal([{ device_name: 'Somebody\'s phone', session_count: 1 }]);
  });

  it('refuses an ended session at the next request in every replica, also right after Redis was emptied', async () => {
    const ada = await system.current.person();
    const [one, two, three] = [await signIn(ada), await signIn(ada, 'tablet'), await signIn(ada, 'phone')];
    for (const { accessToken } of [one, two, three]) await welcomeEverywhere(accessToken);

    await ada.hive.api.revokeSession({ path: { session_id: one.id } });
    await refusedEverywhere(one.accessToken, 'revoked');
    expect(await failureOf(ada.hive.api.revokeSession({ path: { session_id: one.id } }))).to.include({ code: 'NOT_FOUND', status: 404 });

    const tablet = (await ada.hive.api.listDevices({})).items.find(({ device_name }) => device_name === 'Somebody\'s tablet');
    await ada.hive.api.removeDevice({ path: { device_id: tablet?.id ?? '' } });
    await refusedEverywhere(two.accessToken, 'device removed');

    await ada.hive.api.revokeOtherSessions({});
    await system.current.redis.flushdb();
    for (const { accessToken } of [one, two, three]) await refusedEverywhere(accessToken, 'after a wipe');
    await welcomeEverywhere(ada.tokens.access_token);
    expect((await ada.hive.api.listSessions({})).items).to.have.length(1);
    // A refresh does not bring it back.
    expect(await failureOf(from(1).api.refreshTokens({ body: { refresh_token: three.refreshToken } }))).to.include({ code: 'AUTH_INVALID', status: 401 });
  });

  it('hides other people\'s sessions and devices as if they were not there', async () => {
    const [ada, eve] = [await system.current.person(), await system.current.person()];
    await signIn(ada, 'phone');
    const [phone] = (await ada.hive.api.listDevices({})).items;
    expect(await failureOf(eve.hive.api.revokeSession({ path: { session_id: ada.tokens.session_id } }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect(await failureOf(eve.hive.api.removeDevice({ path: { device_id: phone?.id ?? '' } }))).to.include({ code: 'NOT_FOUND', status: 404 });
    await ada.hive.api.getMe({});
  });

  it('signs in to the website by a one-time token: exactly one of fifty callers of two replicas', async () => {
    const ada = await system.current.person();
    const { token, expires_in } = await ada.hive.api.createSessionToken({});
    expect(expires_in).to.be.within(60, 120);
    const tries = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => from(index % 2).api.consumeSessionToken({ body: { token, device: device('browser') } })));
    const won = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(won).to.have.length(1);
    for (const lost of tries.filter((one) => one.status === 'rejected')) expect(lost.reason).to.include({ code: 'AUTH_INVALID', status: 401 });
    expect(won[0]?.session_id).not.to.equal(ada.tokens.session_id);
    await welcomeEverywhere(won[0]?.access_token ?? '');
    expect((await ada.hive.api.listSessions({})).items).to.have.length(2);
  });

  it('lets one of fifty refreshes at once by unknown devices through, over two replicas, and ends the session for all', async () => {
    const ada = await system.current.person();
    const session = await signIn(ada, 'phone');
    const tries = await Promise.allSettled(Array.from({ length: 50 }, (_, index) =>
      from(index % 2).api.refreshTokens({ body: { refresh_token: session.refreshToken, device_id: `installation-of-thief-${index}` } })));
    const won = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(won).to.have.length(1);
    await refusedEverywhere(won[0]?.access_token ?? '', 'the winner too: one of the two is a thief');
    expect(await failureOf(from(0).api.refreshTokens({ body: { refresh_token: won[0]?.refresh_token ?? '', device_id: device('phone').device_id } }))).to.include({ code: 'AUTH_INVALID' });
  });

  it('gives fifty refreshes at once by the session\'s own device one successor, over two replicas', async () => {
    const ada = await system.current.person();
    const session = await signIn(ada, 'phone');
    const pairs = await Promise.all(Array.from({ length: 50 }, (_, index) =>
      from(index % 2).api.refreshTokens({ body: { refresh_token: session.refreshToken, device_id: device('phone').device_id } })));
    expect(new Set(pairs.map((pair) => pair.refresh_token)).size).to.equal(1);
    await welcomeEverywhere(pairs[0]?.access_token ?? '');
  });

  it('marks a sign-in from nowhere known, and alerts the operators', async () => {
    const ada = await system.current.person();
    const strange = await signIn(ada);
    const listed = (await ada.hive.api.listSessions({})).items;
    expect(listed.map(({ id, suspicious }) => ({ id, suspicious }))).to.have.deep.members([
      { id: ada.tokens.session_id, suspicious: false }, { id: strange.id, suspicious: true },
    ]);
    await until('the alert', () => system.current.logs().some((log) => log.split('\n').some((line) => line.includes('alert.suspicious_sign_in') && line.includes(strange.id))));
  });

  it('writes down at the end of a process who was seen by it', async function () {
    this.timeout(60_000);
    const ada = await system.current.person();
    const { session_id: id, access_token: accessToken } = ada.tokens;
    const api = await system.current.startApi();
    await system.current.sql("update sessions set last_seen = now() - interval '1 hour' where id = $1", [id]);
    await from(2, accessToken).api.getMe({});
    const ended = new Promise((resolve) => { api.child.once('exit', resolve); });
    api.child.kill('SIGTERM');
    expect(await ended).to.equal(0);
    const [row] = await system.current.sql("select last_seen > now() - interval '10 minutes' as seen from sessions where id = $1", [id]);
    expect(row?.['seen']).to.equal(true);
  });
});

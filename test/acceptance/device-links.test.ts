import { expect } from 'chai';
import { failureOf } from '../support/failures.ts';
import { useSystem } from '../support/system.ts';

const tv = { device_id: 'television-of-somebody', name: 'The television', platform: 'other' } as const;

describe('linking a device over the wire', () => {
  const system = useSystem({ apis: 2 });
  const api = (at: number, accessToken?: string): ReturnType<typeof system.current.anonymous>['api'] =>
    system.current.anonymous({ baseUrl: system.current.urlOf(at), maxRetries: 0, ...(accessToken === undefined ? {} : { accessToken }) }).api;

  it('goes from the code a device shows to its own session, whichever replica is asked', async () => {
    const ada = await system.current.person();
    const grant = await api(0).createDeviceLink({ body: { client_name: 'HiveSync for VS Code', device: tv } });
    expect(grant.verification_uri_complete).to.equal(`${system.current.baseUrl}/link?code=${grant.user_code}`);
    const body = { device_code: grant.device_code };
    const pending = await failureOf(api(1).pollDeviceLink({ body }));
    expect(pending).to.include({ code: 'AUTHORIZATION_PENDING', status: 400 });
    expect(pending.details).to.deep.equal({ interval: grant.interval });
    const slower = await failureOf(api(0).pollDeviceLink({ body }));
    expect(slower).to.include({ code: 'SLOW_DOWN', status: 400 });
    expect(slower.details).to.deep.equal({ interval: grant.interval + 5 });

    const person = api(1, ada.tokens.access_token);
    const path = { user_code: grant.user_code.toLowerCase() };
    expect(await person.getDeviceLink({ path })).to.include({ status: 'pending', client_name: 'HiveSync for VS Code', device_name: 'The television', user_code: grant.user_code });
    expect((await person.approveDeviceLink({ path })).status).to.equal('approved');
    expect((await person.approveDeviceLink({ path })).status).to.equal('approved');
    expect(await failureOf(person.denyDeviceLink({ path }))).to.include({ code: 'CONFLICT', status: 409 });

    const tries = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => api(index % 2).pollDeviceLink({ body })));
    const won = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(won).to.have.length(1);
    for (const lost of tries.filter((one) => one.status === 'rejected')) expect(lost.reason).to.include({ code: 'EXPIRED_TOKEN', status: 400 });
    const linked = api(0, won[0]?.access_token);
    expect((await linked.getMe({})).id).to.equal(ada.tokens.user.id);
    const own = (await linked.listSessions({})).items.find(({ current }) => current);
    expect(own).to.include({ id: won[0]?.session_id, device_name: 'The television', suspicious: false });
  });

  it('tells a device that its person declined', async () => {
    const ada = await system.current.person();
    const grant = await api(0).createDeviceLink({ body: { client_name: 'Somebody else\'s' } });
    const denied = await api(0, ada.tokens.access_token).denyDeviceLink({ path: { user_code: grant.user_code } });
    expect(denied.status).to.equal('denied');
    expect(await failureOf(api(1).pollDeviceLink({ body: { device_code: grant.device_code } }))).to.include({ code: 'ACCESS_DENIED', status: 400 });
  });

  it('ends a person\'s guessing at codes in every replica', async () => {
    const eve = await system.current.person();
    const guess = async (at: number, code: string): Promise<string> => (await failureOf(api(at, eve.tokens.access_token).getDeviceLink({ path: { user_code: code } }))).code;
    const letters = 'BCDFGHJKLM';
    const answers: string[] = [];
    for (let tried = 0; tried < 12; tried += 1) answers.push(await guess(tried % 2, `ZZZZ-ZZ${letters[tried % 10] ?? ''}X`));
    expect(answers).to.deep.equal([...Array<string>(10).fill('NOT_FOUND'), 'RATE_LIMITED', 'RATE_LIMITED']);
  });
});

import { expect } from 'chai';
import { HiveSyncError } from '#sdk/index.ts';
import { useSystem } from '../support/system.ts';
import { failureOf } from '../support/failures.ts';

describe('accounts over the wire', () => {
  const system = useSystem({ apis: 2, variables: { METRICS_TOKEN: 'a-token-of-the-monitoring' } });

  it('signs up, and the token says who one is', async () => {
    const { hive, tokens } = await system.current.person();
    const me = await hive.api.getMe({});
    expect(me.id).to.equal(tokens.user.id);
    expect(me.username).to.equal(tokens.user.username);
    expect(tokens.token_type).to.equal('Bearer');
    expect(tokens.expires_in).to.equal(900);
  });

  it('names the field that is taken, whatever its case', async () => {
    const { tokens } = await system.current.person();
    const failure = await failureOf(system.current.anonymous().api.registerUser({
      body: { email: tokens.user.email.toUpperCase(), username: 'somebody-else', password: 'another long password' },
    }));
    expect(failure).to.include({ code: 'CONFLICT', status: 409 });
    expect(failure.details).to.deep.equal({ field: 'email' });
  });

  it('points at each fault of a registration', async () => {
    const failure = await failureOf(system.current.anonymous().api.registerUser({ body: { email: 'no address', username: 'x', password: 'short' } }));
    expect(failure).to.include({ code: 'VALIDATION_ERROR', status: 400 });
    const pointers = (failure.details as { pointer: string }[]).map((fault) => fault.pointer);
    expect(pointers).to.include.members(['#/body/email', '#/body/username', '#/body/password']);
  });

  it('answers an unknown account as a wrong password', async () => {
    const { tokens } = await system.current.person();
    const { api } = system.current.anonymous();
    const unknown = await failureOf(api.loginUser({ body: { email: 'nobody@example.com', password: 'not the password' } }));
    const wrong = await failureOf(api.loginUser({ body: { email: tokens.user.email, password: 'not the password' } }));
    expect(unknown).to.include({ code: 'AUTH_INVALID', status: 401 });
    expect({ code: wrong.code, message: wrong.message, details: wrong.details })
      .to.deep.equal({ code: unknown.code, message: unknown.message, details: unknown.details });
  });

  it('signs in by username, refreshes, and ends the session when a used token comes again', async () => {
    const { tokens, password } = await system.current.person();
    const { api } = system.current.anonymous();
    const signedIn = await api.loginUser({ body: { username: tokens.user.username, password } });
    if (signedIn.token_type !== 'Bearer') throw new Error('no second factor is set');
    const refreshed = await api.refreshTokens({ body: { refresh_token: signedIn.refresh_token } });
    expect(refreshed.refresh_token).not.to.equal(signedIn.refresh_token);
    expect(refreshed.session_id).to.equal(signedIn.session_id);
    expect(await failureOf(api.refreshTokens({ body: { refresh_token: signedIn.refresh_token } }))).to.include({ code: 'AUTH_INVALID' });
    expect(await failureOf(api.refreshTokens({ body: { refresh_token: refreshed.refresh_token } }))).to.include({ code: 'AUTH_INVALID' });
    const me = system.current.anonymous({ accessToken: refreshed.access_token }).api.getMe({});
    expect(await failureOf(me)).to.include({ code: 'AUTH_INVALID', status: 401 });
  });

  it('refuses a token from the next request after logout on, in every replica', async () => {
    const { hive, tokens } = await system.current.person();
    const other = system.current.anonymous({ baseUrl: system.current.urlOf(1), accessToken: tokens.access_token });
    await other.api.getMe({});
    await hive.api.logoutUser({});
    expect(await failureOf(hive.api.getMe({}))).to.include({ code: 'AUTH_INVALID', status: 401 });
    expect(await failureOf(other.api.getMe({}))).to.include({ code: 'AUTH_INVALID', status: 401 });
  });

  it('refuses what is not signed by us, and says what to do', async () => {
    for (const accessToken of ['nonsense', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.']) {
      const failure = await failureOf(system.current.anonymous({ accessToken }).api.getMe({}));
      expect(failure).to.be.instanceOf(HiveSyncError);
      expect(failure).to.include({ code: 'AUTH_INVALID', status: 401 });
      expect(failure.requestId).to.be.a('string');
    }
  });

  it('tells everybody the tiers and their limits, and administrators every row', async () => {
    const offered = await system.current.anonymous().api.listTiers({});
    expect(offered.items.map((tier) => tier.tier)).to.deep.equal(['free', 'pro', 'premium']);
    expect(offered.items[0]?.limits.projects).to.equal(5);
    const admin = await system.current.person('admin');
    const rows = await admin.hive.api.listTierLimits({});
    expect(rows.items.map((row) => row.tier)).to.deep.equal(['free', 'pro', 'premium', 'admin']);
    const member = await system.current.person('free');
    expect(await failureOf(member.hive.api.listTierLimits({}))).to.include({ code: 'FORBIDDEN', status: 403 });
  });

  it('says whether it is well', async () => {
    const { api } = system.current.anonymous();
    expect((await api.getHealth({})).status).to.equal('ok');
    expect((await api.getDbHealth({})).status).to.equal('ok');
    expect((await api.getRedisHealth({})).status).to.equal('ok');
    const once = system.current.anonymous({ maxRetries: 0 });
    const told = await failureOf(once.api.getDeepHealth({}));
    expect(told, 'there is no worker').to.include({ code: 'SERVICE_UNAVAILABLE', status: 503, details: null });
    const asked = await fetch(`${system.current.baseUrl}/api/v1/health/deep`, { headers: { authorization: 'Bearer a-token-of-the-monitoring' } });
    const { error } = await asked.json() as { error: { details: { parts: { name: string; status: string }[] } } };
    expect(error.details.parts.find((part) => part.name === 'workers')?.status).to.equal('down');
  });
});

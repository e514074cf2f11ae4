import { expect } from 'chai';
import { failureOf } from '../support/failures.ts';
import { send } from '../support/limits.ts';
import { type Person, until, useSystem } from '../support/system.ts';

describe('administration over two API processes', function () {
  this.timeout(60_000);
  const system = useSystem({ apis: 2 });
  let admin: Person;
  before(async () => { admin = await system.current.person('admin'); });
  const bearer = ({ tokens }: Person): Record<string, string> => ({ authorization: `Bearer ${tokens.access_token}` });
  const idOf = ({ tokens }: Person): string => tokens.user.id;
  const both = <T>(ask: (api: number) => Promise<T>): Promise<T[]> => Promise.all([0, 1].map(ask));

  it('finds an account by a part of its name, looks at it, and walks all of them', async () => {
    const ada = await system.current.person('free');
    const found = await admin.hive.api.listUsers({ query: { q: ada.tokens.user.username.slice(2) } });
    expect(found.items.map(({ id }) => id)).to.deep.equal([idOf(ada)]);
    await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const one = await admin.hive.api.getUser({ path: { user_id: idOf(ada) } });
    expect(one).to.include({ email: ada.tokens.user.email, tier: 'free', tier_source: 'default', suspended_at: null });
    expect(one.holdings).to.include({ projects: 1, sessions: 1, api_keys: 0 });
    const all: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const { items, page } = await admin.hive.api.listUsers({ query: { limit: 1, ...(cursor === undefined ? {} : { cursor }) } });
      all.push(...items.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(all).to.include.members([idOf(ada), idOf(admin)]);
    expect(new Set(all).size).to.equal(all.length);
    expect(await failureOf(ada.hive.api.listUsers({}))).to.include({ code: 'FORBIDDEN', status: 403 });
    expect(await failureOf(admin.hive.api.getUser({ path: { user_id: '01920000-0000-7000-8000-00000000ffff' } }))).to.include({ code: 'NOT_FOUND' });
  });

  it('gives a tier for a time and takes it back: limits follow in both processes, nothing made is lost', async () => {
    const ada = await system.current.person('free');
    const in_an_hour = new Date(Date.now() + 3_600_000).toISOString();
    const given = await admin.hive.api.setUserTier({ path: { user_id: idOf(ada) }, body: { tier: 'pro', until: in_an_hour, reason: 'Beta programme.' } });
    expect(given).to.include({ tier: 'pro', tier_source: 'override', tier_override_until: in_an_hour });
    await Promise.all([0, 1].map((api) => until('the tier to be known', async () =>
      (await send(system.current, api, { path: '/users/me', headers: bearer(ada) })).headers.get('ratelimit-policy') === '"api";q=600;w=60', 3_000)));
    for (let made = 0; made < 7; made += 1) await ada.hive.api.createProject({ body: { name: `p${made}` } });
    await admin.hive.api.setUserTier({ path: { user_id: idOf(ada) }, body: { tier: null, reason: 'Over.' } });
    const refused = await failureOf(ada.hive.api.createProject({ body: { name: 'eight' } }));
    expect(refused).to.include({ code: 'QUOTA_EXCEEDED', status: 402 });
    expect(refused.details).to.deep.equal({ limit: 'projects', allowed: 5, used: 7, tier: 'free', upgrade_to: 'pro' });
    expect((await ada.hive.api.listProjects({})).items).to.have.length(7);
  });

  it('suspends: session, key and stream end at once in both processes, previews are cancelled; lifted, the key works again', async () => {
    const ada = await system.current.person('premium');
    const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const files = [{ path: 'index.js', sha256: 'a'.repeat(64), size: 1 }];
    const { job } = await ada.hive.api.requestPreview({ body: { project_id: projectId, entry_file: 'index.js', files } });
    const { key } = await ada.hive.api.createApiKey({ body: { name: 'ci', scopes: ['account:read', 'previews:read'] } });
    const credentials = [bearer(ada), { 'x-api-key': key }];
    const asked = () => both((api) => Promise.all(credentials.map(async (headers) => (await send(system.current, api, { path: '/users/me', headers })).status)));
    expect(await asked(), 'both processes keep the account').to.deep.equal([[200, 200], [200, 200]]);
    const stream = await fetch(`${system.current.urlOf(1)}/api/v1/preview/jobs/${job.id}/events`, { headers: { 'x-api-key': key }, signal: AbortSignal.timeout(12_000) });
    expect(stream.status).to.equal(200);
    const ended = stream.text();
    const suspended = await admin.hive.api.suspendUser({ path: { user_id: idOf(ada) }, body: { reason: 'Reported by the owner as stolen.' } });
    expect(suspended).to.include({ suspended_reason: 'Reported by the owner as stolen.' });
    expect(await asked()).to.deep.equal([[403, 403], [403, 403]]);
    await ended;
    expect(await failureOf(ada.hive.api.getMe({}))).to.deep.include({ code: 'FORBIDDEN', details: { reason: 'suspended' } });
    const login = system.current.anonymous().api.loginUser({ body: { email: ada.tokens.user.email, password: ada.password } });
    expect(await failureOf(login)).to.deep.include({ code: 'FORBIDDEN', details: { reason: 'suspended' } });
    const [row] = await system.current.sql('select status from preview_jobs where id = $1', [job.id]);
    expect(row).to.deep.equal({ status: 'cancelled' });

    expect(await admin.hive.api.unsuspendUser({ path: { user_id: idOf(ada) } })).to.include({ suspended_at: null, suspended_reason: null });
    await until('both processes to hear of it', async () => JSON.stringify(await asked()) === '[[401,200],[401,200]]', 3_000);
    await system.current.anonymous().api.loginUser({ body: { email: ada.tokens.user.email, password: ada.password } });
  });

  it('leaves nobody without an administrator, and nobody to themselves', async () => {
    const path = { user_id: idOf(admin) };
    expect(await failureOf(admin.hive.api.suspendUser({ path, body: { reason: 'Enough.' } }))).to.include({ code: 'CONFLICT', status: 409 });
    expect(await failureOf(admin.hive.api.setUserTier({ path, body: { tier: 'free', reason: 'Enough.' } }))).to.include({ code: 'CONFLICT', status: 409 });
    // Two that demote each other at the same moment, each by another process.
    const other = await system.current.person('admin');
    const hives = [admin.hive, system.current.anonymous({ baseUrl: system.current.urlOf(1), accessToken: other.tokens.access_token })];
    const targets = [idOf(other), idOf(admin)];
    const outcomes = await Promise.allSettled(hives.map((hive, index) => hive.api.setUserTier({ path: { user_id: targets[index] ?? '' }, body: { tier: 'free', reason: 'A race.' } })));
    expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    const admins = await system.current.sql("select id from users where tier = 'admin' and tier_override is null", []);
    expect(admins).to.have.length(1);
    await system.current.sql('update users set tier_override = null where id = $1', [idOf(admin)]);
  });

  it('asks for a recent sign-in before it changes anything', async () => {
    const late = await system.current.person('admin');
    await system.current.sql("update sessions set authenticated_at = now() - interval '16 minutes' where user_id = $1", [idOf(late)]);
    const renewed = await system.current.anonymous().api.refreshTokens({ body: { refresh_token: late.tokens.refresh_token } });
    const { api } = system.current.anonymous({ accessToken: renewed.access_token });
    await api.listUsers({ query: { limit: 1 } });
    for (const change of [
      () => api.updateTierLimits({ path: { tier: 'free' }, body: { projects: 6 } }),
      () => api.setUserTier({ path: { user_id: idOf(admin) }, body: { tier: null, reason: 'r' } }),
      () => api.suspendUser({ path: { user_id: idOf(admin) }, body: { reason: 'r' } }),
      () => api.unsuspendUser({ path: { user_id: idOf(admin) } }),
    ]) {
      expect(await failureOf(change())).to.deep.include({ code: 'FORBIDDEN', details: { reason: 'recent_sign_in_required' } });
    }
  });

  it('changes what a tier allows: merged, guarded by its ETag, told to everybody', async () => {
    const changed = await send(system.current, 0, { method: 'PATCH', path: '/admin/tiers/free', headers: bearer(admin), json: { projects: 6 } });
    const etag = changed.headers.get('etag') ?? '';
    expect([changed.status, etag]).to.satisfy(([status, tag]: [number, string]) => status === 200 && /^"\d+"$/.test(tag));
    const outdated = await send(system.current, 1, { method: 'PATCH', path: '/admin/tiers/free', headers: { ...bearer(admin), 'if-match': '"1"' }, json: { projects: 7 } });
    expect([outdated.status, outdated.error?.code]).to.deep.equal([412, 'PRECONDITION_FAILED']);
    await until('the other process to hear of it', async () => {
      const { data } = await send(system.current, 1, { path: '/tiers' });
      return (data as { items?: { limits: { projects: number } }[] } | null)?.items?.[0]?.limits.projects === 6;
    }, 5_000);
    const back = await admin.hive.api.updateTierLimits({ path: { tier: 'free' }, body: { projects: 5 } });
    expect(back).to.include({ tier: 'free', updated_by: idOf(admin) });
  });
});

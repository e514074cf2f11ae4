import { expect } from 'chai';
import type { AdminUser } from '#generated/sdk/types.gen.ts';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { queuedJob } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

describe('accounts as administrators see them', () => {
  const backend = useBackend();
  let admin: Person;
  before(async () => { admin = await backend.current.person('admin'); });

  const list = async (query: Record<string, unknown> = {}): Promise<DataOf<'listUsers'>> => (await backend.current.run('listUsers', admin, { query })).data;
  const idsOf = ({ items }: DataOf<'listUsers'>): string[] => items.map(({ id }) => id);
  const get = (userId: string) => backend.current.run('getUser', admin, { path: { user_id: userId } });
  const setTier = (by: Person, userId: string, body: { tier: AdminUser['tier'] | null; until?: string | null; reason?: string }) =>
    backend.current.run('setUserTier', by, { path: { user_id: userId }, body: { reason: 'a test', ...body } });
  const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
  const audits = (userId: string, type: string): Promise<{ user_id: string; data: Record<string, unknown> }[]> =>
    backend.current.sql('select user_id, data from audit_logs where entity_id = ? and event_type = ? order by created_at', [userId, type]);

  it('are for administrators alone, and changes for those who signed in within 15 minutes', async () => {
    const { run, person } = backend.current;
    const ada = await person('premium');
    const target = await person('free');
    const path = { user_id: target.userId };
    const long = { ...admin, authenticatedAtMs: Date.now() - 15 * 60_000 - 1_000 };
    expect(await codeOf(run('listUsers', ada))).to.equal('FORBIDDEN');
    expect(await codeOf(run('getUser', ada, { path }))).to.equal('FORBIDDEN');
    for (const by of [ada, long]) {
      const refusals = [
        await refusalOf(run('setUserTier', by, { path, body: { tier: 'pro', reason: 'r' } })),
        await refusalOf(run('suspendUser', by, { path, body: { reason: 'r' } })),
        await refusalOf(run('unsuspendUser', by, { path })),
        await refusalOf(run('updateTierLimits', by, { path: { tier: 'free' }, body: { projects: 6 } })),
      ];
      for (const { code, details } of refusals) {
        expect([code, details]).to.deep.equal(['FORBIDDEN', by === long ? { reason: 'recent_sign_in_required' } : null]);
      }
    }
    expect((await get(target.userId)).data).to.include({ tier: 'free', suspended_at: null });
  });

  describe('in a list', () => {
    it('are found by any part of address, username or display name, whatever its case, and by nothing else', async () => {
      const { person, sql } = backend.current;
      const [ada, ben, eve] = [await person('free'), await person('free'), await person('free')];
      await sql("update users set email = 'Marguerite@Elsewhere.example' where id = ?", [ada.userId]);
      await sql("update user_profiles set display_name = 'Ben O''Margue 100%' where user_id = ?", [ben.userId]);
      expect(idsOf(await list({ q: 'mArGuE' }))).to.have.members([ada.userId, ben.userId]);
      expect(idsOf(await list({ q: 'elsewhere.EX' }))).to.deep.equal([ada.userId]);
      expect(idsOf(await list({ q: eve.username.toUpperCase() }))).to.deep.equal([eve.userId]);
      expect(idsOf(await list({ q: '0%' }))).to.deep.equal([ben.userId]);
      expect(idsOf(await list({ q: 'mar_ue' }))).to.deep.equal([]);
      expect(idsOf(await list({ q: "'; drop table users; --" }))).to.deep.equal([]);
      expect((await list({ q: 'margue' })).page.total).to.equal(2);
    });

    it('are filtered by the tier they have now, by suspension, by deletion; erased ones are in none', async () => {
      const { person, sql } = backend.current;
      const [overridden, past, suspended, deleted, erased] = [await person('free'), await person('free'), await person('pro'), await person('pro'), await person('pro')];
      await sql("update users set tier_override = 'pro', tier_override_until = now() + interval '1 hour' where id = ?", [overridden.userId]);
      await sql("update users set tier_override = 'pro', tier_override_until = now() - interval '1 second' where id = ?", [past.userId]);
      await sql("update users set suspended_at = now(), suspended_reason = 'r' where id = ?", [suspended.userId]);
      await sql('update users set deleted_at = now() where id = ?', [deleted.userId]);
      await sql('update users set deleted_at = now(), erased_at = now() where id = ?', [erased.userId]);
      const all = [overridden, past, suspended, deleted, erased].map(({ userId }) => userId);
      const among = async (query: Record<string, unknown>): Promise<string[]> => idsOf(await list({ limit: 200, ...query })).filter((id) => all.includes(id));
      expect(await among({})).to.deep.equal([deleted, suspended, past, overridden].map(({ userId }) => userId), 'newest first');
      expect(await among({ tier: 'pro' })).to.have.members([overridden, suspended, deleted].map(({ userId }) => userId));
      expect(await among({ tier: 'free' })).to.deep.equal([past.userId]);
      expect(await among({ suspended: true })).to.deep.equal([suspended.userId]);
      expect(await among({ deleted: true })).to.deep.equal([deleted.userId]);
      expect(await among({ suspended: false, deleted: false, tier: 'pro' })).to.deep.equal([overridden.userId]);
      expect(await codeOf(get(erased.userId))).to.equal('NOT_FOUND');
    });

    it('are walked by cursor, each once, and paged by offset; two statements, one under a cursor', async () => {
      const { person, sql } = backend.current;
      const name = `walk${newId().slice(-8)}`;
      const people: string[] = [];
      for (let made = 0; made < 5; made += 1) people.unshift((await person('free')).userId);
      await sql('update user_profiles set display_name = ? where user_id = any(?::uuid[])', [name, people]);
      // Made in one moment: ties are broken by id.
      await sql("update users set created_at = '2026-03-02T09:00:00Z' where id = any(?::uuid[])", [people]);
      const walked: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page = await list({ q: name, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        walked.push(...idsOf(page));
        cursor = page.page.next_cursor;
      }
      expect(walked).to.deep.equal(people);
      const second = await list({ q: name, limit: 2, offset: 2 });
      expect([idsOf(second), second.page.total]).to.deep.equal([people.slice(2, 4), 5]);
      const cursor = (await list({ q: name, limit: 2 })).page.next_cursor ?? '';
      expect(await countStatements(() => list({ q: name }))).to.equal(2);
      expect(await countStatements(() => list({ q: name, cursor }))).to.equal(1);
      expect(await codeOf(backend.current.run('listUsers', admin, { query: { q: 'other', cursor } }))).to.equal('VALIDATION_ERROR');
    });
  });

  describe('one of them', () => {
    it('is told with what it holds, by one statement, and with an ETag that changes with that', async () => {
      const { run, person, project, sql, http } = backend.current;
      const ada = await person('free');
      const [other] = [await project(ada), await project(ada)];
      await run('deleteProject', ada, { path: { project_id: other } });
      const job = await queuedJob(backend.current, ada, await project(ada));
      await sql("update preview_jobs set created_at = now() - interval '31 days' where id = ?", [job]);
      await run('requestPreview', ada, { body: { project_id: await project(ada), entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'a'.repeat(64), size: 1 }] } });
      await sql('insert into sessions (id, user_id, ip_address, revoked_at) values (?, ?, ?, now())', [newId(), ada.userId, '127.0.0.1']);
      await sql("insert into sessions (id, user_id, ip_address, expires_at) values (?, ?, ?, now() - interval '1 second')", [newId(), ada.userId, '127.0.0.1']);
      await run('createApiKey', ada, { body: { name: 'ci', scopes: ['projects:read'] } });
      const path = `/admin/users/${ada.userId}`;
      const first = await http('GET', path, { headers: admin.headers });
      expect(first.data['holdings']).to.deep.equal({ projects: 3, teams: 0, sessions: 1, api_keys: 1, preview_jobs_30d: 1, ai_jobs_30d: 0 });
      expect(first.data).to.include({ id: ada.userId, email: `${ada.username}@example.com`, tier: 'free', tier_source: 'default', tier_override: null, subscription_tier: null, mfa_enabled: false, deleted_at: null });
      const etag = first.headers.get('etag') ?? '';
      expect((await http('GET', path, { headers: { ...admin.headers, 'if-none-match': etag } })).status).to.equal(304);
      await project(ada);
      const second = await http('GET', path, { headers: { ...admin.headers, 'if-none-match': etag } });
      expect([second.status, second.headers.get('etag') === etag]).to.deep.equal([200, false]);
      expect(await countStatements(() => get(ada.userId))).to.equal(1);
    });

    it('that is not there is not found, for every operation', async () => {
      const { run } = backend.current;
      const path = { user_id: newId() };
      expect(await codeOf(get(path.user_id))).to.equal('NOT_FOUND');
      expect(await codeOf(setTier(admin, path.user_id, { tier: 'pro' }))).to.equal('NOT_FOUND');
      expect(await codeOf(run('suspendUser', admin, { path, body: { reason: 'r' } }))).to.equal('NOT_FOUND');
      expect(await codeOf(run('unsuspendUser', admin, { path }))).to.equal('NOT_FOUND');
    });

    it('is told the source of its tier: the override while it stands, else the subscription, else none', async () => {
      const { person, sql } = backend.current;
      const ada = await person('pro');
      const sources = async (): Promise<unknown[]> => {
        const { tier, tier_source, tier_override, tier_override_until, subscription_tier } = (await get(ada.userId)).data;
        return [tier, tier_source, tier_override, tier_override_until !== null, subscription_tier];
      };
      expect(await sources()).to.deep.equal(['pro', 'subscription', null, false, 'pro']);
      await setTier(admin, ada.userId, { tier: 'premium', until: inHours(1) });
      expect(await sources()).to.deep.equal(['premium', 'override', 'premium', true, 'pro']);
      // By time alone, no job takes it away.
      await sql("update users set tier_override_until = now() - interval '1 second' where id = ?", [ada.userId]);
      expect(await sources()).to.deep.equal(['pro', 'subscription', null, false, 'pro']);
      await sql("update users set tier = 'admin' where id = ?", [ada.userId]);
      expect(await sources(), 'no subscription makes an administrator').to.deep.equal(['admin', 'default', null, false, null]);
      await sql("update users set tier = 'free' where id = ?", [ada.userId]);
      expect(await sources()).to.deep.equal(['free', 'default', null, false, null]);
    });
  });

  describe('setting a tier', () => {
    it('holds at the next request, is lifted by null, and leaves who, what, before and why in the audit', async () => {
      const { person, run } = backend.current;
      const ada = await person('free');
      const until = inHours(2);
      const { data } = await setTier(admin, ada.userId, { tier: 'pro', until, reason: 'Beta programme.' });
      expect(data).to.include({ tier: 'pro', tier_source: 'override', tier_override: 'pro', tier_override_until: until });
      // Five are what free allows; the account's own row is asked, whatever the caller's tier was.
      for (let made = 0; made < 6; made += 1) await run('createProject', ada, { body: { name: `p${made}` } });
      expect((await setTier(admin, ada.userId, { tier: null, reason: 'Over.' })).data).to.include({ tier: 'free', tier_source: 'default' });
      expect(await codeOf(run('createProject', ada, { body: { name: 'seven' } }))).to.equal('QUOTA_EXCEEDED');
      const none = { tier_override: null, tier_override_until: null };
      const set = { tier_override: 'pro', tier_override_until: until };
      expect(await audits(ada.userId, 'user.tier_set')).to.deep.equal([
        { user_id: admin.userId, data: { old: none, new: set, reason: 'Beta programme.' } },
        { user_id: admin.userId, data: { old: set, new: none, reason: 'Over.' } },
      ]);
    });

    it('is heard of by every replica: the tier of a cached account changes at once', async () => {
      const { person, http } = backend.current;
      const ada = await person('free');
      const quota = async (): Promise<string | undefined> => /q=(\d+)/.exec((await http('GET', '/users/me', { headers: ada.headers })).headers.get('ratelimit-policy') ?? '')?.[1];
      expect(await quota()).to.equal('120');
      const reply = await http('POST', `/admin/users/${ada.userId}/tier`, { headers: admin.headers, json: { tier: 'pro', reason: 'r' } });
      expect(reply.status).to.equal(200);
      await until(async () => (await quota()) === '600');
    });

    it('takes no date that is past, and none where the tier is lifted', async () => {
      const ada = await backend.current.person('free');
      for (const body of [{ tier: 'pro', until: inHours(-1) }, { tier: null, until: inHours(1) }] as const) {
        const refusal = await refusalOf(setTier(admin, ada.userId, body));
        expect([refusal.code, (refusal.details as { pointer: string }[])[0]?.pointer]).to.deep.equal(['VALIDATION_ERROR', '#/body/until']);
      }
      expect(await audits(ada.userId, 'user.tier_set')).to.deep.equal([]);
    });
  });

  describe('administrators', () => {
    /** Nobody is one but these. */
    const only = async (...people: readonly Person[]): Promise<void> => {
      await backend.current.sql("update users set tier = case when id = any(?::uuid[]) then 'admin' else 'free' end, tier_override = null, tier_override_until = null",
        [people.map(({ userId }) => userId)]);
    };
    const demote = (by: Person, whom: Person) => setTier(by, whom.userId, { tier: 'free' });
    const suspend = (by: Person, whom: Person) => backend.current.run('suspendUser', by, { path: { user_id: whom.userId }, body: { reason: 'r' } });
    const count = async (): Promise<number> => (await list({ tier: 'admin', suspended: false, deleted: false })).items.length;
    afterEach(() => only(admin));

    it('cannot demote or suspend the last of them; suspended, deleted and expired ones do not count', async () => {
      const { person, sql } = backend.current;
      const [ada, suspended, deleted, past] = [await person('admin'), await person('admin'), await person('admin'), await person('free')];
      await only(ada, suspended, deleted);
      await sql('update users set suspended_at = now() where id = ?', [suspended.userId]);
      await sql('update users set deleted_at = now() where id = ?', [deleted.userId]);
      await sql("update users set tier_override = 'admin', tier_override_until = now() - interval '1 second' where id = ?", [past.userId]);
      expect(await codeOf(demote(ada, ada))).to.equal('CONFLICT');
      const ben = await person('free');
      await setTier(ada, ben.userId, { tier: 'admin' });
      await demote(ada, ada);
      expect((await get(ada.userId)).data.tier).to.equal('free');
      expect(await codeOf(suspend({ ...ada }, ben))).to.equal('CONFLICT');
      expect(await count()).to.equal(1);
    });

    it('are not left to those who are one to a date alone', async () => {
      const { person } = backend.current;
      const [ada, promoted] = [await person('admin'), await person('free')];
      const ben: Person = { ...promoted, tier: 'admin' };
      await only(ada);
      await setTier(ada, ben.userId, { tier: 'admin', until: inHours(1) });
      expect(await codeOf(demote(ben, ada))).to.equal('CONFLICT');
      expect(await codeOf(suspend(ben, ada))).to.equal('CONFLICT');
      await setTier(ada, ben.userId, { tier: 'admin' });
      await demote(ben, ada);
      expect(await count()).to.equal(1);
    });

    it('that demote each other at the same moment: one does, the other is refused', async () => {
      const { person } = backend.current;
      for (let round = 0; round < 5; round += 1) {
        const [ada, ben] = [await person('admin'), await person('admin')];
        await only(ada, ben);
        const outcomes = await Promise.allSettled([demote(ada, ben), round % 2 === 0 ? demote(ben, ada) : suspend(ben, ada)]);
        const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
        expect(refused).to.have.length(1);
        expect(refused[0]).to.have.property('code', 'CONFLICT');
        expect(await count()).to.equal(1);
      }
    });

    it('that were demoted a moment ago change nobody\'s standing any more, though others are left', async () => {
      const { person } = backend.current;
      const [ada, ben, eve] = [await person('admin'), await person('admin'), await person('free')];
      await only(admin, ada, ben);
      await demote(ada, ben);
      // Ben's request was let in when he still was one.
      expect(await codeOf(setTier(ben, eve.userId, { tier: 'admin' }))).to.equal('FORBIDDEN');
      expect(await codeOf(suspend(ben, eve))).to.equal('FORBIDDEN');
      expect((await get(eve.userId)).data).to.include({ tier: 'free', suspended_at: null });
    });
  });

  async function until(holds: () => Promise<boolean>): Promise<void> {
    const endAt = Date.now() + 2_500;
    while (!(await holds())) if (Date.now() > endAt) throw new Error('It did not hold before the cache had aged.');
  }
});

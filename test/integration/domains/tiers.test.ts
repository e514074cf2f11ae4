import { expect } from 'chai';
import { TierLimitCache } from '#domains/tiers/limits.ts';
import type { Caller } from '#platform/call.ts';
import { useBackend } from '../../support/backend.ts';
import { queuedJob } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

describe('tiers', () => {
  const backend = useBackend();
  const settle = (): void => backend.current.clock.advance(5_000);

  it('are offered to everybody, cheapest first, without the administrators\' own', async () => {
    const { data } = await backend.current.run('listTiers', { kind: 'anonymous' });
    expect(data.items.map((offer) => offer.tier)).to.deep.equal(['free', 'pro', 'premium']);
    const [free] = data.items;
    expect(free?.limits).to.include({ projects: 5, preview_jobs_at_once: 1, preview_source_bytes: 25_000_000, queue_class: 'cpu', queue_priority: 'low' });
    expect(data.page).to.deep.equal({ limit: 50, offset: 0, total: 3, next_cursor: null });
  });

  it('are paged by offset and by cursor', async () => {
    const { run } = backend.current;
    const first = await run('listTiers', { kind: 'anonymous' }, { query: { limit: 2 } });
    const second = await run('listTiers', { kind: 'anonymous' }, { query: { limit: 2, cursor: first.data.page.next_cursor ?? '' } });
    expect([...first.data.items, ...second.data.items].map((offer) => offer.tier)).to.deep.equal(['free', 'pro', 'premium']);
    expect(second.data.page.next_cursor).to.equal(null);
    expect((await run('listTiers', { kind: 'anonymous' }, { query: { offset: 2 } })).data.items).to.have.length(1);
    expect(await codeOf(run('listTiers', { kind: 'anonymous' }, { query: { cursor: 'x' } }))).to.equal('VALIDATION_ERROR');
  });

  it('are told whole to administrators alone, with no cap as null', async () => {
    const { run, person } = backend.current;
    expect(await codeOf(run('listTierLimits', await person('premium')))).to.equal('FORBIDDEN');
    const { data } = await run('listTierLimits', await person('admin'));
    expect(data.items.map((item) => item.tier)).to.deep.equal(['free', 'pro', 'premium', 'admin']);
    expect(data.items.at(-1)?.limits.projects).to.equal(null);
  });

  it('hold in a new form within five seconds of a change, and not before', async () => {
    const { run, person, sql } = backend.current;
    const ada = await person('free');
    settle();
    await run('createProject', ada, { body: { name: 'one' } });
    await sql("update tier_limits set projects = 1 where tier = 'free'");
    try {
      await run('createProject', ada, { body: { name: 'two, by the limits of a moment ago' } });
      settle();
      const refusal = await refusalOf(run('createProject', ada, { body: { name: 'three' } }));
      expect(refusal.details).to.deep.equal({ limit: 'projects', allowed: 1, used: 2, tier: 'free', upgrade_to: 'pro' });
    } finally {
      await sql("update tier_limits set projects = 5 where tier = 'free'");
      settle();
    }
  });

  it('are read by one statement, however many ask at once', async () => {
    settle();
    const { services: { tiers } } = backend.current;
    const statements = await statementsOf(async () => {
      await Promise.all(Array.from({ length: 20 }, () => tiers.limitsOf('pro')));
      await tiers.limitsOf('free');
    });
    expect(statements).to.have.length(1);
  });

  it('are asked anew after a read that failed', async () => {
    const { services: { tiers }, sql } = backend.current;
    settle();
    await sql('alter table tier_limits rename to elsewhere');
    try {
      expect(await tiers.limitsOf('pro').then(() => 'answered', () => 'failed')).to.equal('failed');
    } finally {
      await sql('alter table elsewhere rename to tier_limits');
    }
    expect((await tiers.limitsOf('pro')).projects).to.equal(100);
  });

  it('are the override\'s while it stands, else the account\'s own', async () => {
    const { person, sql, services: { credentials } } = backend.current;
    const ada = await person('free');
    const tierNow = async (): Promise<string | undefined> => (await credentials.account(ada.userId))?.tier;
    await sql("update users set tier_override = 'premium' where id = ?", [ada.userId]);
    expect(await tierNow()).to.equal('premium');
    await sql("update users set tier_override_until = now() + interval '1 hour' where id = ?", [ada.userId]);
    expect(await tierNow()).to.equal('premium');
    await sql("update users set tier_override_until = now() - interval '1 second' where id = ?", [ada.userId]);
    expect(await tierNow()).to.equal('free');
  });

  describe('changed by an administrator', () => {
    const shipped: Record<string, unknown>[] = [];
    before(async () => { shipped.push(...await backend.current.sql('select tier, projects, api_requests_per_minute, preview_source_files, updated_by from tier_limits')); });
    afterEach('as shipped', async () => {
      for (const { tier, ...limits } of shipped) await backend.current.database.db.knex('tier_limits').where({ tier }).update(limits);
      settle();
    });
    const change = (by: Caller, tier: 'free' | 'pro' | 'premium' | 'admin', body: Record<string, number | null>, ifMatch?: string) =>
      backend.current.run('updateTierLimits', by, { path: { tier }, body }, ifMatch === undefined ? {} : { ifMatch });
    const rowOf = async (tier: string) => (await backend.current.run('listTierLimits', await backend.current.person('admin'))).data.items.find((item) => item.tier === tier);

    it('merge: what is not named stays, null lifts the cap; who did it, and both values, are kept', async () => {
      const { person, sql } = backend.current;
      const admin = await person('admin');
      const before = await rowOf('free');
      const { data } = await change(admin, 'free', { projects: 9, api_keys: null });
      expect(data).to.deep.include({ tier: 'free', limits: { ...before?.limits, projects: 9, api_keys: null }, updated_by: admin.userId });
      expect(await rowOf('free')).to.deep.equal(data);
      const [row] = await sql("select user_id, entity_type, entity_id, data from audit_logs where event_type = 'tier.limits_updated' order by created_at desc limit 1");
      expect(row).to.deep.equal({
        user_id: admin.userId, entity_type: 'tier', entity_id: null,
        data: { tier: 'free', old: { projects: 5, api_keys: 2 }, new: { projects: 9, api_keys: null } },
      });
      await change(admin, 'free', { api_keys: 2 });
    });

    it('are guarded against lost updates by the ETag of the change before', async () => {
      const admin = await backend.current.person('admin');
      const { etag } = await change(admin, 'pro', { projects: 101 });
      if (etag === null) throw new Error('There is no ETag.');
      const next = await change(admin, 'pro', { projects: 102 }, etag);
      expect(next.etag).not.to.equal(etag);
      expect(await codeOf(change(admin, 'pro', { projects: 103 }, etag))).to.equal('PRECONDITION_FAILED');
      expect((await rowOf('pro'))?.limits.projects).to.equal(102);
      const outcomes = await Promise.allSettled([104, 105].map((projects) => change(admin, 'pro', { projects }, next.etag ?? '')));
      expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    });

    it('hold here at once, and in other processes as soon as they hear of it', async () => {
      const { person, http, database: { db }, subscriber, redis, log, clock } = backend.current;
      const [admin, ada] = [await person('admin'), await person('free')];
      const elsewhere = new TierLimitCache(db, clock);
      elsewhere.hear(subscriber, log);
      await redis.redis.ping();
      expect((await elsewhere.of('free')).api_requests_per_minute).to.equal(120);
      await change(admin, 'free', { api_requests_per_minute: 3 });
      const statuses: number[] = [];
      for (let asked = 0; asked < 5; asked += 1) statuses.push((await http('GET', '/users/me', { headers: ada.headers })).status);
      expect(statuses).to.deep.equal([200, 200, 200, 429, 429]);
      await until('the other process to hear', async () => (await elsewhere.of('free')).api_requests_per_minute === 3, 4_000);
    });

    it('are read anew also where a read was under way when they changed', async () => {
      const { database: { db }, clock } = backend.current;
      const reading = Promise.withResolvers<undefined>();
      let reads = 0;
      const slow = new TierLimitCache({
        ...db, named: async <Row>(name: string, sql: string, values: readonly never[]) => {
          const rows = await db.named<Row>(name, sql, values);
          reads += 1;
          if (reads === 1) await reading.promise;
          return rows;
        },
      }, clock);
      const first = slow.of('free');
      await until('the read', () => reads === 1);
      await backend.current.sql("update tier_limits set projects = 6 where tier = 'free'");
      slow.forget();
      expect((await slow.of('free')).projects).to.equal(6);
      reading.resolve(undefined);
      expect((await first).projects, 'what stood when it was asked').to.equal(5);
      expect((await slow.of('free')).projects).to.equal(6);
    });
  });

  it('that become smaller take nothing away and let nothing grow: seven projects on free are read and changed, an eighth is refused', async () => {
    const { run, person } = backend.current;
    const [admin, ada] = [await person('admin'), await person('pro')];
    const ids: string[] = [];
    for (let made = 0; made < 7; made += 1) ids.push((await run('createProject', ada, { body: { name: `p${made}` } })).data.id);
    await run('setUserTier', admin, { path: { user_id: ada.userId }, body: { tier: 'free', reason: 'The card was refused.' } });
    const now: Caller = { ...ada, tier: 'free' };
    expect((await run('listProjects', now, { query: {} })).data.page.total).to.equal(7);
    for (const project_id of ids) {
      await run('getProject', now, { path: { project_id } });
      expect((await run('updateProject', now, { path: { project_id }, body: { description: 'Still here.' } })).data.description).to.equal('Still here.');
    }
    const refused = (): Promise<unknown> => refusalOf(run('createProject', now, { body: { name: 'eight' } })).then(({ code, details }) => [code, details]);
    const details = (used: number) => ['QUOTA_EXCEEDED', { limit: 'projects', allowed: 5, used, tier: 'free', upgrade_to: 'pro' }];
    expect(await refused()).to.deep.equal(details(7));
    for (const project_id of ids.slice(0, 2)) await run('deleteProject', now, { path: { project_id } });
    expect(await refused()).to.deep.equal(details(5));
    await run('deleteProject', now, { path: { project_id: ids[2] ?? '' } });
    await run('createProject', now, { body: { name: 'one more' } });
  });

  it('name in a refusal the cheapest larger tier that would allow so much, and none where none does', async () => {
    const { services: { tiers }, run, person } = backend.current;
    const detailsOf = async (...refusal: Parameters<typeof tiers.quotaExceeded>): Promise<unknown> => (await tiers.quotaExceeded(...refusal)).details;
    expect(await detailsOf('projects', 'free', 100)).to.deep.equal({ limit: 'projects', allowed: 5, used: 100, tier: 'free', upgrade_to: 'premium' });
    expect(await detailsOf('streams_at_once', 'premium', 50)).to.deep.equal({ limit: 'streams_at_once', allowed: 50, used: 50, tier: 'premium', upgrade_to: null });
    expect(await detailsOf('api_keys', 'pro', 20)).to.include({ upgrade_to: 'premium' });
    expect((await tiers.upgrades('premium'))('projects', 6), 'never a smaller one').to.equal(null);
    const ada = await person('free');
    const { data } = await run('createProject', ada, { body: { name: 'p' } });
    const files = Array.from({ length: 10_001 }, (_, index) => ({ path: `f${index}.js`, sha256: 'a'.repeat(64), size: 1 }));
    const refusal = await refusalOf(run('requestPreview', ada, { body: { project_id: data.id, entry_file: 'f0.js', files } }));
    expect([refusal.code, refusal.details]).to.deep.equal(
      ['QUOTA_EXCEEDED', { limit: 'preview_source_files', allowed: 2_000, used: 10_001, tier: 'free', upgrade_to: 'premium' }]);
  });

  it('say so of streams too: as many as the tier allows at once, the limit by its name', async () => {
    const { person, project, url, sql } = backend.current;
    const ada = await person('free');
    const jobId = await queuedJob(backend.current, ada, await project(ada));
    await sql("update preview_jobs set status = 'queued' where id = ?", [jobId]);
    const ends = new AbortController();
    const open = () => fetch(`${url}/api/v1/preview/jobs/${jobId}/events`, { headers: ada.headers, signal: ends.signal });
    try {
      const answers = await Promise.all(Array.from({ length: 6 }, open));
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 200, 402, 402, 402, 402]);
      const refused = answers.find(({ status }) => status === 402);
      const { error } = await refused?.json() as { error: { details: unknown } };
      expect(error.details).to.deep.equal({ limit: 'streams_at_once', allowed: 2, used: 2, tier: 'free', upgrade_to: 'pro' });
    } finally {
      ends.abort();
    }
  });
});

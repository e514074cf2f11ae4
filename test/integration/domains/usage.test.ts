import { expect } from 'chai';
import type { LimitName, UsageItem } from '#generated/sdk/types.gen.ts';
import { streamsKey } from '#platform/open-streams.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { queuedJob } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

describe('usage', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'pro'): Promise<Person> => backend.current.person(tier);
  const itemsOf = async (who: Person): Promise<Map<LimitName, UsageItem>> =>
    new Map((await backend.current.run('getUsage', who)).data.items.map((item) => [item.name, item]));
  const used = async (who: Person, name: LimitName): Promise<number | null | undefined> => (await itemsOf(who)).get(name)?.used;
  const midnight = (): string => new Date((Math.floor(backend.current.clock.now() / 86_400_000) + 1) * 86_400_000).toISOString();

  it('lists every counted limit of the tier in the order of LimitName, with what it is counted for', async () => {
    const { run, http, services } = backend.current;
    const ada = await person();
    const { data } = await run('getUsage', ada);
    expect([data.tier, Math.abs(Date.parse(data.as_of) - backend.current.clock.now()) < 5_000]).to.deep.equal(['pro', true]);
    const document = await http('GET', `${backend.current.url}/openapi.json`);
    const { components } = JSON.parse(document.text) as { components: { schemas: { LimitName: { enum: string[] } } } };
    expect(data.items.map(({ name }) => name)).to.deep.equal(components.schemas.LimitName.enum);
    const limits = await services.tiers.limitsOf('pro');
    for (const { name, limit, scope, used: count } of data.items) {
      expect(limit, name).to.equal(limits[name]);
      const isTold = scope === 'account' && !name.endsWith('_retention_days');
      expect(count === null, name).to.equal(!isTold);
    }
    const of = (scope: string): string[] => data.items.filter((item) => item.scope === scope).map(({ name }) => name);
    expect(of('team')).to.deep.equal(['team_members']);
    expect(of('project')).to.deep.equal(['repo_syncs_per_hour', 'repo_mirror_bytes', 'webhooks_per_project']);
    expect(of('job')).to.deep.equal(['preview_source_files', 'preview_source_bytes', 'preview_build_minutes', 'ai_lines_per_job', 'ai_input_tokens_per_job', 'refactor_files']);
  });

  it('counts projects, keys and previews as the refusals do, to the last place', async () => {
    const { run, project } = backend.current;
    const ada = await person('free');
    const projectId = await project(ada);
    const taken = async (name: LimitName): Promise<unknown> => {
      const item = (await itemsOf(ada)).get(name);
      return [item?.used, item?.limit];
    };
    for (let count = 1; count < 5; count += 1) await project(ada);
    expect(await taken('projects')).to.deep.equal([5, 5]);
    expect(await codeOf(run('createProject', ada, { body: { name: 'sixth' } }))).to.equal('QUOTA_EXCEEDED');
    await run('deleteProject', ada, { path: { project_id: (await run('listProjects', ada)).data.items[0]?.id ?? '' } });
    expect(await taken('projects')).to.deep.equal([4, 5]);

    const key = { name: 'CI', scopes: ['account:read' as const] };
    const { data: { api_key: first } } = await run('createApiKey', ada, { body: key });
    await run('rotateApiKey', ada, { path: { key_id: first.id }, body: { overlap_seconds: 60 } });
    expect(await taken('api_keys')).to.deep.equal([1, 2]);
    await run('createApiKey', ada, { body: key });
    expect(await taken('api_keys')).to.deep.equal([2, 2]);
    expect(await codeOf(run('createApiKey', ada, { body: key }))).to.equal('QUOTA_EXCEEDED');

    const before = Date.now();
    const jobId = await queuedJob(backend.current, ada, projectId);
    expect([await taken('preview_jobs_per_minute'), await taken('preview_jobs_per_day'), await taken('preview_jobs_at_once')]).to.deep.equal([[1, 3], [1, 50], [1, 1]]);
    const items = await itemsOf(ada);
    const emptyAt = Date.parse(items.get('preview_jobs_per_minute')?.resets_at ?? '');
    expect(emptyAt).to.be.within(before + 58_000, Date.now() + 61_000);
    expect(items.get('preview_jobs_per_day')?.resets_at).to.equal(midnight());
    expect(items.get('preview_jobs_at_once')?.resets_at).to.equal(null);
    await run('cancelPreviewJob', ada, { path: { job_id: jobId } });
    expect([await used(ada, 'preview_jobs_at_once'), await used(ada, 'preview_jobs_per_minute')]).to.deep.equal([0, 1]);
  });

  it('counts the requests of the account by whatever credential, as the headers of the answer say', async () => {
    const { run, http } = backend.current;
    const ada = await person('free');
    const { data: { key } } = await run('createApiKey', ada, { body: { name: 'CI', scopes: ['account:read'] } });
    await http('GET', '/users/me', { headers: ada.headers });
    await http('GET', '/users/me', { headers: { 'x-api-key': key } });
    const reply = await http('GET', '/users/me/usage', { headers: { 'x-api-key': key } });
    const [item] = reply.data['items'] as UsageItem[];
    expect([item?.name, item?.used, item?.limit]).to.deep.equal(['api_requests_per_minute', 3, 120]);
    expect(reply.headers.get('ratelimit')).to.contain('r=117');
    const resets = Date.parse(item?.resets_at ?? '') - Date.now();
    expect(resets).to.be.within(55_000, 121_000);
  });

  it('counts the streams that are open now over all replicas', async () => {
    const { redis: { redis } } = backend.current;
    const ada = await person('free');
    const soon = Date.now() + 45_000;
    await redis.zadd(streamsKey(ada.userId), soon, newId(), soon, newId(), Date.now() - 1_000, 'one whose process died');
    expect(await used(ada, 'streams_at_once')).to.equal(2);
  });

  it('counts what the account was told today', async () => {
    const { sql } = backend.current;
    const ada = await person();
    const tell = (at: string, listed: boolean) => sql(`insert into notifications (id, user_id, type, payload, event_key, in_app, created_at)
      values (?, ?, 'account.tier_changed', '{}', ?, ?, ${at})`, [newId(), ada.userId, newId(), listed]);
    await tell('now()', true);
    await tell("date_trunc('day', now())", true);
    await tell("date_trunc('day', now()) - interval '1 millisecond'", true);
    await tell('now()', false);
    const item = (await itemsOf(ada)).get('notifications_per_day');
    expect([item?.used, item?.resets_at]).to.deep.equal([2, midnight()]);
  });

  it('answers an API key with the scope, and no other', async () => {
    const { run, http } = backend.current;
    const ada = await person();
    const statusOf = async (scope: 'account:read' | 'projects:read'): Promise<number> => {
      const { data: { key } } = await run('createApiKey', ada, { body: { name: 'CI', scopes: [scope] } });
      return (await http('GET', '/users/me/usage', { headers: { 'x-api-key': key } })).status;
    };
    expect([await statusOf('account:read'), await statusOf('projects:read')]).to.deep.equal([200, 403]);
  });

  it('tells no number of what is not counted: requests and streams without a cap, or while Redis is away', async () => {
    const { redis: { redis } } = backend.current;
    const root = await itemsOf(await person('admin'));
    for (const name of ['api_requests_per_minute', 'streams_at_once'] as const) expect([root.get(name)?.limit, root.get(name)?.used], name).to.deep.equal([null, null]);
    expect([root.get('projects')?.limit, root.get('projects')?.used]).to.deep.equal([null, 0]);
    const ada = await person();
    redis.disconnect();
    try {
      const items = await itemsOf(ada);
      for (const name of ['api_requests_per_minute', 'streams_at_once'] as const) expect([items.get(name)?.used, items.get(name)?.resets_at], name).to.deep.equal([null, null]);
      expect(items.get('projects')?.used).to.equal(0);
    } finally {
      await redis.connect();
    }
  });

  it('costs six statements, whatever there is to count', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    for (let count = 0; count < 3; count += 1) await queuedJob(backend.current, ada, await project(ada));
    await run('getUsage', ada);
    expect(await countStatements(() => run('getUsage', ada))).to.equal(6);
  });
});

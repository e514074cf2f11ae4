import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements, statementsOf } from '../../support/statements.ts';
import { planOf } from '../../support/plans.ts';

const none = { requested: 0, succeeded: 0, failed: 0, cancelled: 0, timed_out: 0, success_rate: null, duration_p50_ms: null, duration_p95_ms: null, duration_p99_ms: null, wait_p95_ms: null };

describe('how previews go', () => {
  const backend = useBackend();
  let admin: Person;
  let projectId: string;
  before(async () => {
    admin = await backend.current.person('admin');
    projectId = await backend.current.project(admin);
  });
  beforeEach(async () => { await backend.current.sql('delete from preview_jobs'); });

  interface Made { readonly at: string; readonly status?: string; readonly tier?: string; readonly platform?: string; readonly seconds?: number; readonly wait?: number; readonly kind?: string }
  const job = async ({ at, status = 'succeeded', tier = 'pro', platform = 'ios', seconds = 1, wait = 0, kind }: Made): Promise<void> => {
    const after = (more: number): string => new Date(Date.parse(at) + more * 1_000).toISOString();
    await backend.current.database.db.knex('preview_jobs').insert({
      id: newId(), project_id: projectId, requested_by: admin.userId, tier, sdk_version: '0.88.1', target_platform: platform, entry_file: 'index.js', environment: 'development',
      file_count: 1, source_bytes: 1, max_build_ms: 1_000, queue_class: 'cpu', queue_priority: 'normal', status, created_at: at, queued_at: at, started_at: after(wait),
      completed_at: status === 'queued' ? null : after(wait + seconds), failure: kind === undefined ? null : JSON.stringify({ kind }),
    });
  };
  const stats = async (query: Record<string, unknown>): Promise<DataOf<'getPreviewStats'>> => (await backend.current.run('getPreviewStats', admin, { query })).data;

  it('counts jobs by when they were asked for, as totals, a series, by tier and by platform, with causes of failure', async () => {
    await job({ at: '2026-03-02T08:10:00Z', seconds: 1 });
    await job({ at: '2026-03-02T08:59:59.999Z', seconds: 3, wait: 2, platform: 'android' });
    await job({ at: '2026-03-02T10:00:00Z', status: 'failed', kind: 'build_error', tier: 'free' });
    await job({ at: '2026-03-02T10:00:01Z', status: 'failed', kind: 'build_error' });
    await job({ at: '2026-03-02T10:00:02Z', status: 'timed_out', kind: 'timeout' });
    await job({ at: '2026-03-02T10:00:03Z', status: 'cancelled' });
    await job({ at: '2026-03-02T11:00:00Z' });
    await job({ at: '2026-03-02T07:59:59.999Z' });
    const found = await stats({ from: '2026-03-02T08:30:00Z', to: '2026-03-02T11:00:00Z', interval: 'hour' });
    expect(found).to.include({ from: '2026-03-02T08:00:00.000Z', to: '2026-03-02T11:00:00.000Z', interval: 'hour' });
    expect(found.total).to.include({ requested: 6, succeeded: 2, failed: 2, cancelled: 1, timed_out: 1, success_rate: 0.4, duration_p50_ms: 2_000, duration_p95_ms: 2_900, duration_p99_ms: 2_980 });
    expect(found.series.map(({ at, counts: { requested } }) => [at, requested])).to.deep.equal([
      ['2026-03-02T08:00:00.000Z', 2], ['2026-03-02T09:00:00.000Z', 0], ['2026-03-02T10:00:00.000Z', 4],
    ]);
    expect(found.series[1]?.counts).to.deep.equal(none);
    expect(found.by_tier.map(({ tier, counts: { requested } }) => [tier, requested])).to.deep.equal([['free', 1], ['pro', 5], ['premium', 0], ['admin', 0]]);
    expect(found.by_platform.map(({ target_platform: platform, counts: { requested } }) => [platform, requested])).to.deep.equal([['ios', 5], ['android', 1]]);
    expect(found.failures).to.deep.equal([{ kind: 'build_error', count: 2 }, { kind: 'timeout', count: 1 }]);
    const free = await stats({ from: '2026-03-02T08:00:00Z', to: '2026-03-02T11:00:00Z', tier: 'free' });
    expect(free.total).to.include({ requested: 1, failed: 1, success_rate: 0 });
    expect(free.failures).to.deep.equal([{ kind: 'build_error', count: 1 }]);
  });

  it('goes by days of UTC, and where nothing is said by the last 24 hours or 30 days', async () => {
    await job({ at: '2026-02-28T23:59:59.999Z' });
    await job({ at: '2026-03-01T00:00:00Z' });
    const found = await stats({ from: '2026-02-28T12:00:00Z', to: '2026-03-02T12:00:00Z', interval: 'day' });
    expect(found.series.map(({ at, counts: { requested } }) => [at, requested])).to.deep.equal([
      ['2026-02-28T00:00:00.000Z', 1], ['2026-03-01T00:00:00.000Z', 1], ['2026-03-02T00:00:00.000Z', 0],
    ]);
    await job({ at: new Date(Date.now() - 60_000).toISOString(), status: 'queued' });
    const day = await stats({});
    expect(day.series).to.have.length(25);
    expect(day.total).to.include({ requested: 1, succeeded: 0, success_rate: null });
    expect((await stats({ interval: 'day' })).series).to.have.length(31);
  });

  it('refuses a span that ends before it begins or is longer than its interval allows', async () => {
    const refusal = async (query: Record<string, unknown>): Promise<unknown> => {
      const { code, details } = await refusalOf(stats(query));
      return [code, (details as { pointer: string }[])[0]?.pointer];
    };
    expect(await refusal({ from: '2026-03-02T08:00:00Z', to: '2026-03-02T08:00:00Z' })).to.deep.equal(['VALIDATION_ERROR', '#/query/from']);
    expect(await refusal({ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00.001Z' })).to.deep.equal(['VALIDATION_ERROR', '#/query/from']);
    expect((await stats({ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' })).series).to.have.length(744);
    expect(await refusal({ from: '2024-12-31T23:59:59Z', to: '2026-01-02T00:00:00Z', interval: 'day' })).to.deep.equal(['VALIDATION_ERROR', '#/query/from']);
    expect(await codeOf(backend.current.run('getPreviewStats', await backend.current.person('premium'), { query: {} }))).to.equal('FORBIDDEN');
  });

  it('costs two statements, each by an index', async () => {
    await backend.current.sql(`insert into preview_jobs (id, project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, file_count, source_bytes, max_build_ms, queue_class, queue_priority, status, created_at, queued_at, started_at, completed_at)
      select gen_random_uuid(), ?, ?, 'free', '0.88.1', 'ios', 'index.js', 'development', 1, 1, 1000, 'cpu', 'low', 'succeeded', now() - n * interval '10 minutes', now(), now(), now() from generate_series(1, 20000) n`, [projectId, admin.userId]);
    await backend.current.sql('vacuum analyze preview_jobs');
    expect(await countStatements(() => stats({}))).to.equal(2);
    const texts = await statementsOf(() => stats({}));
    for (const text of texts) {
      const values = [new Date(Date.now() - 86_400_000).toISOString(), new Date().toISOString(), null, ...(text.includes('$4') ? ['hour'] : [])];
      const plan = await planOf(backend.current.database.db, { text, values });
      expect(plan.readWhole, plan.nodes.join(', ')).to.deep.equal([]);
    }
  });
});

/** How previews go, over a span: for administrators. */
import type { JobCounts, PreviewStats, StatsInterval } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { requireAdmin } from '../policy.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const bounds = { hour: { stepMs: hourMs, defaultMs: dayMs, mostDays: 31 }, day: { stepMs: dayMs, defaultMs: 30 * dayMs, mostDays: 366 } } as const;
const tiers = ['free', 'pro', 'premium', 'admin'] as const;
const platforms = ['ios', 'android', 'web'] as const;

const shareOf = (share: number, of: string, among: string): string =>
  `round(extract(epoch from percentile_cont(${share}) within group (order by greatest(${of}, interval '0')) filter (where ${among})) * 1000)::int8`;
const succeeded = "status = 'succeeded'";

/** Everything but the causes of failure, in one pass over an index that holds all it counts. */
const countsSql = `
  with asked as (
    select date_trunc($4, created_at, 'UTC') as at, tier, target_platform, status, completed_at - started_at as duration, started_at - queued_at as wait
      from preview_jobs where created_at >= $1 and created_at < $2 and ($3::text is null or tier = $3)
  )
  select case when grouping(at) = 0 then 'at' when grouping(tier) = 0 then 'tier' when grouping(target_platform) = 0 then 'platform' else 'total' end as of,
         at, tier, target_platform, count(*) as requested, count(*) filter (where ${succeeded}) as succeeded, count(*) filter (where status = 'failed') as failed,
         count(*) filter (where status = 'cancelled') as cancelled, count(*) filter (where status = 'timed_out') as timed_out,
         ${shareOf(0.5, 'duration', succeeded)} as duration_p50_ms, ${shareOf(0.95, 'duration', succeeded)} as duration_p95_ms,
         ${shareOf(0.99, 'duration', succeeded)} as duration_p99_ms, ${shareOf(0.95, 'wait', 'wait is not null')} as wait_p95_ms
    from asked group by grouping sets ((), (at), (tier), (target_platform))`;

const failuresSql = `
  select coalesce(failure ->> 'kind', 'crashed') as kind, count(*) as count
    from preview_jobs where created_at >= $1 and created_at < $2 and ($3::text is null or tier = $3) and status in ('failed', 'timed_out')
   group by 1 order by 2 desc, 1 limit 50`;

type Counted = Omit<JobCounts, 'success_rate'> & {
  readonly of: 'at' | 'tier' | 'platform' | 'total';
  readonly at: string | null;
  readonly tier: string | null;
  readonly target_platform: string | null;
};

export interface StatsQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly interval?: StatsInterval | undefined;
  readonly tier?: string | undefined;
}

export class PreviewStatisticsService {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Two statements. */
  async stats(call: Call, query: StatsQuery): Promise<PreviewStats> {
    requireAdmin(call);
    const interval = query.interval ?? 'hour';
    const { from, to } = spanOf(query, interval, this.#clock.now());
    const { stepMs } = bounds[interval];
    const within = [new Date(from).toISOString(), new Date(to).toISOString(), query.tier ?? null];
    const rows = await this.#db.named<Counted>('previews.stats', countsSql, [...within, interval]);
    const failures = await this.#db.named<{ kind: string; count: number }>('previews.stats_failures', failuresSql, within);
    const of = (what: Counted['of'], key: 'at' | 'tier' | 'target_platform', value: string): JobCounts =>
      countsOf(rows.find((row) => row.of === what && row[key] === value));
    return {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      interval,
      total: countsOf(rows.find((row) => row.of === 'total')),
      series: Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, index) => {
        const at = new Date(from + index * stepMs).toISOString();
        return { at, counts: of('at', 'at', at) };
      }),
      by_tier: tiers.map((tier) => ({ tier, counts: of('tier', 'tier', tier) })),
      by_platform: platforms
        .filter((platform) => rows.some((row) => row.of === 'platform' && row.target_platform === platform))
        .map((target_platform) => ({ target_platform, counts: of('platform', 'target_platform', target_platform) })),
      failures,
    };
  }
}

/** Where it begins, moved to the beginning of its interval, and where it ends. */
function spanOf(query: StatsQuery, interval: StatsInterval, now: number): { from: number; to: number } {
  const { stepMs, defaultMs, mostDays } = bounds[interval];
  const to = query.to === undefined ? now : Date.parse(query.to);
  const asked = query.from === undefined ? to - defaultMs : Date.parse(query.from);
  if (asked >= to) throw refused('#/query/from', 'must be before to');
  if (to - asked > mostDays * dayMs) throw refused('#/query/from', `must be at most ${mostDays} days before to for an interval of a${interval === 'hour' ? 'n hour' : ' day'}`);
  return { from: Math.floor(asked / stepMs) * stepMs, to };
}

const refused = (pointer: string, message: string): ServiceError =>
  new ServiceError('VALIDATION_ERROR', 'There are no statistics over this span.', { details: [{ pointer, message, rule: 'span' }] });

function countsOf(row: Counted | undefined): JobCounts {
  const { requested = 0, succeeded: done = 0, failed = 0, cancelled = 0, timed_out: late = 0 } = row ?? {};
  const ended = done + failed + late;
  return {
    requested, succeeded: done, failed, cancelled, timed_out: late,
    success_rate: ended === 0 ? null : Math.round((done / ended) * 10_000) / 10_000,
    duration_p50_ms: row?.duration_p50_ms ?? null,
    duration_p95_ms: row?.duration_p95_ms ?? null,
    duration_p99_ms: row?.duration_p99_ms ?? null,
    wait_p95_ms: row?.wait_p95_ms ?? null,
  };
}

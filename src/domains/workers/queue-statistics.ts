/**
 * How the queues are: what waits, since when, what runs, for how long, what ended within the hour. Counted in Postgres, which is the
 * truth about jobs (a message may still stand in the outbox, waiting for its account's turn), at most every five seconds
 * over all processes. Each queue's figures are kept in Redis under `queue:depth:<queue>` for whoever else looks.
 */
import type { QueueDepth, QueueStats, TierQueueDepth } from '#generated/sdk/types.gen.ts';
import { type JobTable, jobTables } from '#jobs/kinds.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import { allQueues, type QueueClass, type QueuePriority } from '#platform/queue.ts';
import type { Redis } from '#platform/redis.ts';

/** How old the figures may be that anybody is shown. */
const freshSeconds = 5;
/** How long each queue's figures are kept. */
const depthSeconds = 60;
const wholeKey = 'cache:queue_stats';
const tiers = ['free', 'pro', 'premium', 'admin'] as const;

const recent = "now() - interval '1 hour'";

/**
 * Worker jobs, by queue and by tier. What is open stands in one partial index, what ended within the hour in another; what
 * was claimed within the hour is in one of both.
 */
const workerJobsSql = `
  with jobs as (${jobTables.map(jobsOf).join(' union all ')})
  select queue_class, queue_priority, tier, ${figures()} from jobs group by grouping sets ((queue_class, queue_priority), (tier))`;

/** A live session waits and runs as a job does, but how long it runs says how long somebody edited. */
function jobsOf(table: JobTable): string {
  const run = table === 'live_sessions' ? 'null::interval' : 'completed_at - started_at';
  return `
    select queue_class, queue_priority, tier,
           status = 'queued' and run_after <= now() as is_waiting, status = 'queued' and run_after > now() as is_delayed, status = 'running' as is_running,
           case when status = 'queued' and run_after <= now() then now() - greatest(queued_at, run_after) end as age,
           case when started_at > ${recent} then started_at - greatest(queued_at, run_after) end as wait,
           null::interval as run, false as is_succeeded, false as is_failed
      from ${table} where status in ('queued', 'running') and queued_at is not null
    union all
    select queue_class, queue_priority, tier, false, false, false, null,
           case when started_at > ${recent} then started_at - greatest(queued_at, run_after) end, ${run}, status = 'succeeded', status in ('failed', 'timed_out')
      from ${table} where completed_at > ${recent}`;
}

const systemJobsSql = `
  with jobs as (
    select status = 'queued' and run_after <= now() as is_waiting, status = 'queued' and run_after > now() as is_delayed, status = 'running' as is_running,
           case when status = 'queued' and run_after <= now() then now() - run_after end as age,
           case when started_at > ${recent} then started_at - run_after end as wait, null::interval as run, false as is_succeeded, false as is_failed
      from system_jobs where status in ('queued', 'running')
    union all
    select false, false, false, null, case when started_at > ${recent} then started_at - run_after end, completed_at - started_at, status = 'succeeded', status = 'failed'
      from system_jobs where completed_at > ${recent}
  )
  select ${figures()} from jobs`;

function figures(): string {
  const partOf = (span: 'run' | 'wait', share: number): string =>
    `round(extract(epoch from percentile_disc(${share}) within group (order by greatest(${span}, interval '0')) filter (where ${span} is not null)) * 1000)::int8`;
  return `
    count(*) filter (where is_waiting) as waiting, count(*) filter (where is_delayed) as delayed, count(*) filter (where is_running) as running,
    round(extract(epoch from max(greatest(age, interval '0')) filter (where age is not null)), 3)::float8 as oldest_waiting_seconds, 
    ${partOf('wait', 0.5)} as wait_p50_ms, ${partOf('wait', 0.95)} as wait_p95_ms, ${partOf('run', 0.5)} as run_p50_ms, ${partOf('run', 0.95)} as run_p95_ms,
    count(*) filter (where is_succeeded) as succeeded_1h, count(*) filter (where is_failed) as failed_1h`;
}

const restSql = `
  select (select count(*) from outbox where sent_at is null) as outbox_pending,
         (select count(*) from preview_jobs where died_at is not null) + (select count(*) from live_sessions where died_at is not null) + (select count(*) from system_jobs where died_at is not null) as dead_jobs, now() as taken_at`;

type Figures = Omit<QueueDepth, 'name' | 'class' | 'priority'>;
interface WorkerJobsRow extends Figures {
  readonly queue_class: QueueClass | null;
  readonly queue_priority: QueuePriority | null;
  readonly tier: TierQueueDepth['tier'] | null;
}

const nothing: Figures = { waiting: 0, delayed: 0, running: 0, oldest_waiting_seconds: null, wait_p50_ms: null, wait_p95_ms: null, run_p50_ms: null, run_p95_ms: null, succeeded_1h: 0, failed_1h: 0 };

/** `cpu_tasks_high`, `system_tasks`. */
const nameOf = (queueClass: QueueClass, priority: QueuePriority): string => (queueClass === 'system' ? 'system_tasks' : `${queueClass}_tasks_${priority}`);

export class QueueStatistics {
  readonly #db: Database;
  readonly #redis: Redis;
  readonly #log: Logger;
  #counting: Promise<QueueStats> | null = null;

  constructor(db: Database, redis: Redis, log: Logger) {
    this.#db = db;
    this.#redis = redis;
    this.#log = log;
  }

  /** The figures, at most five seconds old. Three statements where nobody counted since. */
  async snapshot(): Promise<QueueStats> {
    const kept = await this.#redis.get(wholeKey).catch(() => null);
    if (kept !== null) return JSON.parse(kept) as QueueStats;
    this.#counting ??= this.count().finally(() => { this.#counting = null; });
    return this.#counting;
  }

  /** Counts now, and keeps it for others. */
  async count(): Promise<QueueStats> {
    const [jobs, [system], [rest]] = await Promise.all([
      this.#db.named<WorkerJobsRow>('queues.worker_jobs', workerJobsSql, []),
      this.#db.named<Figures>('queues.system_jobs', systemJobsSql, []),
      this.#db.named<Pick<QueueStats, 'outbox_pending' | 'dead_jobs' | 'taken_at'>>('queues.rest', restSql, []),
    ]);
    if (rest === undefined) throw new Error('PostgreSQL answered no row for counts.');
    const stats: QueueStats = {
      taken_at: rest.taken_at,
      queues: allQueues.map(({ queueClass, priority }) => {
        const found = queueClass === 'system' ? system : jobs.find((row) => row.queue_class === queueClass && row.queue_priority === priority);
        return { name: nameOf(queueClass, priority), class: queueClass, priority: queueClass === 'system' ? null : priority, ...figuresOf(found ?? nothing) };
      }),
      tiers: tiers.map((tier) => {
        const { delayed: _delayed, ...found } = figuresOf(jobs.find((row) => row.tier === tier) ?? nothing);
        return { tier, ...found };
      }),
      outbox_pending: rest.outbox_pending,
      dead_jobs: rest.dead_jobs,
    };
    await this.#keep(stats);
    return stats;
  }

  async #keep(stats: QueueStats): Promise<void> {
    try {
      const writing = this.#redis.multi().set(wholeKey, JSON.stringify(stats), 'EX', freshSeconds);
      for (const queue of stats.queues) writing.set(`queue:depth:${queue.name}`, JSON.stringify({ taken_at: stats.taken_at, ...queue }), 'EX', depthSeconds);
      await writing.exec();
    } catch (error) {
      this.#log.debug('queues.not_kept', 'The figures of the queues are counted anew each time', { error });
    }
  }
}

const figuresOf = (row: Figures): Figures => ({
  waiting: row.waiting, delayed: row.delayed, running: row.running, oldest_waiting_seconds: row.oldest_waiting_seconds,
  wait_p50_ms: row.wait_p50_ms, wait_p95_ms: row.wait_p95_ms, run_p50_ms: row.run_p50_ms, run_p95_ms: row.run_p95_ms, succeeded_1h: row.succeeded_1h, failed_1h: row.failed_1h,
});

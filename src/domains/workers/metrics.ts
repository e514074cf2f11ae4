/** The figures as Prometheus reads them (text format 0.0.4). What is the same for the whole deployment is told by every process: take the maximum. */
import type { QueueStats } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import type { QueueStatistics } from './queue-statistics.ts';
import { silentSeconds } from './heartbeats.ts';

export const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

interface Sample { readonly labels?: Readonly<Record<string, string>>; readonly value: number | null }

/** One metric with its samples; those without a value are left out. */
function metric(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.flatMap(({ labels = {}, value }) => {
    if (value === null) return [];
    const told = Object.entries(labels).map(([label, of]) => `${label}="${of.replace(/[\\"\n]/g, '_')}"`).join(',');
    return [`hivesync_${name}${told === '' ? '' : `{${told}}`} ${value}`];
  });
  return [`# HELP hivesync_${name} ${help}`, `# TYPE hivesync_${name} gauge`, ...lines].join('\n');
}

interface NodeCount { readonly type: string; readonly status: string; readonly nodes: number; readonly slots: number }
const nodesSql = `
  select type, case when status in ('active', 'draining') and last_heartbeat_at < now() - interval '${silentSeconds} seconds' then 'silent' else status end as status,
         count(*) as nodes, sum(concurrency)::int8 as slots
    from worker_nodes where last_heartbeat_at > now() - interval '1 day' group by 1, 2 order by 1, 2`;

const queueMetrics = ({ queues, tiers, outbox_pending, dead_jobs }: QueueStats): string[] => {
  const ofQueue = (value: (queue: QueueStats['queues'][number]) => number | null): Sample[] =>
    queues.map((queue) => ({ labels: { queue: queue.name, class: queue.class, priority: queue.priority ?? 'none' }, value: value(queue) }));
  const ofTier = (value: (tier: QueueStats['tiers'][number]) => number | null): Sample[] => tiers.map((tier) => ({ labels: { tier: tier.tier }, value: value(tier) }));
  const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);
  return [
    metric('queue_waiting', 'Jobs that wait for a worker.', ofQueue(({ waiting }) => waiting)),
    metric('queue_delayed', 'Jobs to be tried again later.', ofQueue(({ delayed }) => delayed)),
    metric('queue_running', 'Jobs under a lease.', ofQueue(({ running }) => running)),
    metric('queue_oldest_waiting_seconds', 'How long the first of them has waited.', ofQueue((queue) => queue.oldest_waiting_seconds)),
    metric('queue_wait_p50_seconds', 'From enqueued to claimed, over the last hour.', ofQueue((queue) => seconds(queue.wait_p50_ms))),
    metric('queue_wait_p95_seconds', 'From enqueued to claimed, over the last hour.', ofQueue((queue) => seconds(queue.wait_p95_ms))),
    metric('queue_run_p50_seconds', 'From claimed to ended, of what ended within the last hour.', ofQueue((queue) => seconds(queue.run_p50_ms))),
    metric('queue_run_p95_seconds', 'From claimed to ended, of what ended within the last hour.', ofQueue((queue) => seconds(queue.run_p95_ms))),
    metric('queue_succeeded_1h', 'Jobs that succeeded within the last hour.', ofQueue((queue) => queue.succeeded_1h)),
    metric('queue_failed_1h', 'Jobs that failed within the last hour.', ofQueue((queue) => queue.failed_1h)),
    metric('tier_waiting', 'Worker jobs that wait, by the tier they were asked for in.', ofTier(({ waiting }) => waiting)),
    metric('tier_running', 'Worker jobs under a lease, by tier.', ofTier(({ running }) => running)),
    metric('tier_oldest_waiting_seconds', 'How long the first of them has waited.', ofTier((tier) => tier.oldest_waiting_seconds)),
    metric('tier_wait_p50_seconds', 'From enqueued to claimed, over the last hour, by tier.', ofTier((tier) => seconds(tier.wait_p50_ms))),
    metric('tier_wait_p95_seconds', 'From enqueued to claimed, over the last hour, by tier.', ofTier((tier) => seconds(tier.wait_p95_ms))),
    metric('tier_run_p50_seconds', 'From claimed to ended, of what ended within the last hour, by tier.', ofTier((tier) => seconds(tier.run_p50_ms))),
    metric('tier_run_p95_seconds', 'From claimed to ended, of what ended within the last hour, by tier.', ofTier((tier) => seconds(tier.run_p95_ms))),
    metric('outbox_pending', 'Committed and not yet handed to a queue or consumer.', [{ value: outbox_pending }]),
    metric('dead_jobs', 'Jobs given up after their last attempt.', [{ value: dead_jobs }]),
  ];
};

const processMetrics = (db: Database): string[] => {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    metric('process_resident_bytes', 'Memory of this process.', [{ value: rss }]),
    metric('process_heap_bytes', 'Heap in use of this process.', [{ value: heapUsed }]),
    metric('process_cpu_seconds', 'Processor time of this process since it started.', [{ value: (user + system) / 1e6 }]),
    metric('process_uptime_seconds', 'Since this process started.', [{ value: Math.round(process.uptime()) }]),
    metric('database_connections', 'Of this process\'s pool.', [
      { labels: { state: 'open' }, value: db.use.open }, { labels: { state: 'idle' }, value: db.use.idle }, { labels: { state: 'waited_for' }, value: db.use.waiting },
    ]),
  ];
};

/** Everything, for one answer. Where the database is away, what this process knows by itself. */
export async function metricsText(db: Database, statistics: QueueStatistics): Promise<string> {
  const own = processMetrics(db);
  try {
    const [stats, nodes] = await Promise.all([statistics.snapshot(), db.named<NodeCount>('workers.node_counts', nodesSql, [])]);
    const ofNodes = (value: (count: NodeCount) => number): Sample[] => nodes.map((count) => ({ labels: { class: count.type, status: count.status }, value: value(count) }));
    return [
      metric('up', 'Whether the figures of the whole deployment could be counted.', [{ value: 1 }]), ...queueMetrics(stats),
      metric('workers', 'Worker nodes heard of within a day.', ofNodes(({ nodes: count }) => count)),
      metric('worker_slots', 'Jobs they could run at once.', ofNodes(({ slots }) => slots)), ...own,
    ].join('\n') + '\n';
  } catch {
    return [metric('up', 'Whether the figures of the whole deployment could be counted.', [{ value: 0 }]), ...own].join('\n') + '\n';
  }
}

import type { WorkerHeartbeat, WorkerMetrics } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';

export const heartbeatSeconds = 10;
/** After three missed heartbeats a node is silent. */
export const silentSeconds = 3 * heartbeatSeconds;

/** A node sends 8,640 a day; what is older than this helps nobody to see how it fares. */
const heartbeatDays = 2;

const sweepSql = `
  with old as (
    select id from worker_heartbeats where "timestamp" < now() - interval '${heartbeatDays} days' limit $1 for update skip locked
  )
  delete from worker_heartbeats using old where worker_heartbeats.id = old.id returning worker_heartbeats.id`;

/** Deletes what workers said of themselves long ago. Answers how many rows went. */
export const sweepHeartbeats = (db: Database, signal?: AbortSignal): Promise<number> => deleteInBatches(db, 'workers.sweep_heartbeats', sweepSql, signal);

/** What is kept of a node's last heartbeat while it is not silent. */
export interface HeartbeatSummary {
  readonly at: string;
  readonly status: WorkerHeartbeat['status'];
  readonly metrics: WorkerMetrics;
  readonly running_jobs: number;
}

const latestSql = `
  select ids.node_id, beat.metrics_json as metrics
    from unnest($1::uuid[]) as ids(node_id)
    cross join lateral (select metrics_json from worker_heartbeats h where h.node_id = ids.node_id order by h."timestamp" desc limit 1) beat`;

/** The last word of each node: in Redis for as long as it is not silent, under `worker:heartbeat:<id>`; in its history after that. */
export class HeartbeatSummaries {
  readonly #db: Database;
  readonly #redis: Redis;
  readonly #log: Logger;

  constructor(db: Database, redis: Redis, log: Logger) {
    this.#db = db;
    this.#redis = redis;
    this.#log = log;
  }

  /** Best effort: what Redis did not take stands in the history. */
  async keep(nodeId: string, summary: HeartbeatSummary): Promise<void> {
    try {
      if (summary.status === 'stopped') await this.#redis.del(keyOf(nodeId));
      else await this.#redis.set(keyOf(nodeId), JSON.stringify(summary), 'EX', silentSeconds);
    } catch (error) {
      this.#log.debug('workers.summary', 'A heartbeat stands in its history alone', { worker_id: nodeId, error });
    }
  }

  /** The metrics of each node's last heartbeat; none for one that never sent any. At most one statement. */
  async metricsOf(nodeIds: readonly string[]): Promise<ReadonlyMap<string, WorkerMetrics>> {
    const found = new Map<string, WorkerMetrics>();
    const kept = await this.#kept(nodeIds);
    for (const [index, nodeId] of nodeIds.entries()) {
      const summary = kept[index];
      if (summary != null) found.set(nodeId, (JSON.parse(summary) as HeartbeatSummary).metrics);
    }
    const others = nodeIds.filter((nodeId) => !found.has(nodeId));
    if (others.length === 0) return found;
    const rows = await this.#db.named<{ node_id: string; metrics: WorkerMetrics }>('workers.latest_metrics', latestSql, [others]);
    for (const { node_id: nodeId, metrics } of rows) found.set(nodeId, metrics);
    return found;
  }

  async #kept(nodeIds: readonly string[]): Promise<readonly (string | null)[]> {
    if (nodeIds.length === 0) return [];
    try {
      return await this.#redis.mget(nodeIds.map(keyOf));
    } catch {
      return [];
    }
  }
}

const keyOf = (nodeId: string): string => `worker:heartbeat:${nodeId}`;

/** Worker nodes as administrators see them. */
import type { WorkerNode, WorkerNodePage } from '#generated/sdk/types.gen.ts';
import { jobTables } from '#jobs/kinds.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { requireAdmin } from '../policy.ts';
import { type HeartbeatSummaries, silentSeconds } from './heartbeats.ts';

interface NodeFilters {
  readonly type?: string | undefined;
  readonly status?: string | undefined;
}

/** Nodes that were not heard of for so long are history. */
const listedDays = 30;

const listed = `
  from worker_nodes n
  cross join lateral (
    select case when n.status in ('active', 'draining') and n.last_heartbeat_at < now() - interval '${silentSeconds} seconds' then 'silent' else n.status end as status) seen
 where n.last_heartbeat_at > now() - interval '${listedDays} days'
   and ($1::text is null or n.type = $1) and ($2::text is null or seen.status = $2)`;

const listNodesSql = `
  with running as materialized (
    select worker_id, count(*) as jobs from (${jobTables.map((table) => `select worker_id from ${table} where status = 'running'`).join(' union all ')}) held group by worker_id)
  select n.id, n.name, n.type, seen.status, n.concurrency, n.capabilities, n.cloudflare_id, coalesce(n.version, '') as version,
         coalesce((select jobs from running where running.worker_id = n.id), 0) as running_jobs,
         n.last_heartbeat_at, n.created_at, n.updated_at
  ${listed} and ($3::text is null or (n.type, n.name, n.id) > ($3, $4, $5::uuid))
  order by n.type, n.name, n.id limit $6 offset $7`;

const countNodesSql = `select count(*) as total from (select 1 ${listed} limit ${countBound + 1}) bounded`;

/** `cpu:builder-1`: the class, and the name, in which a colon may stand too. */
const isKey = (at: string): boolean => /^(cpu|gpu):[A-Za-z0-9._:-]{1,100}$/.test(at);

export class WorkerNodeService {
  readonly #db: Database;
  readonly #heartbeats: HeartbeatSummaries;

  constructor(db: Database, heartbeats: HeartbeatSummaries) {
    this.#db = db;
    this.#heartbeats = heartbeats;
  }

  /** By class, name and id. Three statements under an offset, two under a cursor. */
  async list(call: Call, query: PageQuery & NodeFilters): Promise<WorkerNodePage> {
    requireAdmin(call);
    const filters = { type: query.type, status: query.status };
    const values = [filters.type ?? null, filters.status ?? null];
    const after = readCursor(query, filters, isKey);
    const [type = null, name = null] = after === null ? [] : [after.at.slice(0, 3), after.at.slice(4)];
    const offset = after === null ? (query.offset ?? 0) : 0;
    const rows = await this.#db.named<Omit<WorkerNode, 'metrics'>>('workers.list_nodes', listNodesSql, [...values, type, name, after?.id ?? null, query.limit + 1, offset]);
    const [counted] = after === null ? await this.#db.named<{ total: number }>('workers.count_nodes', countNodesSql, values) : [];
    const { items, page } = pageOf(rows, query, filters, counted?.total ?? null, (row) => ({ at: `${row.type}:${row.name}`, id: row.id }));
    const metrics = await this.#heartbeats.metricsOf(items.map(({ id }) => id));
    return { items: items.map((row) => ({ ...row, metrics: metrics.get(row.id) ?? null })), page };
  }
}

/** The SQL of the autoscaler. */
import { type JobTable, jobTables } from '#jobs/kinds.ts';
import { silentSeconds } from './heartbeats.ts';

const ruleColumns = 'type, enabled, min, max, scale_up_queue_length, target_wait_seconds, idle_seconds, cooldown_seconds, updated_by, updated_at';
export const rulesSql = `select ${ruleColumns} from scaling_rules order by type`;
export const lockRuleSql = `select ${ruleColumns} from scaling_rules where type = $1 for update`;

/** One looks at a time, over all processes. */
export const lookLockSql = "select pg_try_advisory_xact_lock(hashtext('scaling.look')) as taken";

/** How long a worker that was asked for may take to come before its wish counts for nothing. */
export const startSeconds = 120;

const isActive = `n.type = $1 and n.status = 'active' and n.last_heartbeat_at > now() - interval '${silentSeconds} seconds'`;

/** A worker that holds a live session is at work, though it builds nothing. */
const anyJob = (select: (table: JobTable) => string): string => `(${jobTables.map((table) => `exists (${select(table)})`).join(' or ')})`;

/** What runs, what waits, and what was last decided, in one statement. $2 is what the names begin with that may be drained, $3 the rule's idle_seconds. */
export const seenSql = `
  with active as (
    select n.id, n.created_at, $2::text is null or n.name like $2 || '%' as is_drainable,
           ${anyJob((table) => `select from ${table} j where j.worker_id = n.id and j.status = 'running' and j.lease_expires_at is not null`)} as is_busy
      from worker_nodes n where ${isActive}
  ), idle as (
    select a.id, a.created_at from active a
     where a.is_drainable and not a.is_busy and a.created_at < now() - $3 * interval '1 second'
       and not ${anyJob((table) => `select from ${table} j where j.completed_at > now() - $3 * interval '1 second' and j.worker_id = a.id`)}
  ), last as (
    select action, to_count, outcome, created_at from scaling_events where type = $1 order by created_at desc, id desc limit 1
  ), queue as (
    select count(*) as waiting, extract(epoch from now() - min(greatest(queued_at, run_after)))::float8 as oldest
      from (${jobTables.map((table) => `select queued_at, run_after from ${table} where status = 'queued' and queued_at is not null and run_after <= now() and queue_class = $1`).join(' union all ')}) jobs
  )
  select (select count(*) from active) as active,
         (select to_count from last where action = 'scale_up' and outcome = 'asked' and created_at > now() - interval '${startSeconds} seconds') as coming,
         coalesce((select json_agg(id order by created_at desc) from idle), '[]') as idle_ids,
         coalesce((select json_agg(id order by is_busy, created_at desc) from active where is_drainable), '[]') as drainable_ids,
         (select created_at from last) as last_at, queue.waiting, queue.oldest, now() as now
    from queue`;

export interface SeenRow {
  readonly active: number;
  readonly coming: number | null;
  readonly idle_ids: string[];
  readonly drainable_ids: string[];
  readonly last_at: string | null;
  readonly waiting: number;
  readonly oldest: number | null;
  readonly now: string;
}

/** Wishes that came true, and workers that did not come in time. A drain is done when its worker is gone. */
export const settleSql = `
  with asked as (
    select e.id, e.created_at,
           case when e.action = 'scale_up' then (select count(*) from worker_nodes n where ${isActive}) >= e.to_count
                else not exists (select from worker_nodes n where n.id = e.worker_id and n.status in ('active', 'draining') and n.last_heartbeat_at > now() - interval '${silentSeconds} seconds') end as is_reached
      from scaling_events e where e.type = $1 and e.outcome = 'asked'
  )
  update scaling_events set outcome = case when asked.is_reached then 'reached' else 'failed' end,
         error = case when asked.is_reached then null else 'No worker came within ${startSeconds} seconds.' end
    from asked
   where scaling_events.id = asked.id
     and (asked.is_reached or (scaling_events.action = 'scale_up' and asked.created_at < now() - interval '${startSeconds} seconds'))`;

const listed = 'from scaling_events where ($1::text is null or type = $1)';
export const listEventsSql = (hasType: boolean): string => `
  select id, type, action, from_count as "from", to_count as "to", reason, driver, outcome, error, created_at
    from scaling_events where ${hasType ? 'type = $1' : '$1::text is null'} and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
   order by created_at desc, id desc limit $4 offset $5`;
export const countEventsSql = `select count(*) as total from (select 1 ${listed} limit $2) bounded`;

export const sweepEventsSql = `
  with old as (
    select id from scaling_events where created_at < now() - interval '90 days' limit $1 for update skip locked
  )
  delete from scaling_events using old where scaling_events.id = old.id returning scaling_events.id`;

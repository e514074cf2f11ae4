import type { JobTable } from '#jobs/kinds.ts';

/** The SQL that workers run most: a heartbeat every few seconds each. */

/**
 * One heartbeat in one statement: the node's row, a row of its history, and which of the jobs it says are running it
 * should stop (cancelled, or not its own any more). No row when the node is unknown or shut out.
 */
export const heartbeatStopSql = `
  with node as (
    update worker_nodes
       set last_heartbeat_at = now(),
           status = case when $4 = 'stopped' then 'stopped' when status = 'draining' then 'draining' else $4 end
     where id = $1 and status <> 'revoked'
     returning id, status
  ), beat as (
    insert into worker_heartbeats (id, node_id, metrics_json) select $2, id, $3::jsonb from node
  )
  select node.status,
         coalesce((select json_agg(j) from unnest($5::uuid[]) as j
                    where not exists (select 1 from preview_jobs p
                                       where p.id = j and p.worker_id = node.id and p.status = 'running')
                      and not exists (select 1 from live_sessions l
                                       where l.id = j and l.worker_id = node.id and l.status = 'running')), '[]') as stop_job_ids
    from node`;

export interface HeartbeatRow { readonly status: string; readonly stop_job_ids: string[] }

export const claimedJobSql = (table: JobTable): string =>
  `select * from ${table} where id = $1 and status = 'running' and lease_token_hash = $2`;

/** A job as a worker tells of it. */
export const jobSql = (table: JobTable): string => `select * from ${table} where id = $1`;

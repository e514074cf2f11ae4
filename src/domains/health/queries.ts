/** Three missed heartbeats and some are silence; a worker that stopped in order counts as neither. */
export const livingWorkersSql = `
  select count(*) filter (where last_heartbeat_at > now() - interval '45 seconds') as living,
         count(*) filter (where last_heartbeat_at <= now() - interval '45 seconds' and last_heartbeat_at > now() - interval '1 hour') as silent
    from worker_nodes where status in ('active', 'draining')`;

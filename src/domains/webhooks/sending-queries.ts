/** The SQL of what sends deliveries: taken under a lease, ended, and what an endpoint's answers mean for it. */

/** Of one endpoint at once, whatever the number of processes; one that fails gets one, so that it keeps few waiting for its time to be up. */
const perEndpoint = { usual: 4, failing: 1 };
/** An attempt takes 20 s at most; the rest is for writing down what came of it, while the database may be away. */
export const leaseSeconds = 30;

/** One process takes at a time: what an endpoint has in hand is counted. */
export const takeTurnSql = "select pg_advisory_xact_lock(hashtext('webhooks.take'))";

/**
 * Takes up to $1 that are due, of failing endpoints up to $2. Each endpoint's next before any endpoint's second, so that
 * nobody waits behind another's backlog: for each endpoint that something is due of the index is asked once, whatever waits
 * there (10,000 endpoints that wait for later, and one with 100,000 due: 6 ms; all 10,000 due: 250 ms, on a busy machine).
 */
export const takeSql = `
  with recursive waiting (webhook_id) as (
    (select webhook_id from webhook_deliveries where status = 'pending' and next_attempt_at <= now() + interval '1 millisecond' order by webhook_id limit 1)
    union all
    select (select d.webhook_id from webhook_deliveries d
             where d.status = 'pending' and d.next_attempt_at <= now() + interval '1 millisecond' and d.webhook_id > w.webhook_id order by d.webhook_id limit 1)
      from waiting w where w.webhook_id is not null
  ), room as materialized (
    select e.id, e.is_active, e.failing_since is not null as is_failing,
           case when e.failing_since is null then ${perEndpoint.usual} else ${perEndpoint.failing} end
             - (select count(*) from webhook_deliveries h where h.webhook_id = e.id and h.lease_token is not null and h.lease_expires_at > now()) as free
      from waiting join webhook_endpoints e on e.id = waiting.webhook_id where e.deleted_at is null
  ), due as (
    select d.id, d.next_attempt_at, room.is_failing, row_number() over (partition by room.id order by d.next_attempt_at, d.id) as place
      from room cross join lateral (
        select id, next_attempt_at from webhook_deliveries d
         where d.webhook_id = room.id and d.status = 'pending' and d.next_attempt_at <= now() + interval '1 millisecond'
           and (d.lease_expires_at is null or d.lease_expires_at <= now()) and (room.is_active or d.trigger = 'test')
         order by d.next_attempt_at, d.id limit greatest(room.free, 0)) d
  ), ranked as (
    select id, next_attempt_at, is_failing, place, row_number() over (partition by is_failing order by place, next_attempt_at, id) as turn from due
  ), taken as materialized (
    select id from ranked where not is_failing or turn <= $2 order by place, next_attempt_at, id limit $1
  ), leased as (
    update webhook_deliveries d set lease_token = gen_random_uuid(), lease_expires_at = now() + interval '${leaseSeconds} seconds'
      from taken where d.id = taken.id and d.status = 'pending'
    returning d.id, d.webhook_id, d.event_id, d.trigger, d.attempt_count, d.lease_token
  )
  select l.id, l.webhook_id, l.event_id, l.trigger, l.attempt_count, l.lease_token, m.body, e.project_id, e.url, e.failing_since is not null as is_failing,
         e.secret, e.secret_key_id,
         case when e.previous_secret_expires_at > now() then e.previous_secret end as previous_secret, e.previous_secret_key_id
    from leased l join webhook_messages m on m.id = l.event_id join webhook_endpoints e on e.id = l.webhook_id and e.secret is not null`;

/**
 * Writes down an attempt, once: only while its lease holds the delivery. It goes on waiting for $4 milliseconds, or ends as
 * $3 where that is null. Answers a row where it did.
 */
export const settleSql = `
  with settled as (
    update webhook_deliveries
       set attempt_count = attempt_count + 1, response_status = $6, lease_token = null, lease_expires_at = null,
           status = case when $4::bigint is null then $3 else 'pending' end,
           next_attempt_at = case when $4::bigint is null then null else now() + $4 * interval '1 millisecond' end,
           completed_at = case when $4::bigint is null then now() end
     where id = $1 and lease_token = $2 and status = 'pending'
    returning id, attempt_count
  )
  insert into webhook_attempts (delivery_id, number, attempted_at, duration_ms, response_status, response_body, failure)
  select id, attempt_count, $5, $8, $6, $7, $9 from settled
  returning number`;

/** Gives back what was taken and has not been answered: somebody else may take it at once. */
export const handBackSql = 'update webhook_deliveries set lease_token = null, lease_expires_at = null where lease_token = any($1::uuid[])';

/** What arrived ends the failing. */
export const arrivedSql = 'update webhook_endpoints set failing_since = null where id = $1 and failing_since is not null';

/** Before its deliveries are touched: whoever switches it off takes the same order. */
export const holdFailedSql = `
  select is_active, failing_since, failing_since < now() - interval '5 days' as has_failed_long from webhook_endpoints
   where id = $1 and deleted_at is null for no key update`;

export const failedSql = 'update webhook_endpoints set failing_since = $2 where id = $1 and failing_since is null';

export const disableSql = `
  update webhook_endpoints set is_active = false, disabled_reason = $2, disabled_at = now() where id = $1 and is_active
  returning project_id, url, disabled_at`;

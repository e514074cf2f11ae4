/** Every statement on idempotency_keys. All clocks are the database's, so that replicas need not agree on the time. */

/**
 * Takes a key in charge: a new row, one that has expired, or one whose holder died (its lease ran out) with the same
 * request. Answers the row's id, or nothing when somebody else holds it.
 * $1 id, $2 caller, $3 operation, $4 key hash, $5 request hash, $6 lease token, $7 lease ms, $8 kept ms.
 */
export const takeSql = `
  insert into idempotency_keys as held
    (id, caller, operation_id, key_hash, request_hash, state, lease_token, lease_until, expires_at)
  values ($1, $2, $3, $4, $5, 'in_progress', $6,
          clock_timestamp() + $7 * interval '1 millisecond', clock_timestamp() + $8 * interval '1 millisecond')
  on conflict (caller, operation_id, key_hash) do update
    set request_hash = excluded.request_hash, state = 'in_progress', lease_token = excluded.lease_token,
        lease_until = excluded.lease_until, expires_at = excluded.expires_at, status = null, answer = null
    where held.expires_at <= clock_timestamp()
       or (held.state = 'in_progress' and held.lease_until <= clock_timestamp() and held.request_hash = excluded.request_hash)
  returning id`;

/** What stands under a key that could not be taken. $1 caller, $2 operation, $3 key hash. */
export const findSql = `
  select id, request_hash, state, status, answer,
         greatest(0, extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as lease_ms
    from idempotency_keys
   where caller = $1 and operation_id = $2 and key_hash = $3`;

/** Says that the request runs still. $1 id, $2 lease token, $3 lease ms. */
export const extendSql = `
  update idempotency_keys set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
   where id = $1 and lease_token = $2 and state = 'in_progress'`;

/** Leaves the answer, under the lease alone: who lost it to a takeover changes nothing. $1 id, $2 lease token, $3 status, $4 answer. */
export const sealSql = `
  update idempotency_keys set state = 'done', status = $3, answer = $4
   where id = $1 and lease_token = $2
  returning id`;

/** Gives a key back that led to nothing. A sealed answer stays. $1 id, $2 lease token. */
export const releaseSql = `
  delete from idempotency_keys where id = $1 and lease_token = $2 and state = 'in_progress'`;

/** Deletes at most $1 expired rows; answers how many. */
export const sweepSql = `
  with expired as (
    select id from idempotency_keys where expires_at <= clock_timestamp() order by expires_at limit $1 for update skip locked
  )
  delete from idempotency_keys using expired where idempotency_keys.id = expired.id
  returning idempotency_keys.id`;

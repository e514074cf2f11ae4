/** The SQL of a person's sessions and devices, as the person sees them. */
import { countBound } from '#platform/paging.ts';

/** Open sessions of an account, last seen first; from $2, $3 on where they are set. */
export const listSessionsSql = `
  select s.id, s.device_session_id, d.device_name, d.platform, host(s.ip_address) as ip_address, nullif(s.user_agent, '') as user_agent,
         s.suspicious, s.created_at, s.last_seen, s.expires_at
    from sessions s left join device_sessions d on d.id = s.device_session_id
   where s.user_id = $1 and s.revoked_at is null and s.expires_at > now()
     and ($2::timestamptz is null or (s.last_seen, s.id) < ($2, $3::uuid))
   order by s.last_seen desc, s.id desc limit $4 offset $5`;

export const countSessionsSql = `
  select count(*) as total from (
    select from sessions where user_id = $1 and revoked_at is null and expires_at > now() limit ${countBound + 1}) as bounded`;

/** Devices of an account likewise; $6 is the caller's session. */
export const listDevicesSql = `
  select d.id, d.device_name, d.platform, d.created_at, d.last_seen,
         (select least(count(*), 1000) from sessions s
           where s.device_session_id = d.id and s.revoked_at is null and s.expires_at > now()) as session_count,
         exists (select from sessions s where s.id = $6 and s.device_session_id = d.id) as current
    from device_sessions d
   where d.user_id = $1 and ($2::timestamptz is null or (d.last_seen, d.id) < ($2, $3::uuid))
   order by d.last_seen desc, d.id desc limit $4 offset $5`;

export const countDevicesSql = `
  select count(*) as total from (select from device_sessions where user_id = $1 limit ${countBound + 1}) as bounded`;

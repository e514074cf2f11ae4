/** The SQL of endpoints. One that is deleted is nobody's from then on; a sweep takes its row. */
import { effectiveTierSql } from '../users/accounts.ts';

export const endpointColumns = `id, project_id, url, event_types, is_active, disabled_reason, disabled_at, failing_since, created_by, created_at, updated_at, row_version`;

/** A page of a project's, newest first, after a key where one is named; $2 only those that are on, or off. */
export const listEndpointsSql = `
  select ${endpointColumns} from webhook_endpoints
   where project_id = $1 and deleted_at is null and ($2::boolean is null or is_active = $2)
     and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid))
   order by created_at desc, id desc limit $5 offset $6`;

/** Counted no further than one beyond the bound that the contract promises. */
export const countEndpointsSql = `
  select count(*) as total from (
    select from webhook_endpoints where project_id = $1 and deleted_at is null and ($2::boolean is null or is_active = $2) limit $3) as bounded`;

export const endpointByIdSql = `select ${endpointColumns} from webhook_endpoints where id = $1 and deleted_at is null`;

/** Of two changes at once the second sees what the first made of it. */
export const lockEndpointSql = `${endpointByIdSql} for no key update`;

/** Held as it is until the commit: nobody switches it off meanwhile. */
export const holdEndpointSql = `${endpointByIdSql} for share`;

/** The project whose endpoints are counted, by one at a time, and the tier that counts: its owner's. */
export const lockProjectSql = `
  select p.owner_id, ${effectiveTierSql} as tier from projects p join users u on u.id = p.owner_id
   where p.id = $1 and p.deleted_at is null for no key update of p`;

/** What the limit is about: those that are off too, since they may be switched on at any time. */
export const usedEndpointsSql = 'select count(*) as used from webhook_endpoints where project_id = $1 and deleted_at is null';

export const insertEndpointSql = `
  insert into webhook_endpoints (id, project_id, url, event_types, is_active, disabled_reason, disabled_at, created_by, secret, secret_key_id)
  values ($1, $2, $3, $4, $5, case when not $5 then 'switched_off' end, case when not $5 then now() end, $6, $7, $8)
  returning ${endpointColumns}`;

/** Switched on it forgets why it was off and since when it failed; one that is off keeps why. */
export const updateEndpointSql = `
  update webhook_endpoints
     set url = $2, event_types = $3, is_active = $4,
         disabled_reason = case when not $4 then coalesce(disabled_reason, 'switched_off') end,
         disabled_at = case when not $4 then coalesce(disabled_at, now()) end,
         failing_since = case when is_active or not $4 then failing_since end
   where id = $1 returning ${endpointColumns}`;

/** The secret until now signs on until $4, or not at all where that is null; one that was on its way out is gone. */
export const rotateSecretSql = `
  update webhook_endpoints
     set secret = $2, secret_key_id = $3,
         previous_secret = case when $4::timestamptz is not null then secret end,
         previous_secret_key_id = case when $4::timestamptz is not null then secret_key_id end,
         previous_secret_expires_at = $4
   where id = $1 returning ${endpointColumns}`;

export const deleteEndpointSql = `
  update webhook_endpoints
     set deleted_at = now(), secret = null, secret_key_id = null,
         previous_secret = null, previous_secret_key_id = null, previous_secret_expires_at = null
   where id = $1`;

/** What waits of an endpoint is not sent any more; tests stay where $2, as they go to one that is off too. */
export const cancelPendingSql = `
  update webhook_deliveries
     set status = 'cancelled', completed_at = now(), next_attempt_at = null, lease_token = null, lease_expires_at = null
   where webhook_id = $1 and status = 'pending' and not ($2 and trigger = 'test')`;

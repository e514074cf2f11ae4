/** The SQL of API keys. A revoked key is gone; an expired one is still listed. */

const columns = 'id, name, prefix, last_four, scopes, project_ids, expires_at, last_used_at, created_at, updated_at';

/** A page of somebody's keys, newest first, after a key where one is named. */
export const listKeysSql = `
  select ${columns} from api_keys
   where user_id = $1 and revoked_at is null and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
   order by created_at desc, id desc limit $4 offset $5`;

/** Counted no further than one beyond the bound that the contract promises. */
export const countKeysSql = `
  select count(*) as total from (select from api_keys where user_id = $1 and revoked_at is null limit $2) as bounded`;

/** Those that the tier's limit is about: neither revoked nor expired at $2, nor living on beside the one that replaced it. */
export const usedKeysSql = `
  select count(*) as used from api_keys
   where user_id = $1 and revoked_at is null and replaced_by is null and (expires_at is null or expires_at > $2)`;

/** Of two changes at once the second sees what the first made of it. */
export const lockKeySql = `
  select ${columns}, replaced_by from api_keys where id = $1 and user_id = $2 and revoked_at is null for update`;

export const insertKeySql = `
  insert into api_keys (id, user_id, name, hashed_key, prefix, last_four, scopes, project_ids, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${columns}`;

export const updateKeySql = `
  update api_keys set name = $2, scopes = $3, project_ids = $4, expires_at = $5 where id = $1 returning ${columns}`;

/** A key that is replaced lives on until $3, or ends now where that is null. */
export const replaceKeySql = `
  update api_keys set replaced_by = $2, expires_at = least(expires_at, $3), revoked_at = case when $3::timestamptz is null then now() end
   where id = $1`;

export const revokeKeySql = 'update api_keys set revoked_at = now() where id = $1 and user_id = $2 and revoked_at is null returning id';

/** The SQL of client sessions, named after what it answers. */
import { effectiveTierSql } from '../users/accounts.ts';

/** $1 the session, $2 the hash of the token that asks: whether it was issued to the owner, and what the owner's tier is now. */
export const sessionSql = `
  select s.id, s.project_id, s.user_id, s.kind, s.target_platform, s.dev_server_url, s.object_key, s.bundle_size,
         encode(s.bundle_sha256, 'hex') as bundle_sha256, s.created_at, s.expires_at, s.expires_at <= now() as is_over,
         p.name as project_name, p.deleted_at is not null as is_project_gone, ${effectiveTierSql} as tier,
         exists (select 1 from preview_sessions t where t.token_hash = decode($2, 'hex') and t.user_id = s.user_id and t.share_id is null) as is_owners
    from preview_client_sessions s join projects p on p.id = s.project_id join users u on u.id = s.user_id
   where s.id = $1`;

export const openSessionsSql = 'select count(*) as open from preview_client_sessions where user_id = $1 and expires_at > now()';

export const insertSessionSql = `
  insert into preview_client_sessions (id, project_id, user_id, kind, target_platform, dev_server_url, expires_at)
  values ($1, $2, $3, $4, $5, $6, to_timestamp($7::double precision / 1000)) returning created_at, expires_at`;

export const logSessionTokenSql = `
  insert into preview_sessions (id, project_id, session_id, user_id, token_hash, purpose, expires_at)
  values ($1, $2, $3, $4, decode($5, 'hex'), $6, to_timestamp($7::double precision / 1000))`;

/** Once: of two uploads that end together the second finds it taken. */
export const keepBundleSql = `
  update preview_client_sessions set object_key = $2, bundle_size = $3, bundle_sha256 = decode($4, 'hex'), uploaded_at = now()
   where id = $1 and object_key is null and kind = 'bundle' and expires_at > now() returning id`;

export const logBundleSql = 'update preview_sessions set bundle_url = $2, bundle_size = $3 where session_id = $1';

/** Over for an hour: whatever was on its way to them has come or never will. */
export const endedSessionsSql = `
  select id, project_id from preview_client_sessions where expires_at < now() - interval '1 hour' order by expires_at limit $1`;
export const forgetSessionsSql = 'delete from preview_client_sessions where id = any($1::uuid[]) returning id';

/** Of an account, in other people's projects too. */
export const sessionsOfAccountSql = 'select id, project_id from preview_client_sessions where user_id = $1 limit $2';

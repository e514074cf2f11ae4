/** The SQL of live sessions. Hashes travel as lower-case hex and are stored as 32 bytes. */

export const sessionSql = `
  select s.*, j.target_platform from live_sessions s join preview_jobs j on j.id = s.job_id where s.id = $1`;

export const openSessionsSql = `
  select count(*) as open from live_sessions where requested_by = $1 and status in ('queued', 'running')`;

/** A preview that was not deleted stays so until the commit. */
export const holdPreviewSql = 'select 1 from preview_jobs where id = $1 and deleted_at is null for share';

export const copyFilesSql = `
  insert into live_session_files (session_id, path, sha256, size)
  select $1, path, sha256, size from preview_job_files where job_id = $2`;

export const filesSql = `
  select path, encode(sha256, 'hex') as sha256, size from live_session_files where session_id = $1 order by path`;

/** What is not built yet, oldest first. */
export const pendingSql = `
  select revision, changes from live_revisions where session_id = $1 and status = 'building' and revision > 0 order by revision limit $2`;

export const insertRevisionSql = `
  insert into live_revisions (session_id, revision, changes) values ($1, $2, $3::jsonb)
  returning *, encode(bundle_sha256, 'hex') as bundle_sha256`;

/** The newest, and those from $2 on. */
export const revisionsSql = `
  select *, encode(bundle_sha256, 'hex') as bundle_sha256 from live_revisions
   where session_id = $1 and revision >= $2 order by revision limit $3`;

/** How a revision ended; one that has ended stays as it is. */
export const endRevisionSql = `
  update live_revisions
     set status = $3, object_key = $4, bundle_size = $5, bundle_sha256 = decode($6, 'hex'), duration_ms = $7, failure = $8::jsonb, assets = $9::jsonb, changes = null
   where session_id = $1 and revision = $2 and status = 'building'`;

/** The source map of a bundle comes after it, once. */
export const noteMapSql = `
  update live_revisions set map_key = $3 where session_id = $1 and revision = $2 and status = 'ready' and map_key is null`;

/** The session of a token, for whoever asks what can be shown of it. */
export const viewedSessionSql = `
  select s.*, j.target_platform, j.sdk_version, j.environment, j.dev, p.name as project_name, p.deleted_at is not null as is_project_gone
    from live_sessions s join preview_jobs j on j.id = s.job_id join projects p on p.id = s.project_id where s.id = $1`;

/** The newest that can be shown. */
export const newestReadySql = `
  select *, encode(bundle_sha256, 'hex') as bundle_sha256 from live_revisions
   where session_id = $1 and status = 'ready' order by revision desc limit 1`;

/** What the preview of a session holds of assets: its bundles find them there. */
export const knownAssetsSql = `
  select path, encode(sha256, 'hex') as sha256 from preview_artifacts where job_id = $1 and kind = 'asset' and encoding = 'identity' order by path limit 5000`;

export const removeFilesSql = 'delete from live_session_files where session_id = $1 and path = any($2::text[])';

export const writeFilesSql = `
  insert into live_session_files (session_id, path, sha256, size)
  select $1, f.path, decode(f.sha256, 'hex'), f.size from unnest($2::text[], $3::text[], $4::bigint[]) as f(path, sha256, size)
  on conflict (session_id, path) do update set sha256 = excluded.sha256, size = excluded.size`;

export const logTokenSql = `
  insert into preview_sessions (id, project_id, job_id, user_id, token_hash, purpose, expires_at)
  values ($1, $2, $3, $4, decode($5, 'hex'), 'view', to_timestamp($6::double precision / 1000))`;

/** Idle, or older than its token ($2 seconds), also where one worker after the other took it on. */
export const idleSql = `
  select id from live_sessions
   where status in ('queued', 'running')
     and (changed_at < now() - interval '1 second' * idle_seconds or created_at <= now() - interval '1 second' * $2::integer)
   order by id limit $1`;

/** Ended long enough ago that no URL of theirs is good any more. */
export const sweptSql = `
  select id, project_id from live_sessions where completed_at < now() - interval '20 minutes' and swept_at is null order by id limit $1`;
export const markSweptSql = `
  with gone as (delete from live_session_files where session_id = any($1::uuid[])),
       old as (delete from live_revisions where session_id = any($1::uuid[]))
  update live_sessions set swept_at = now() where id = any($1::uuid[])`;
export const forgottenSql = `
  with old as (select id from live_sessions where completed_at < now() - interval '1 day' and swept_at is not null and (died_at is null or died_at < now() - interval '30 days') limit $1 for update skip locked)
  delete from live_sessions using old where live_sessions.id = old.id returning live_sessions.id`;

/** Bundles of a session that goes on, once a newer one has been out for longer than their URLs hold. */
export const staleBundlesSql = `
  select r.session_id, r.revision, array_remove(array[r.object_key, r.map_key], null) as object_keys from live_sessions s join live_revisions r on r.session_id = s.id
   where s.status in ('queued', 'running') and r.object_key is not null and r.updated_at < now() - interval '20 minutes'
     and exists (select from live_revisions newer where newer.session_id = s.id and newer.revision > r.revision and newer.status = 'ready'
                    and newer.updated_at < now() - interval '20 minutes')
   limit $1`;
export const dropBundleSql = 'delete from live_revisions where session_id = $1 and revision = $2';

export const sessionsOfAccountSql = 'select id, project_id from live_sessions where requested_by = $1 order by id limit $2';
export const forgetSessionsSql = 'delete from live_sessions where id = any($1::uuid[])';

/** The SQL of cleaning up after previews, named after what it does. */

/** Marks jobs as out of reach, for good: what is due for it by `condition`, `$1` at a time. One that was put back meanwhile is not. */
const unlink = (condition: string): string => `
  with due as (
    select j.id from preview_jobs j join tier_limits t on t.tier = j.tier
     where j.unlinked_at is null and j.completed_at is not null and ${condition} limit $1 for update of j skip locked
  )
  update preview_jobs set unlinked_at = now() from due where preview_jobs.id = due.id returning preview_jobs.id`;

export const unlinkDeletedSql = unlink('j.deleted_at is not null');
/** The bundles of a live session that goes on find their images among the artifacts. */
export const unlinkExpiredSql = unlink(`j.artifacts_expire_at <= now()
       and not exists (select from live_sessions s where s.job_id = j.id and s.completed_at is null)`);
/** Builds that made nothing are kept as long as what they would have made. */
export const unlinkGivenUpSql = unlink(`j.artifacts_expire_at is null and j.status in ('failed', 'cancelled', 'timed_out')
       and j.completed_at <= now() - t.artifact_retention_days * interval '1 day'`);

/** By then every URL that reads or writes below a job's places is over: an hour for its sources, fifteen minutes for what it makes. */
const urlHours = 3;
export const objectsDueSql = `
  select id, project_id from preview_jobs
   where unlinked_at < now() - interval '${urlHours} hours' and objects_erased_at is null order by unlinked_at limit $1`;
export const noteErasedSql = 'update preview_jobs set objects_erased_at = now() where id = any($1::uuid[]) and objects_erased_at is null';

/** Leaves of jobs what statistics count, and of a failure its kind: no names, no environment, nothing of the sources. */
export const reduceSql = `
  with due as materialized (
    select id from preview_jobs where objects_erased_at is not null and reduced_at is null order by objects_erased_at limit $1 for update skip locked
  ), artifacts as (delete from preview_artifacts a using due where a.job_id = due.id),
     files as (delete from preview_job_files f using due where f.job_id = due.id),
     logs as (delete from preview_job_logs l using due where l.job_id = due.id)
  update preview_jobs j
     set reduced_at = now(), env = '{}', log_lines = 0, request_key_hash = null, request_body_hash = null,
         failure = case when j.failure is null then null else jsonb_build_object('code', j.failure ->> 'code', 'kind', j.failure ->> 'kind',
           'message', 'What was told of this failure has expired.', 'file', null, 'line', null, 'column', null, 'code_frame', null, 'import_name', null) end
    from due where j.id = due.id returning j.id`;

/** Whoever was told that a content is there has made a job of it long before a day is over: see knownBlobsSql. */
const unusedDays = 1;
export const projectWithUnusedSql = `
  select project_id from source_blobs where condemned_at is null and last_used_at < now() - interval '${unusedDays} days' order by last_used_at limit 1`;

/**
 * Of `$2` contents of the project `$1` that nobody asked for lately: those something refers to count as used today, the
 * others are condemned. A row that a request is about to use is locked and passed over, or its time has moved.
 */
export const markSql = `
  with unused as materialized (
    select sha256 from source_blobs
     where project_id = $1 and condemned_at is null and last_used_at < now() - interval '${unusedDays} days' limit $2 for update skip locked
  ), referred as materialized (
    select f.sha256 from preview_jobs j join preview_job_files f on f.job_id = j.id join unused u on u.sha256 = f.sha256 where j.project_id = $1
    union
    select f.sha256 from live_sessions s join live_session_files f on f.session_id = s.id join unused u on u.sha256 = f.sha256 where s.project_id = $1
    union
    select u.sha256 from live_sessions s join live_revisions r on r.session_id = s.id
      cross join lateral jsonb_array_elements(r.changes -> 'written') as w join unused u on u.sha256 = decode(w ->> 'sha256', 'hex')
     where s.project_id = $1 and r.changes is not null
  ), marked as (
    update source_blobs b set last_used_at = now() from referred r where b.project_id = $1 and b.sha256 = r.sha256
  ), condemned as (
    update source_blobs b set condemned_at = now() from unused u
     where b.project_id = $1 and b.sha256 = u.sha256 and not exists (select 1 from referred r where r.sha256 = u.sha256) returning 1
  )
  select (select count(*) from unused) as looked, (select count(*) from condemned) as condemned`;

/** Longer than any request takes from writing an object to noting it. */
const condemnedHours = 2;
/** Held until the objects are gone: whoever brings such a content again waits for that, and stores it after it. */
export const holdCondemnedSql = `
  select project_id, encode(sha256, 'hex') as sha256 from source_blobs
   where condemned_at < now() - interval '${condemnedHours} hours' order by condemned_at limit $1 for update skip locked`;
export const deleteCondemnedSql = `
  delete from source_blobs b using unnest($1::uuid[], $2::text[]) as g(project_id, sha256)
   where b.project_id = g.project_id and b.sha256 = decode(g.sha256, 'hex')`;

export const walkSql = `
  select after, begun_at <= now() - interval '1 day' as is_due from object_walks where name = $1`;
export const noteWalkSql = `
  insert into object_walks (name, after) values ($1, $2)
  on conflict (name) do update set after = excluded.after, begun_at = case when $3 then now() else object_walks.begun_at end`;

/**
 * Of these objects, each with its project, its place and whose it is, those that nothing knows. Objects of projects that
 * are not in this database are somebody else's. A job that is not over may tell of its objects yet.
 */
export const strayObjectsSql = `
  select o.key from unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[]) as o(key, project_id, place, owner_id)
    join projects p on p.id = o.project_id
   where case o.place
     when 'previews' then not exists (select 1 from preview_artifacts a where a.object_key = o.key)
       and not exists (select 1 from preview_jobs j where j.id = o.owner_id and j.completed_at is null)
     when 'preview-sessions' then not exists (select 1 from preview_client_sessions s where s.id = o.owner_id)
     else true end`;

/** Contents that are stored and not known become known as condemned, and go the way of those. */
export const condemnStraysSql = `
  insert into source_blobs (project_id, sha256, size, condemned_at)
  select p.id, decode(o.sha256, 'hex'), o.size, now() from unnest($1::uuid[], $2::text[], $3::bigint[]) as o(project_id, sha256, size)
    join projects p on p.id = o.project_id and p.deleted_at is null
   order by p.id, o.sha256 on conflict (project_id, sha256) do nothing returning 1`;

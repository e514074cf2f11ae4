/** The SQL of previews, named after what it answers. Hashes travel as lower-case hex and are stored as 32 bytes. */
import type { Knex } from 'knex';
import { countBound, type Keyset } from '#platform/paging.ts';

export const jobByIdSql = 'select * from preview_jobs where id = $1 and deleted_at is null';
/** The same, deleted or not. */
export const jobByIdEverSql = 'select * from preview_jobs where id = $1';

/**
 * Which of these hashes the project already has, and with what size. Whoever is told so counts on it: what nobody asked for
 * in the last six hours is noted as used, and not told of where the sweep has condemned it before that (blobs-clean-up.ts).
 * Rows are held in one order, so that two at once do not lock each other out.
 */
export const knownBlobsSql = `
  with known as materialized (
    select sha256, size, last_used_at < now() - interval '6 hours' as is_stale from source_blobs
     where project_id = $1 and condemned_at is null and sha256 in (select decode(h, 'hex') from unnest($2::text[]) as h)
  ), held as materialized (
    select b.sha256 from source_blobs b join known k on k.sha256 = b.sha256
     where k.is_stale and b.project_id = $1 and b.condemned_at is null order by b.sha256 for no key update of b
  ), used as (
    update source_blobs b set last_used_at = now() from held h where b.project_id = $1 and b.sha256 = h.sha256 returning b.sha256
  )
  select encode(k.sha256, 'hex') as sha256, k.size from known k left join used u on u.sha256 = k.sha256 where not k.is_stale or u.sha256 is not null`;

/**
 * Takes condemned contents out of the sweep's reach, before they are stored anew: waits where it deletes their objects at
 * this moment, and has it find them no more.
 */
export const takeBackBlobsSql = `
  with back as materialized (
    select sha256 from source_blobs
     where project_id = $1 and condemned_at is not null and sha256 in (select decode(h, 'hex') from unnest($2::text[]) as h) order by sha256 for update
  )
  delete from source_blobs b using back where b.project_id = $1 and b.sha256 = back.sha256`;

export const holdProjectSql = 'select 1 from projects where id = $1 and deleted_at is null for share';

/** All files of a job in one statement, however many: 40,000 rows are one round trip. */
export const insertFilesSql = `
  insert into preview_job_files (job_id, path, sha256, size)
  select $1, f.path, decode(f.sha256, 'hex'), f.size from unnest($2::text[], $3::text[], $4::bigint[]) as f(path, sha256, size)`;

/** Verified contents the project has from now on. Said again, it changes nothing; in one order, so that two at once do not lock each other out. */
export const insertBlobsSql = `
  insert into source_blobs (project_id, sha256, size)
  select $1, decode(b.sha256, 'hex'), b.size from unnest($2::text[], $3::bigint[]) as b(sha256, size) order by b.sha256
  on conflict (project_id, sha256) do update set last_used_at = now(), condemned_at = null`;

/** Contents a job needs and its project does not have, each once, by hash, after a hash. */
export const missingBlobsSql = `
  select encode(f.sha256, 'hex') as sha256, max(f.size) as size
    from preview_job_files f
   where f.job_id = $1 and f.sha256 > decode($3, 'hex')
     and not exists (select 1 from source_blobs b where b.project_id = $2 and b.sha256 = f.sha256 and b.condemned_at is null)
   group by f.sha256 order by f.sha256 limit $4 offset $5`;

export const countMissingSql = `
  select count(distinct f.sha256) as total from preview_job_files f
   where f.job_id = $1 and not exists (select 1 from source_blobs b where b.project_id = $2 and b.sha256 = f.sha256 and b.condemned_at is null)`;

export const jobFilesSql = `
  select path, encode(sha256, 'hex') as sha256, size from preview_job_files where job_id = $1 order by path`;

/** How much of the tier's allowance the account has taken, in one pass over its newest jobs. */
export const previewUseSql = `
  select count(*) filter (where created_at > now() - interval '1 minute') as last_minute,
         count(*) filter (where created_at >= date_trunc('day', now() at time zone 'utc') at time zone 'utc') as today,
         extract(epoch from min(created_at) filter (where created_at > now() - interval '1 minute') + interval '1 minute' - now()) as minute_frees_in,
         extract(epoch from max(created_at) filter (where created_at > now() - interval '1 minute') + interval '1 minute' - now()) as minute_empty_in
    from preview_jobs where requested_by = $1 and created_at > now() - interval '25 hours'`;

export const openJobsSql = `
  select count(*) as open from preview_jobs
   where requested_by = $1 and status in ('queued', 'running') and queued_at is not null and deleted_at is null`;

/** A key stands for a day, and for a job that was not deleted. */
const keyStands = "created_at > now() - interval '24 hours' and deleted_at is null";
export const jobByKeySql = `select * from preview_jobs where requested_by = $1 and request_key_hash = $2 and ${keyStands}`;
/** Sets a key free that stands no more, so that it can be used anew. */
export const freeKeySql = `
  update preview_jobs set request_key_hash = null, request_body_hash = null
   where requested_by = $1 and request_key_hash = $2 and not (${keyStands})`;

export const logLinesSql = `
  select seq, level, message, at from preview_job_logs where job_id = $1 and seq > $2 order by seq limit $3 offset $4`;

const artifactOrder = "array_position(array['bundle', 'source_map', 'metadata', 'log', 'asset'], kind), path, encoding";
export const artifactsSql = `
  select kind, path, size, encode(sha256, 'hex') as sha256, encoding, content_type, object_key from preview_artifacts
   where job_id = $1 and ($2::text is null or kind = $2) and ($3::text is null or encoding = $3)
   order by ${artifactOrder} limit $4 offset $5`;

/** Of the project's latest jobs those that made something, so few that however many jobs it has, this costs the same. */
const [latestJobs, latestMade] = [20, 4];
/**
 * Of these (paths, encodings, hashes, sizes) those the project `$1` has the bytes of: an artifact of the same name that one
 * of its latest previews made, and whether they are a source. Artifacts are looked up by their names, sources by their
 * hashes, each by its key.
 */
export const reusableSql = `
  with latest as materialized (
    select id, created_at, status, deleted_at, unlinked_at from preview_jobs where project_id = $1 order by created_at desc, id desc limit ${latestJobs}
  ), earlier as materialized (
    select id, created_at from latest where status = 'succeeded' and deleted_at is null and unlinked_at is null order by created_at desc, id desc limit ${latestMade}
  ), made as materialized (
    select (place - 1)::integer as index, path, encoding, decode(sha256, 'hex') as sha256, size
      from unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) with ordinality as m(path, encoding, sha256, size, place)
  )
  select index, artifact_key, is_source from (
    select m.index,
           (select a.object_key from earlier e join preview_artifacts a on a.job_id = e.id and a.path = m.path and a.encoding = m.encoding
             where a.sha256 = m.sha256 and a.size = m.size order by e.created_at desc, e.id desc limit 1) as artifact_key,
           m.encoding = 'identity' and coalesce((select true from source_blobs b
             where b.project_id = $1 and b.sha256 = m.sha256 and b.size = m.size and b.condemned_at is null limit 1), false) as is_source
      from made m
  ) as found
   where artifact_key is not null or is_source order by index`;

export const countArtifactsSql = `
  select count(*) as total from preview_artifacts
   where job_id = $1 and ($2::text is null or kind = $2) and ($3::text is null or encoding = $3)`;

export const bundleKeySql = `
  select a.object_key from preview_artifacts a join preview_jobs j on j.id = a.job_id and coalesce(j.artifacts_expire_at > now(), true)
   where a.job_id = $1 and a.kind = 'bundle' and a.encoding = 'identity'`;

/** Which SDK sets the living workers hold. */
export const livingSetsSql = `
  select distinct jsonb_array_elements_text(capabilities -> 'sdk_versions') as version from worker_nodes
   where status = 'active' and last_heartbeat_at > now() - interval '45 seconds'`;

export const livingWorkersSql = `
  select count(*) as workers from worker_nodes
   where status = 'active' and last_heartbeat_at > now() - interval '45 seconds' and capabilities -> 'kinds' ? 'preview'`;

export interface JobFilters {
  readonly project_id?: string | undefined;
  readonly status?: string | undefined;
  readonly target_platform?: string | undefined;
  readonly mine: boolean;
}

function visible(knex: Knex, userId: string, only: readonly string[] | null, filters: JobFilters): Knex.QueryBuilder {
  const query = knex('preview_jobs as j')
    .join('projects as p', 'p.id', 'j.project_id')
    .leftJoin('team_members as tm', (on) => on.on('tm.team_id', 'p.team_id').andOnVal('tm.user_id', userId).andOnVal('tm.status', 'active'))
    .leftJoin('project_members as pm', (on) => on.on('pm.project_id', 'p.id').andOnVal('pm.user_id', userId).andOnVal('pm.status', 'active'))
    .whereNull('p.deleted_at')
    .whereNull('j.deleted_at')
    .where((who) => { who.where('p.owner_id', userId).orWhereNotNull('tm.id').orWhereNotNull('pm.id'); });
  if (only !== null) query.whereIn('j.project_id', only);
  if (filters.project_id !== undefined) query.where('j.project_id', filters.project_id);
  if (filters.status !== undefined) query.where('j.status', filters.status);
  if (filters.target_platform !== undefined) query.where('j.target_platform', filters.target_platform);
  if (filters.mine) query.where('j.requested_by', userId);
  return query;
}

export function listJobs(
  knex: Knex, userId: string, only: readonly string[] | null, filters: JobFilters, page: { limit: number; offset: number; after: Keyset | null },
): Knex.QueryBuilder {
  const query = visible(knex, userId, only, filters)
    .select('j.*')
    .orderBy([{ column: 'j.created_at', order: 'desc' }, { column: 'j.id', order: 'desc' }])
    .limit(page.limit + 1)
    .offset(page.offset);
  if (page.after !== null) query.whereRaw('(j.created_at, j.id) < (?, ?)', [page.after.at, page.after.id]);
  return query;
}

export function countJobs(knex: Knex, userId: string, only: readonly string[] | null, filters: JobFilters): Knex.QueryBuilder {
  const bounded = visible(knex, userId, only, filters).select(knex.raw('1')).limit(countBound + 1).as('bounded');
  return knex.from(bounded).count({ total: '*' });
}

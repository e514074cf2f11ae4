/** The SQL of looking at a preview by a token, named after what it answers. */
import { shareStandsSql } from './sharing-queries.ts';

/** $1 the job, $2 the share that the token rests on, or null: what decides whether it may be looked at, read at each use. */
export const viewedJobSql = `
  select j.*, p.name as project_name, p.deleted_at is not null as is_project_gone, j.deleted_at is not null as is_deleted,
         coalesce(j.artifacts_expire_at <= now(), false) as is_expired,
         ($2::uuid is null or coalesce((select ${shareStandsSql} from preview_shares s where s.id = $2 and s.job_id = j.id), false)) as is_shared
    from preview_jobs j join projects p on p.id = j.project_id
   where j.id = $1`;

/** Once a minute at most. */
export const noteViewSql = `
  update preview_shares set last_viewed_at = now() where id = $1 and (last_viewed_at is null or last_viewed_at < now() - interval '1 minute')`;

/** What a client downloads of a preview: the plain bundle and its assets. */
export const downloadsSql = `
  select kind, path, size, encode(sha256, 'hex') as sha256, object_key from preview_artifacts
   where job_id = $1 and encoding = 'identity' and kind in ('bundle', 'asset') order by path limit 5001`;

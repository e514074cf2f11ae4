/** The SQL of shares, named after what it answers. */

/** When a share `s` of a job `j` ends: with the artifacts, or before; after a year where nobody knows when those end. */
export const shareEndsSql = "coalesce(least(s.expires_at, j.artifacts_expire_at), s.created_at + interval '1 year')::timestamptz(3)";
/** Whether tokens may rest on it. */
export const shareStandsSql = `(s.revoked_at is null and ${shareEndsSql} > now())`;

const shareColumns = `
  s.id, s.job_id, s.project_id, s.shared_by, s.note, s.last_viewed_at, s.created_at, ${shareEndsSql} as expires_at,
  u.id as user_id, u.username, p.display_name, p.avatar_url`;
const shareTables = `
  preview_shares s join preview_jobs j on j.id = s.job_id join users u on u.id = s.user_id and u.deleted_at is null
    left join user_profiles p on p.user_id = u.id`;

export const shareByIdSql = `select ${shareColumns} from ${shareTables} where s.id = $1`;

/** Those that stand, newest first, after the row of ($2, $3). */
export const sharesSql = `
  select ${shareColumns} from ${shareTables}
   where s.job_id = $1 and ${shareStandsSql} and ($2::timestamptz is null or (s.created_at, s.id) < ($2, $3::uuid))
   order by s.created_at desc, s.id desc limit $4 offset $5`;

export const countSharesSql = `select count(*) as total from ${shareTables} where s.job_id = $1 and ${shareStandsSql}`;

/** Holds the job, so that of two who share it at once the second counts what the first did. */
export const holdJobSql = `
  select status, artifacts_expire_at, artifacts_expire_at <= now() as is_expired from preview_jobs
   where id = $1 and deleted_at is null for no key update`;

/** Shares of a person that ended by their time make room for a new one. */
export const endLapsedSql = `
  update preview_shares s set revoked_at = now() from preview_jobs j
   where s.job_id = $1 and s.user_id = $2 and s.revoked_at is null and j.id = s.job_id and ${shareEndsSql} <= now()`;

export const personSql = 'select id from users where id = $1 and deleted_at is null and suspended_at is null';

/** The newest share of a job with a person, of a project that is there. */
export const shareWithSql = `
  select s.id, s.project_id, ${shareStandsSql} as stands, greatest(0, extract(epoch from ${shareEndsSql} - now()))::float8 as seconds_left
    from preview_shares s join preview_jobs j on j.id = s.job_id and j.deleted_at is null
    join projects p on p.id = s.project_id and p.deleted_at is null
   where s.job_id = $1 and s.user_id = $2
   order by s.created_at desc, s.id desc limit 1`;

/** The previews of an account: jobs with what went into them and came out, and the sources of each project's latest one. */
import type { Database } from '#platform/database.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { batchSize, type ExportFiles, type ExportSection, firstId, inBatches, rowsById } from '../personal-data.ts';
import { blobKey } from './keys.ts';

const own = 'p.owner_id = $1 and p.deleted_at is null';

/** Those of the account's projects, and those it asked for elsewhere. */
const jobsSql = `
  select j.id, j.project_id, u.username as requested_by, j.tier, j.status, j.sdk_version, j.target_platform, j.device_type, j.entry_file, j.environment,
         j.env, j.dev, j.mirror_ref, j.commit, j.file_count, j.source_bytes, j.bundle_bytes, j.error_code, j.failure, j.timings, j.attempt,
         j.queued_at, j.started_at, j.completed_at, j.artifacts_expire_at, j.created_at
    from preview_jobs j join projects p on p.id = j.project_id join users u on u.id = j.requested_by
   where ((${own}) or j.requested_by = $1) and j.deleted_at is null and j.id > $2 order by j.id limit ${batchSize}`;

const ownJobsSql = `
  select j.id from preview_jobs j join projects p on p.id = j.project_id
   where ${own} and j.deleted_at is null and j.id > $2 order by j.id limit ${batchSize}`;

const filesSql = `
  select job_id, path, size, encode(sha256, 'hex') as sha256 from preview_job_files where job_id = $1 and path > $2 order by path limit ${batchSize}`;

const artifactsSql = `
  select a.id, a.job_id, a.kind, a.path, a.device_type, a.size, encode(a.sha256, 'hex') as sha256, a.encoding, a.content_type, a.created_at
    from preview_artifacts a where a.job_id = $1 and a.id > $2 order by a.id limit ${batchSize}`;

/** What the account shared, and what was shared with it; of the other person the name alone. */
const sharesSql = `
  select s.id, s.job_id, s.project_id, b.username as shared_by, w.username as shared_with, s.note, s.expires_at, s.revoked_at, s.last_viewed_at, s.created_at
    from preview_shares s join users b on b.id = s.shared_by join users w on w.id = s.user_id
   where (s.shared_by = $1 or s.user_id = $1) and s.id > $2 order by s.id limit ${batchSize}`;

const liveSql = `
  select id, project_id, job_id, status, revision, created_at, changed_at, completed_at from live_sessions
   where requested_by = $1 and id > $2 order by id limit ${batchSize}`;

const sessionsSql = `
  select id, project_id, kind, target_platform, dev_server_url, bundle_size, encode(bundle_sha256, 'hex') as bundle_sha256, uploaded_at, created_at, expires_at
    from preview_client_sessions where user_id = $1 and id > $2 order by id limit ${batchSize}`;

const logsSql = `
  select job_id, seq, level, message, at from preview_job_logs where job_id = $1 and seq > $2 order by seq limit ${batchSize}`;

/** Of each of the account's projects the job asked for last of those whose sources all came. */
const latestSql = `
  select p.id, (select j.id from preview_jobs j where j.project_id = p.id and j.queued_at is not null and j.deleted_at is null
                 order by j.created_at desc, j.id desc limit 1) as job_id
    from projects p where ${own} and p.id > $2 order by p.id limit ${batchSize}`;

export function previewSections(db: Database): ExportSection[] {
  /** The rows of each of the account's jobs, one job after the other. */
  const ofEachJob = <Row extends object>(rows: (jobId: string) => AsyncIterable<Row>) => async function* (userId: string): AsyncGenerator<Row> {
    for await (const { id } of rowsById(db, 'export.own_preview_jobs', ownJobsSql, userId)) yield* rows(id);
  };
  return [
    { name: 'preview_jobs', rows: (userId) => rowsById(db, 'export.preview_jobs', jobsSql, userId) },
    {
      name: 'preview_job_files',
      rows: ofEachJob((jobId) => inBatches<{ path: string }>((last) => db.named('export.preview_files', filesSql, [jobId, last?.path ?? '']))),
    },
    { name: 'preview_artifacts', rows: ofEachJob((jobId) => rowsById(db, 'export.preview_artifacts', artifactsSql, jobId)) },
    {
      name: 'preview_logs',
      rows: ofEachJob((jobId) => inBatches<{ seq: number }>((last) => db.named('export.preview_logs', logsSql, [jobId, last?.seq ?? 0]))),
    },
    { name: 'preview_sessions', rows: (userId) => rowsById(db, 'export.preview_sessions', sessionsSql, userId) },
    { name: 'live_sessions', rows: (userId) => rowsById(db, 'export.live_sessions', liveSql, userId) },
    { name: 'preview_shares', rows: (userId) => rowsById(db, 'export.preview_shares', sharesSql, userId) },
  ];
}

/** The sources of the account's projects as they were last sent: `files/<project>/<path>`. */
export const previewFiles = (db: Database, storage: ObjectStorage): ExportFiles => async function* (userId) {
  const latest = inBatches<{ id: string; job_id: string | null }>((last) => db.named('export.latest_previews', latestSql, [userId, last?.id ?? firstId]));
  for await (const { id: projectId, job_id: jobId } of latest) {
    if (jobId === null) continue;
    const files = inBatches<{ path: string; size: number; sha256: string }>((last) => db.named('export.preview_files', filesSql, [jobId, last?.path ?? '']));
    for await (const { path, size, sha256 } of files) {
      yield {
        path: `files/${projectId}/${path}`, size,
        async open(signal) {
          try {
            return (await storage.get(blobKey(projectId, sha256), { signal })).stream;
          } catch (error) {
            if (error instanceof StorageError && error.kind === 'not_found') return null;
            throw error;
          }
        },
      };
    }
  }
};

/** What is a preview's own in the life of a worker job. */
import { gzipSync } from 'node:zlib';
import type { Knex } from 'knex';
import type { JobArtifact, JobFailure, JobInput, JobLogLine, JobSource, PreviewFailure, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import type { JobEnding, JobKind, JobRow } from '#jobs/kinds.ts';
import { emit } from '#jobs/outbox.ts';
import type { JobWatch } from '#jobs/watch.ts';
import type { Call } from '#platform/call.ts';
import { mapInTurns } from '#platform/concurrency.ts';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { audit } from '../audit/audit.ts';
import type { TierService } from '../tiers/service.ts';
import { attemptPrefix } from './keys.ts';
import { countMissingSql, jobFilesSql } from './queries.ts';
import { checkResult, resultFields } from './results.ts';
import { reuseStored } from './reuse.ts';
import type { PreviewRow } from './rows.ts';
import type { PreviewSources } from './sources.ts';

/** More sources than this travel as a document of their own beside the claim. */
const inlineSources = 2_000;
const presignsAtOnce = 64;
/** A log beyond this is cut, and says so. */
const logBound = 10_000;

const limits = {
  max_bundle_bytes: 64 * 1024 * 1024,
  max_artifact_bytes: 512 * 1024 * 1024,
  max_artifacts: 5_000,
  max_memory_bytes: 2 * 1024 * 1024 * 1024,
  max_log_lines: logBound,
};

interface KindDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly sources: PreviewSources;
  readonly tiers: TierService;
  readonly watch: JobWatch;
}

export function previewKind({ db, storage, sources, tiers, watch }: KindDependencies): JobKind {
  const input = async (row: JobRow, validSeconds: number): Promise<JobInput> => {
    const job = row as PreviewRow;
    const files = await db.named<SourceFile>('previews.job_files', jobFilesSql, [job.id]);
    return inputOf({ storage, sources }, job, files, placeOf(job), validSeconds);
  };

  return {
    kind: 'preview',
    table: 'preview_jobs',
    stages: ['fetching', 'bundling', 'packaging', 'uploading'],
    objectPrefix: placeOf,
    reuse: (job, made, signal) => reuseStored({ db, storage }, job.project_id, made, signal),
    input,
    checkResult: (job, report) => checkResult(storage, placeOf(job), report, limits.max_bundle_bytes),
    resultFields,
    async endFields(job) {
      const days = (await tiers.limitsOf((job as PreviewRow).tier)).artifact_retention_days;
      return days === null ? {} : { artifacts_expire_at: { daysFromNow: days } };
    },
    keepArtifacts: (trx, job, artifacts) => keepArtifacts(trx, job as PreviewRow, artifacts),
    failureFields: (failure) => {
      const { fields, ...told } = failureFields(failure);
      return { ...told, fields: { ...fields, timings: failure.timings == null ? null : JSON.stringify(failure.timings) } };
    },
    isFinal: ({ kind }) => finalKinds.has(kind),
    lacks: (trx, job) => lacks(db, trx, job as PreviewRow),
    unendedFields: { failure: null, timings: null, bundle_bytes: null, artifacts_expire_at: null },
    begun: clearLog,
    appendLog,
    ending: (job) => endingOf(job as PreviewRow),
    ended: (trx, job, by) => tellEnd(trx, job as PreviewRow, by),
    changed: (jobId, how) => watch.changed(jobId, how),
  };
}

interface SourceFile { readonly path: string; readonly sha256: string; readonly size: number }

/** A build as it is asked of a worker: the job's choices, and these files. A list too long for the answer goes below `place`. */
export async function inputOf(
  { storage, sources }: Pick<KindDependencies, 'storage' | 'sources'>, job: PreviewRow, files: readonly SourceFile[], place: string, validSeconds: number,
): Promise<PreviewJobInput> {
  const items = await mapInTurns(files, presignsAtOnce, async ({ path, sha256, size }): Promise<JobSource> => ({
    path, sha256, size, url: await sources.presignGet(job.project_id, sha256, validSeconds),
  }));
  const inline = items.length <= inlineSources;
  return {
    kind: 'preview',
    project_id: job.project_id,
    sdk_version: job.sdk_version,
    target_platform: job.target_platform,
    entry_file: job.entry_file,
    environment: job.environment,
    env: { ...job.env },
    dev: job.dev,
    sources: {
      count: items.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      items: inline ? items : null,
      url: inline ? null : await writeSourceList(storage, `${place}sources.ndjson`, items, validSeconds),
    },
    limits,
  };
}

async function writeSourceList(storage: ObjectStorage, key: string, items: readonly JobSource[], validSeconds: number): Promise<string> {
  const body = gzipSync(items.map((item) => JSON.stringify(item)).join('\n'), { level: 1 });
  await storage.put(key, body, { contentType: 'application/x-ndjson', contentEncoding: 'gzip', maxBytes: body.length });
  return storage.presignGet(key, { expiresSeconds: validSeconds });
}

const placeOf = (job: JobRow): string => attemptPrefix(job.project_id, job.id, job.attempt);

async function keepArtifacts(trx: Knex.Transaction, job: PreviewRow, artifacts: readonly JobArtifact[]): Promise<void> {
  const rows = artifacts.map((artifact) => ({
    id: newId(),
    job_id: job.id,
    object_key: artifact.object_key,
    kind: artifact.kind,
    path: artifact.path,
    device_type: job.device_type,
    size: artifact.size,
    sha256: Buffer.from(artifact.sha256, 'hex'),
    encoding: artifact.encoding,
    content_type: contentTypeOf(artifact),
  }));
  for (let start = 0; start < rows.length; start += 500) {
    await trx('preview_artifacts').insert(rows.slice(start, start + 500)).onConflict(['job_id', 'path', 'encoding']).merge();
  }
}

function contentTypeOf(artifact: JobArtifact): string {
  if (artifact.kind === 'bundle') return 'application/javascript';
  if (artifact.kind === 'source_map' || artifact.kind === 'metadata') return 'application/json';
  return artifact.kind === 'log' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
}

const previewKinds = new Set<string>([
  'build_error', 'unknown_import', 'missing_file', 'timeout', 'too_large', 'out_of_memory', 'crashed', 'storage_unavailable', 'sdk_unavailable', 'worker_lost',
]);

/** The same sources fail the same way again. */
const finalKinds: ReadonlySet<string> = new Set<JobFailure['kind']>(['build_error', 'unknown_import', 'missing_file', 'timeout', 'too_large', 'out_of_memory', 'invalid_input']);

/** A build needs its project, itself, and every source. */
async function lacks(db: Database, trx: Knex.Transaction, job: PreviewRow): Promise<string | null> {
  const project = await trx('projects').where({ id: job.project_id }).whereNull('deleted_at').forShare().first('id');
  if (project === undefined) return 'Its project is gone.';
  if (job.deleted_at !== null) return 'It was deleted.';
  if (job.unlinked_at !== null) return 'Its sources have expired.';
  const [missing] = await db.namedIn<{ total: number }>(trx, 'previews.count_missing', countMissingSql, [job.id, job.project_id]);
  return (missing?.total ?? 0) > 0 || job.file_count === 0 ? 'Its sources are gone.' : null;
}

export function failureFields(failure: JobFailure): ReturnType<JobKind['failureFields']> {
  const kind = previewKinds.has(failure.kind) ? (failure.kind as PreviewFailure['kind']) : 'crashed';
  const code = codeOf(kind);
  const told: PreviewFailure = {
    code,
    kind,
    message: failure.message,
    file: failure.file ?? null,
    line: failure.line ?? null,
    column: failure.column ?? null,
    code_frame: failure.code_frame ?? null,
    import_name: failure.import_name ?? null,
  };
  return { status: kind === 'timeout' ? 'timed_out' : 'failed', error_code: code, fields: { failure: JSON.stringify(told) } };
}

function codeOf(kind: PreviewFailure['kind']): PreviewFailure['code'] {
  if (kind === 'timeout') return 'PREVIEW_TIMEOUT';
  if (kind === 'storage_unavailable') return 'STORAGE_ERROR';
  return kind === 'crashed' || kind === 'worker_lost' ? 'INTERNAL_ERROR' : 'PREVIEW_BUILD_FAILED';
}

/** A new attempt writes its log from the beginning; what the one before wrote was to be read until now. */
async function clearLog(trx: Knex.Transaction, job: JobRow): Promise<void> {
  await trx('preview_job_logs').where({ job_id: job.id }).delete();
  await trx('preview_jobs').where({ id: job.id }).update({ log_lines: 0 });
}

/** Lines know their place by the offset, so that a report that comes again adds nothing and takes nothing away. */
async function appendLog(trx: Knex.Transaction, job: JobRow, offset: number, lines: readonly JobLogLine[]): Promise<void> {
  const room = lines.slice(0, Math.max(0, logBound - offset));
  if (room.length === 0) return;
  const rows = room.map((line, index) => ({ job_id: job.id, seq: offset + index + 1, level: line.level, message: line.message, at: line.at }));
  await trx('preview_job_logs').insert(rows).onConflict(['job_id', 'seq']).ignore();
  await trx('preview_jobs').where({ id: job.id }).update({ log_lines: trx.raw('greatest(log_lines, ?)', [offset + room.length]) });
}

function endingOf(job: PreviewRow): JobEnding {
  const type = job.status === 'succeeded' ? 'preview.succeeded' : job.status === 'cancelled' ? 'preview.cancelled' : 'preview.failed';
  const data = { status: job.status, error_code: job.error_code, target_platform: job.target_platform, attempt: job.attempt };
  return {
    audit: { event_type: type, entity_type: 'preview_job', entity_id: job.id, project_id: job.project_id, data },
    // A job that was put back and ends again is told of again: its ends are told apart by the epoch.
    event: { type, entityId: job.id, projectId: job.project_id, userId: job.requested_by, data: { ...data, epoch: job.epoch } },
  };
}

async function tellEnd(trx: Knex.Transaction, job: PreviewRow, by: Call | null): Promise<void> {
  const ending = endingOf(job);
  await audit(trx, by, ending.audit);
  if (ending.event !== null) await emit(trx, ending.event);
}

import type { PreviewFailure, PreviewJob, PreviewReachedTimings } from '#generated/sdk/types.gen.ts';
import type { JobRow } from '#jobs/kinds.ts';

/** A row of `preview_jobs`. */
export interface PreviewRow extends JobRow {
  readonly tier: PreviewJob['tier'];
  readonly sdk_version: string;
  readonly target_platform: PreviewJob['target_platform'];
  readonly device_type: string | null;
  readonly entry_file: string;
  readonly environment: PreviewJob['environment'];
  readonly env: Readonly<Record<string, string>>;
  readonly dev: boolean;
  readonly mirror_ref: string | null;
  readonly commit: string | null;
  readonly file_count: number;
  readonly missing_count: number;
  readonly source_bytes: number;
  readonly bundle_bytes: number | null;
  readonly failure: PreviewFailure | null;
  readonly timings: PreviewReachedTimings | null;
  readonly artifacts_expire_at: string | null;
  /** When it went out of the API's reach: its objects go, and it never runs again. */
  readonly unlinked_at: string | null;
  readonly deleted_at: string | null;
  readonly log_lines: number;
  readonly request_body_hash: Buffer | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** The job as the contract shows it. */
export function presentJob(row: PreviewRow): PreviewJob {
  return {
    id: row.id,
    project_id: row.project_id,
    requested_by: row.requested_by,
    tier: row.tier,
    status: row.status,
    awaiting_upload: row.status === 'queued' && row.queued_at === null,
    missing_count: row.missing_count,
    stage: row.stage as PreviewJob['stage'],
    progress: row.progress,
    sdk_version: row.sdk_version,
    target_platform: row.target_platform,
    device_type: row.device_type,
    entry_file: row.entry_file,
    environment: row.environment,
    dev: row.dev,
    mirror_ref: row.mirror_ref,
    commit: row.commit,
    attempt: row.attempt,
    worker_id: row.worker_id,
    error: row.failure,
    file_count: row.file_count,
    source_bytes: row.source_bytes,
    bundle_bytes: row.bundle_bytes,
    timings: {
      queued_ms: between(row.queued_at, row.started_at),
      fetching_ms: row.timings?.fetching_ms ?? null,
      bundling_ms: row.timings?.bundling_ms ?? null,
      packaging_ms: row.timings?.packaging_ms ?? null,
      uploading_ms: row.timings?.uploading_ms ?? null,
      total_ms: between(row.started_at, row.completed_at),
    },
    queued_at: row.queued_at,
    started_at: row.started_at,
    completed_at: row.completed_at,
    artifacts_expire_at: row.artifacts_expire_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

/** Milliseconds from one time to another; null where either has not come. */
function between(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Math.max(0, Date.parse(to) - Date.parse(from));
}

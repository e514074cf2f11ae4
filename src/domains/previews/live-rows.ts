import type { LiveRevision, LiveSession, PreviewFailure } from '#generated/sdk/types.gen.ts';
import type { JobRow } from '#jobs/kinds.ts';
import type { Tier } from '#platform/call.ts';

/** Nobody edits for longer without a look at something else; then a new one is opened. */
export const longestSeconds = 4 * 3_600;

/** A row of `live_sessions`, with the platform of the preview it began with. */
export interface LiveRow extends JobRow {
  readonly job_id: string;
  readonly tier: Tier;
  readonly revision: number;
  readonly idle_seconds: number;
  readonly changed_at: string;
  readonly live_at: string | null;
  readonly failure: PreviewFailure | null;
  readonly target_platform: LiveSession['target_platform'];
  readonly created_at: string;
  readonly updated_at: string;
}

export interface RevisionRow {
  readonly session_id: string;
  readonly revision: number;
  readonly status: LiveRevision['status'];
  readonly object_key: string | null;
  readonly bundle_size: number | null;
  readonly bundle_sha256: string | null;
  readonly map_key: string | null;
  readonly assets: readonly StoredAsset[];
  readonly duration_ms: number | null;
  readonly failure: PreviewFailure | null;
  readonly created_at: string;
}

/** A file that a revision's bundle refers to and the session's preview does not hold. */
export interface StoredAsset {
  readonly path: string;
  readonly object_key: string;
  readonly size: number;
  readonly sha256: string;
}

/** Where what a revision made can be had; of one that is not ready, nothing. */
export type RevisionUrls = Pick<LiveRevision, 'bundle_url' | 'source_map_url' | 'assets'>;
export const noUrls: RevisionUrls = { bundle_url: null, source_map_url: null, assets: [] };

/** What a revision changed, until it is part of the session's files. */
export interface Changes {
  readonly written: readonly { readonly path: string; readonly sha256: string; readonly size: number }[];
  readonly removed: readonly string[];
}

export function presentSession(row: LiveRow): LiveSession {
  return {
    id: row.id,
    project_id: row.project_id,
    user_id: row.requested_by,
    job_id: row.job_id,
    target_platform: row.target_platform,
    status: row.completed_at !== null ? 'ended' : row.live_at === null ? 'starting' : 'live',
    revision: row.revision,
    idle_seconds: row.idle_seconds,
    created_at: row.created_at,
    updated_at: row.updated_at,
    ended_at: row.completed_at,
  };
}

export function presentRevision(row: RevisionRow, urls: RevisionUrls): LiveRevision {
  return {
    live_id: row.session_id,
    revision: row.revision,
    status: row.status,
    ...urls,
    bundle_size: row.bundle_size,
    bundle_sha256: row.bundle_sha256,
    duration_ms: row.duration_ms,
    error: row.failure,
    created_at: row.created_at,
  };
}

import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { allowByCredential } from '../policy.ts';
import type { PreviewRow } from './rows.ts';
import { previewCaller } from './preview-caller.ts';
import { noteViewSql, viewedJobSql } from './view-queries.ts';

export interface ViewedJob extends PreviewRow {
  readonly project_name: string;
  readonly is_project_gone: boolean;
  readonly is_deleted: boolean;
  readonly is_expired: boolean;
  readonly is_shared: boolean;
}

/**
 * The preview of the view token that asks, read from PostgreSQL at each use: NOT_FOUND where its project is gone, GONE where it was
 * deleted, its artifacts have expired or the share was revoked. One statement, and one more for a share.
 */
export async function viewedJob(db: Database, call: Call): Promise<ViewedJob> {
  const { jobId, shareId, purpose } = previewCaller(call);
  // A token is the right to what it names.
  allowByCredential(call);
  if (jobId === null || purpose !== 'view') throw notFound();
  const [job] = await db.named<ViewedJob>('previews.viewed_job', viewedJobSql, [jobId, shareId]);
  if (job === undefined || job.is_project_gone) throw notFound();
  if (job.is_deleted) throw gone('deleted', 'This preview was deleted.');
  if (!job.is_shared) throw gone('revoked', 'This preview is not shared with you any more.');
  if (job.is_expired) throw gone('expired', 'The artifacts of this preview have expired. Whoever made it can build it again.');
  if (shareId !== null) await db.named('previews.note_view', noteViewSql, [shareId]);
  return job;
}

/** The same once more, for whoever follows it: null where it may not be looked at any more. */
export async function lookAgain(db: Database, call: Call): Promise<ViewedJob | null> {
  const { jobId, shareId } = previewCaller(call);
  const [job] = await db.named<ViewedJob>('previews.viewed_job', viewedJobSql, [jobId, shareId]);
  return job === undefined || job.is_project_gone || job.is_deleted || !job.is_shared || job.is_expired ? null : job;
}

/** Says why in a word, so that a page can say what to do about it. */
const gone = (why: string, message: string): ServiceError => new ServiceError('GONE', message, { details: { gone: why } });

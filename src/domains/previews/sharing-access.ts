import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { allowByCredential, requireRoleOn, requireSelf } from '../policy.ts';
import { shareWithSql } from './sharing-queries.ts';

interface ShareView { readonly id: string; readonly project_id: string; readonly stands: boolean; readonly seconds_left: number }
/** What somebody who is not in the project looks by. */
export interface SharedView { readonly id: string; readonly secondsLeft: number }

/**
 * Allows the call of whoever may look at a preview: members of its project (null), and the person it is shared with.
 * NOT_FOUND for everybody else; GONE where it was shared with the caller and is no more.
 */
export async function requireViewOf(db: Database, call: Call, jobId: string): Promise<SharedView | null> {
  try {
    await requireRoleOn(db, call, 'preview_job', jobId);
    return null;
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'NOT_FOUND') throw error;
    const [share] = await db.named<ShareView>('previews.share_with', shareWithSql, [jobId, requireSelf(call)]);
    if (share === undefined || !reaches(call, share.project_id)) throw error;
    if (!share.stands) throw new ServiceError('GONE', 'This preview is not shared with you any more.');
    // The share is the right: it names the caller.
    allowByCredential(call);
    return { id: share.id, secondsLeft: share.seconds_left };
  }
}

/** An API key for certain projects sees only those, shares or not. */
const reaches = ({ caller }: Call, projectId: string): boolean =>
  caller.kind !== 'api_key' || caller.projectIds === null || caller.projectIds.includes(projectId);

import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { allowByCredential } from '../policy.ts';
import { newestReadySql, viewedSessionSql } from './live-queries.ts';
import type { LiveRow, RevisionRow } from './live-rows.ts';
import type { PreviewRow } from './rows.ts';
import { previewCaller } from './preview-caller.ts';

export interface ViewedLiveSession extends LiveRow, Pick<PreviewRow, 'sdk_version' | 'environment' | 'dev'> {
  readonly project_name: string;
  readonly is_project_gone: boolean;
}

/**
 * The live session whose token asks: NOT_FOUND where its project is gone, GONE once it has ended or was never there. Of a
 * token that is for a session; one statement.
 */
export async function viewedLiveSession(db: Database, call: Call): Promise<ViewedLiveSession> {
  const { sessionId } = previewCaller(call);
  // A token is the right to the session it names.
  allowByCredential(call);
  const [session] = await db.named<ViewedLiveSession>('live.viewed_session', viewedSessionSql, [sessionId]);
  if (session?.is_project_gone === true) throw notFound();
  if (session === undefined || session.completed_at !== null) throw new ServiceError('GONE', 'This session is over. Open a new one.');
  return session;
}

/** Its newest revision that is ready; null while there is none. */
export async function newestReady(db: Database, sessionId: string): Promise<RevisionRow | null> {
  const [row] = await db.named<RevisionRow>('live.newest_ready', newestReadySql, [sessionId]);
  return row ?? null;
}

import type { Sweep } from '#jobs/scheduled.ts';
import type { Database } from '#platform/database.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { type ErasureStage, untilNoneIsLeft } from '../personal-data.ts';
import { sessionPrefix } from './keys.ts';
import { endedSessionsSql, forgetSessionsSql, sessionsOfAccountSql } from './sessions-queries.ts';

interface Ended { readonly id: string; readonly project_id: string }

const atOnce = 100;

/** Bytes first, then the row: where storage is away, the next turn finds both. */
async function forget(db: Database, storage: ObjectStorage, ended: readonly Ended[]): Promise<number> {
  for (const { id, project_id } of ended) await storage.deletePrefix(sessionPrefix(project_id, id));
  if (ended.length > 0) await db.named('previews.forget_sessions', forgetSessionsSql, [ended.map(({ id }) => id)]);
  return ended.length;
}

/** Sessions that are over, with their bundles. */
export const sweepSessions = (db: Database, storage: ObjectStorage): Sweep => ({
  name: 'preview_client_sessions', everySeconds: 600,
  run: (signal) => untilNoneIsLeft(signal, async () => forget(db, storage, await db.named<Ended>('previews.ended_sessions', endedSessionsSql, [atOnce]))),
});

/** The sessions of an account, wherever they are, with their bundles. */
export const previewClientSessions = (db: Database, storage: ObjectStorage): ErasureStage => ({
  name: 'preview_client_sessions',
  run: (userId, signal) => untilNoneIsLeft(signal, async () => forget(db, storage, await db.named<Ended>('previews.sessions_of_account', sessionsOfAccountSql, [userId, atOnce]))),
});

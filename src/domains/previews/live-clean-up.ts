import type { JobKind } from '#jobs/kinds.ts';
import { cancel } from '#jobs/leases.ts';
import type { Sweep } from '#jobs/scheduled.ts';
import { type Database, transact } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { type ErasureStage, untilNoneIsLeft } from '../personal-data.ts';
import { livePrefix } from './keys.ts';
import { longestSeconds } from './live-rows.ts';
import { dropBundleSql, forgetSessionsSql, forgottenSql, idleSql, markSweptSql, sessionsOfAccountSql, staleBundlesSql, sweptSql } from './live-queries.ts';

interface Session { readonly id: string; readonly project_id: string }

const atOnce = 100;

/** Sessions that nobody edits, or that have lasted as long as one may: ended, and their worker told, which gives its process to others. */
export const sweepIdleSessions = (db: Database, kind: JobKind): Sweep => ({
  name: 'live_sessions_idle', everySeconds: 30,
  run: (signal) => untilNoneIsLeft(signal, async () => {
    const idle = await db.named<{ id: string }>('live.idle', idleSql, [atOnce, longestSeconds]);
    for (const { id } of idle) {
      await transact(db, null, (trx) => cancel(trx, kind, id, null));
      kind.changed(id);
    }
    return idle.length;
  }),
});

/** What sessions made: bundles that no URL leads to any more, then what is left of ended sessions, then their rows; of those that died a month later. */
export const sweepLiveSessions = (db: Database, storage: ObjectStorage): Sweep => ({
  name: 'live_sessions', everySeconds: 600,
  async run(signal) {
    const stale = await untilNoneIsLeft(signal, async () => {
      const bundles = await db.named<{ session_id: string; revision: number; object_keys: string[] }>('live.stale_bundles', staleBundlesSql, [atOnce]);
      for (const { session_id: id, revision, object_keys: keys } of bundles) {
        for (const key of keys) await storage.delete(key);
        await db.named('live.drop_bundle', dropBundleSql, [id, revision]);
      }
      return bundles.length;
    });
    const swept = await untilNoneIsLeft(signal, async () => {
      const ended = await db.named<Session>('live.swept', sweptSql, [atOnce]);
      for (const { id, project_id } of ended) await storage.deletePrefix(livePrefix(project_id, id));
      if (ended.length > 0) await db.named('live.mark_swept', markSweptSql, [ended.map(({ id }) => id)]);
      return ended.length;
    });
    return stale + swept + await deleteInBatches(db, 'live.forgotten', forgottenSql, signal);
  },
});

/** The sessions of an account, wherever they are, with what they made. They have ended with it. */
export const liveSessions = (db: Database, storage: ObjectStorage): ErasureStage => ({
  name: 'live_sessions',
  run: (userId, signal) => untilNoneIsLeft(signal, async () => {
    const sessions = await db.named<Session>('live.of_account', sessionsOfAccountSql, [userId, atOnce]);
    for (const { id, project_id } of sessions) await storage.deletePrefix(livePrefix(project_id, id));
    if (sessions.length > 0) await db.named('live.forget', forgetSessionsSql, [sessions.map(({ id }) => id)]);
    return sessions.length;
  }),
});

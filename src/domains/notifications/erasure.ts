import type { Database } from '#platform/database.ts';
import { batchSize, type ErasureStage, eraseRows, untilNoneIsLeft } from '../personal-data.ts';
import type { ProjectErasureStage } from '../project-data.ts';

/** What somebody wrote to those they shared previews with. The rows themselves are those people's. */
const forgetNotesSql = `
  update notifications set payload = payload || '{"note": null}'
   where id in (select id from notifications where type = 'preview.shared' and payload->>'shared_by' = $1 and payload->>'note' is not null limit ${batchSize})
  returning 1`;

/** What the account was told, how it wished to be, and what others were told in its words. */
export const notificationRows = (db: Database): ErasureStage => ({
  name: 'notifications',
  async run(userId, signal) {
    const forgotten = await untilNoneIsLeft(signal, async () => (await db.named('erasure.share_notes', forgetNotesSql, [userId])).length);
    const erased = await eraseRows(db, 'notifications', 'user_id = $1', userId, signal);
    return forgotten + erased + await eraseRows(db, 'notification_preferences', 'user_id = $1', userId, signal);
  },
});

/** What anybody was told of a project. */
export const projectNotifications = (db: Database): ProjectErasureStage => ({
  name: 'notifications',
  run: (projectId, signal) => eraseRows(db, 'notifications', 'project_id = $1', projectId, signal),
});

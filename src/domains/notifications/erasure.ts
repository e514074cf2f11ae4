import type { Database } from '#platform/database.ts';
import { type ErasureStage, eraseRows } from '../personal-data.ts';
import type { ProjectErasureStage } from '../project-data.ts';

/** What the account was told, and how it wished to be. */
export const notificationRows = (db: Database): ErasureStage => ({
  name: 'notifications',
  async run(userId, signal) {
    const erased = await eraseRows(db, 'notifications', 'user_id = $1', userId, signal);
    return erased + await eraseRows(db, 'notification_preferences', 'user_id = $1', userId, signal);
  },
});

/** What anybody was told of a project. */
export const projectNotifications = (db: Database): ProjectErasureStage => ({
  name: 'notifications',
  run: (projectId, signal) => eraseRows(db, 'notifications', 'project_id = $1', projectId, signal),
});

import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, rowsById } from '../personal-data.ts';

const notificationsSql = `
  select id, project_id, type, payload, in_app, read_at, created_at
    from notifications where user_id = $1 and id > $2 order by id limit ${batchSize}`;

export const notificationSection = (db: Database): ExportSection => ({
  name: 'notifications',
  rows: (userId) => rowsById(db, 'export.notifications', notificationsSql, userId),
});

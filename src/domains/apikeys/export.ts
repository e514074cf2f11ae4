import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, rowsById } from '../personal-data.ts';

const keysSql = `
  select id, name, prefix, last_four, scopes, project_ids, expires_at, revoked_at, replaced_by, last_used_at, created_at, updated_at
    from api_keys where user_id = $1 and id > $2 order by id limit ${batchSize}`;

/** The keys as their owner knows them; neither keys nor their hashes. */
export const apiKeySection = (db: Database): ExportSection => ({
  name: 'api_keys',
  rows: (userId) => rowsById(db, 'export.api_keys', keysSql, userId),
});

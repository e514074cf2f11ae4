import type { Database } from '#platform/database.ts';
import { type ErasureStage, eraseRows } from '../personal-data.ts';

const untieSql = 'update api_keys set replaced_by = null where user_id = $1 and replaced_by is not null';

export const apiKeyRows = (db: Database): ErasureStage => ({
  name: 'api_keys',
  async run(userId, signal) {
    // A key and the one that replaced it need not be of one batch.
    await db.named('erasure.untie_api_keys', untieSql, [userId]);
    return eraseRows(db, 'api_keys', 'user_id = $1', userId, signal);
  },
});

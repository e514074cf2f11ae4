import type { Sweep } from '#jobs/scheduled.ts';
import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';
import { expireSql, forgetSql } from './queries.ts';

/** Ends invitations whose seven days are over, and forgets those that ended a year ago. */
export const sweepInvitations = (db: Pick<Database, 'named'>): Sweep => ({
  name: 'invitations',
  run: async (signal) => (await deleteInBatches(db, 'invitations.expire', expireSql, signal)) + (await deleteInBatches(db, 'invitations.forget', forgetSql, signal)),
});

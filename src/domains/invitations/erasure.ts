import type { Database } from '#platform/database.ts';
import { batchSize, type ErasureStage, eraseRows, untilNoneIsLeft } from '../personal-data.ts';
import type { ProjectErasureStage } from '../project-data.ts';

const withdrawSql = `
  with batch as (select id from invitations where invited_by = $1 limit ${batchSize} for update)
  update invitations i set invited_by = null from batch where i.id = batch.id returning i.id`;

/** What was to the account or to its address; what it sent to others stays theirs, without its name. While the address is known. */
export const invitationRows = (db: Database): ErasureStage => ({
  name: 'invitations',
  async run(userId, signal) {
    const erased = await eraseRows(db, 'invitations', 'user_id = $1', userId, signal)
      + await eraseRows(db, 'invitations', 'lower(email) = (select lower(email) from users where id = $1)', userId, signal);
    return erased + await untilNoneIsLeft(signal, async () => (await db.named('erasure.withdraw_invitations', withdrawSql, [userId])).length);
  },
});

/** Invitations into a project and transfers of it, open and ended. */
export const projectInvitations = (db: Database): ProjectErasureStage => ({
  name: 'invitations',
  run: (projectId, signal) => eraseRows(db, 'invitations', 'project_id = $1', projectId, signal),
});

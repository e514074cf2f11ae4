/** How what was sent for a project goes: with the project, with an endpoint that was deleted. */
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';
import type { Database } from '#platform/database.ts';
import type { Sweep } from '#jobs/scheduled.ts';
import { eraseRows } from '../personal-data.ts';
import type { ProjectErasureStage } from '../project-data.ts';

const deliveries = 'webhook_id in (select id from webhook_endpoints where project_id = $1)';
const inOrder = [['webhook_deliveries', deliveries], ['webhook_messages', 'project_id = $1'], ['webhook_endpoints', 'project_id = $1']] as const;
/** But that the project was deleted, and whom that is told. */
const butTheLastWord = [['webhook_deliveries', `${deliveries} and event_type <> 'project.deleted'`], ['webhook_messages', "project_id = $1 and type <> 'project.deleted'"]] as const;

/**
 * A project's endpoints with what was sent to them; attempts go with their deliveries. That it was deleted is still told
 * after the first round, and tried again until the second: for three hours.
 */
export const projectWebhooks = (db: Database): ProjectErasureStage => ({
  name: 'webhooks',
  async run(projectId, signal, isLast = true) {
    let erased = 0;
    for (const [table, condition] of isLast ? inOrder : butTheLastWord) erased += await eraseRows(db, table, condition, projectId, signal);
    return erased;
  },
});

const deliveriesOfDeletedSql = `
  delete from webhook_deliveries where id in (
    select d.id from webhook_deliveries d join webhook_endpoints e on e.id = d.webhook_id and e.deleted_at is not null limit $1 for update of d skip locked)
  returning 1`;
const deletedSql = `
  delete from webhook_endpoints where id in (
    select e.id from webhook_endpoints e
     where e.deleted_at is not null and not exists (select from webhook_deliveries d where d.webhook_id = e.id) limit $1 for update skip locked)
  returning 1`;
const lapsedSecretsSql = `
  update webhook_endpoints set previous_secret = null, previous_secret_key_id = null, previous_secret_expires_at = null
   where id in (select id from webhook_endpoints where previous_secret_expires_at < now() limit $1 for update skip locked)
  returning 1`;

/** Endpoints that were deleted, with their deliveries, and former secrets whose overlap is over. */
export const sweepWebhooks = (db: Database): Sweep => ({
  name: 'webhooks',
  async run(signal) {
    const gone = await deleteInBatches(db, 'webhooks.sweep_deliveries', deliveriesOfDeletedSql, signal);
    const endpoints = await deleteInBatches(db, 'webhooks.sweep', deletedSql, signal);
    return gone + endpoints + await deleteInBatches(db, 'webhooks.sweep_secrets', lapsedSecretsSql, signal);
  },
});

/** What was sent is kept for a while, to be seen and sent again: then it is swept. */
import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';
import type { Sweep } from '#jobs/scheduled.ts';
import { keptDays } from './deliveries-queries.ts';

/** Attempts go with their deliveries. All have ended by then: the last attempt is made within four days. */
const deliveriesSql = `
  delete from webhook_deliveries where id in (
    select id from webhook_deliveries where created_at < now() - interval '${keptDays} days' order by created_at limit $1 for update skip locked)
  returning 1`;

/** A message that was sent again stays for as long as that delivery does. */
const messagesSql = `
  delete from webhook_messages where id in (
    select m.id from webhook_messages m
     where m.created_at < now() - interval '${keptDays} days'
       and not exists (select from webhook_deliveries d where d.event_id = m.id and d.event_type = m.type)
     order by m.created_at limit $1 for update skip locked)
  returning 1`;

/** Deliveries with their attempts, and messages that no delivery is left of. */
export const sweepDeliveries = (db: Database): Sweep => ({
  name: 'webhook_deliveries',
  everySeconds: 3_600,
  async run(signal) {
    const gone = await deleteInBatches(db, 'webhooks.sweep_old', deliveriesSql, signal);
    return gone + await deleteInBatches(db, 'webhooks.sweep_messages', messagesSql, signal);
  },
});

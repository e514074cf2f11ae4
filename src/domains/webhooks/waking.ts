import type { Knex } from 'knex';

/** The channel on which senders hear that something waits to be sent. */
export const deliveriesChannel = 'webhook_deliveries';

/** In the transaction that adds deliveries: upon its commit the senders look at once, and not only when they look next. */
export async function wakeDeliveries(trx: Knex.Transaction): Promise<void> {
  await trx.raw(`select pg_notify('${deliveriesChannel}', '')`);
}

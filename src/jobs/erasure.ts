import type { Database } from '#platform/database.ts';

/** Events of the account that were sent; what was not sent yet goes within a day of it. */
const eventsSql = `
  with gone as (
    select id from outbox where kind = 'event' and sent_at is not null and (payload ->> 'userId' = $1 or payload ->> 'entityId' = $1)
     limit 1000 for update
  )
  delete from outbox using gone where outbox.id = gone.id returning 1`;

/** Mails to the account that nobody could deliver until now, or ever: its address lies in their payload, or is read when they are sent. */
const mailsSql = `
  with gone as (
    select j.id from system_jobs j join users u on u.id = $1::uuid
     where j.kind = 'mail.send' and (j.status = 'queued' or j.died_at is not null)
       and (j.payload::text like '%' || u.id || '%' or position(lower(u.email) in lower(j.payload::text)) > 0)
     limit 1000 for update of j
  )
  delete from system_jobs using gone where system_jobs.id = gone.id returning 1`;

/** A stage of the erasure of an account: what the job platform keeps of it for some days. Reads the address, so before it goes. */
export const jobErasure = (db: Pick<Database, 'named'>): { name: string; run(userId: string, signal: AbortSignal): Promise<number> } => ({
  name: 'jobs',
  async run(userId, signal) {
    let erased = 0;
    for (const [name, sql] of [['events', eventsSql], ['mails', mailsSql]] as const) {
      for (let count = 1; count > 0; erased += count) {
        signal.throwIfAborted();
        count = (await db.named(`erasure.${name}`, sql, [userId])).length;
      }
    }
    return erased;
  },
});

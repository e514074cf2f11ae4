/**
 * One mail that tells a person all that was to be mailed and need not be at once. A run of the schedule takes everybody's
 * notifications that wait, gives each person's an id, and adds one mail for it in the same transaction: what is taken is
 * mailed, once, however often the run or the mail is begun again. What the mail says is looked up when it is sent.
 */
import type { Knex } from 'knex';
import { type MailTemplate, mailSendKind } from '#jobs/mail-job.ts';
import type { ScheduledJob } from '#jobs/scheduled.ts';
import { addSystemJobs, type SystemJobKind } from '#jobs/system-jobs.ts';
import { type Database, transact } from '#platform/database.ts';
import { type Digested, lineOf } from './digest-lines.ts';
import { mayOpenSql } from './queries.ts';

export const digestMail = 'notifications.digest';
const kindName = 'notifications.gather_digests';

/** How long somebody waits for a mail at most. */
const everySeconds = 900;
const peopleAtOnce = 200;
/** As many as anybody reads in a mail; of the others it says how many. */
const mostLines = 20;

/** In the order in which marking all read takes them: two that meet wait for each other at most. */
const gatherSql = `
  with people as materialized (
    select user_id, gen_random_uuid() as digest_id from (select distinct user_id from notifications where awaits_digest order by user_id limit $1) waiting
  ), rows as (
    select n.id, p.digest_id from people p join notifications n on n.user_id = p.user_id and n.awaits_digest
     order by n.user_id, n.created_at desc, n.id desc for no key update of n
  ), gathered as (
    update notifications n set awaits_digest = false, digest_id = rows.digest_id from rows where n.id = rows.id and n.awaits_digest returning n.digest_id
  )
  select distinct digest_id from gathered`;

/**
 * What of a digest may still be told: not what was read meanwhile, nor of a project that the person cannot open any more,
 * nor of a task or comment that is gone. With each how many there are.
 */
const digestSql = `
  select u.email, u.username, u.email_verified_at is not null as is_confirmed, n.type, n.payload, p.name as project_name, count(*) over () as total
    from notifications n
    join users u on u.id = n.user_id and u.deleted_at is null and u.suspended_at is null
    left join projects p on p.id = n.project_id and p.deleted_at is null
   where n.digest_id = $1 and n.read_at is null
     and (n.project_id is null or (p.id is not null and ${mayOpenSql('p', 'u.id')}))
     and (n.type not like 'task.%' or coalesce((select true from tasks t where t.id = (n.payload->>'task_id')::uuid limit 1), false))
     and (n.type not like 'comment.%' or coalesce((select true from comments c where c.id = (n.payload->>'comment_id')::uuid and c.deleted_at is null limit 1), false))
   order by n.created_at desc, n.id desc limit ${mostLines}`;

/** Takes what waits, of so many people in each transaction, and adds their mails; three statements each. */
export function digestKind(db: Database): SystemJobKind {
  const gather = async (trx: Knex.Transaction): Promise<number> => {
    const digests = await db.namedIn<{ digest_id: string }>(trx, 'notifications.gather', gatherSql, [peopleAtOnce]);
    await addSystemJobs(trx, digests.map(({ digest_id: digestId }) => ({ kind: mailSendKind, payload: { digest_id: digestId, template: digestMail } })));
    return digests.length;
  };
  return {
    kind: kindName,
    timeoutMs: 60_000,
    async run(_payload, { signal }) {
      while (!signal.aborted && (await transact(db, null, gather)) > 0);
    },
  };
}

export const digestSchedule: ScheduledJob = { name: kindName, everySeconds, kind: kindName };

/** @param asksVerification EMAIL_VERIFICATION=required: only a confirmed address is written to */
export function digestTemplate(db: Database, asksVerification: boolean): MailTemplate {
  return {
    name: digestMail,
    async render({ digest_id: id }) {
      const rows = await db.named<Digested & { email: string; username: string; is_confirmed: boolean; total: number }>('notifications.digest', digestSql, [String(id)]);
      const [first] = rows;
      if (first === undefined || (asksVerification && !first.is_confirmed)) return null;
      const { total } = first;
      const more = total - rows.length;
      return {
        to: first.email,
        content: {
          subject: total === 1 ? 'One thing happened on HiveSync' : `${total} things happened on HiveSync`,
          title: `What happened since the last mail, ${first.username}`,
          paragraphs: [rows.map((row) => `• ${lineOf(row)}`).join('\n'), ...(more > 0 ? [`And ${more} more: sign in to see them.`] : [])],
          footer: 'You get this because of how you chose to be told: change it in the settings of your account, under Notifications, for each kind of thing.',
        },
      };
    },
  };
}

/** Notifications are kept as long as the tier of whom they are to says; then they are swept. */
import type { Sweep } from '#jobs/scheduled.ts';
import type { Database } from '#platform/database.ts';
import { effectiveTierSql } from '../users/accounts.ts';

const peopleAtOnce = 200;
/** Of each of them in one statement; who has more is gone through again. */
const rowsOfEach = 200;

const peopleSql = 'select u.id from users u where u.id > $1 order by u.id limit $2';

/** The oldest of each of these people that their tier keeps no longer. What somebody is marking read is left for the next time. */
const sweepSql = `
  with old as (
    select n.id from users u
      join tier_limits l on l.tier = ${effectiveTierSql} and l.notification_retention_days is not null
     cross join lateral (
       select o.id from notifications o
        where o.user_id = u.id and o.created_at < now() - l.notification_retention_days * interval '1 day'
        order by o.created_at limit $2 for update skip locked) n
     where u.id = any($1::uuid[])
  )
  delete from notifications using old where notifications.id = old.id returning notifications.user_id`;

/** By people rather than by age: each tier keeps for its own time, and a person's oldest stand together in an index. */
export const notificationSweep = (db: Database): Sweep => ({
  name: 'notifications',
  everySeconds: 3_600,
  async run(signal) {
    let swept = 0;
    for (let last = '00000000-0000-0000-0000-000000000000'; !signal.aborted;) {
      let ids = (await db.named<{ id: string }>('notifications.people', peopleSql, [last, peopleAtOnce])).map(({ id }) => id);
      if (ids.length === 0) break;
      last = ids.at(-1) ?? last;
      while (ids.length > 0 && !signal.aborted) {
        const gone = await db.named<{ user_id: string }>('notifications.sweep', sweepSql, [ids, rowsOfEach]);
        swept += gone.length;
        const byPerson = Map.groupBy(gone, ({ user_id: userId }) => userId);
        ids = ids.filter((id) => byPerson.get(id)?.length === rowsOfEach);
      }
    }
    return swept;
  },
});

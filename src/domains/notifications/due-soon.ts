/** Tasks that are due within a day are told to whoever has them to do, once for each date that a task is given. */
import type { ScheduledJob } from '#jobs/scheduled.ts';
import type { SystemJobKind } from '#jobs/system-jobs.ts';
import { type Database, transact } from '#platform/database.ts';
import type { NotificationFeed } from './feed.ts';
import { mayOpenSql } from './queries.ts';
import type { NotificationService, Telling } from './service.ts';

const kindName = 'notifications.due_soon';
const everySeconds = 300;
const tasksAtOnce = 500;

/**
 * Open tasks by tasks_open_due_date_idx, from ($1, $2) on: whom each is told to, its assignee or else who made it, unless
 * that was done or they cannot open the project any more.
 */
export const dueSql = `
  select t.id, t.due_date, t.title, t.project_id,
         case when u.id is not null and ${mayOpenSql('p', 'u.id')} and not coalesce((
           select true from notifications n
            where n.user_id = u.id and n.event_key = 'task.due_soon:' || t.id || ':' || to_char(t.due_date at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') limit 1), false) then u.id end as user_id
    from (select * from tasks where due_date > now() and due_date <= now() + interval '24 hours' and status not in ('done', 'cancelled')
             and (due_date, id) > ($1::timestamptz, $2::uuid) order by due_date, id limit ${tasksAtOnce}) t
    join projects p on p.id = t.project_id
    left join users u on u.id = coalesce(t.assignee_id, t.created_by) and u.deleted_at is null and u.suspended_at is null and p.deleted_at is null and p.archived_at is null
   order by t.due_date, t.id`;

interface Due { readonly id: string; readonly due_date: string; readonly title: string; readonly project_id: string; readonly user_id: string | null }

/** Six statements for every 500 tasks. */
export function dueSoonKind(db: Database, notifications: Pick<NotificationService, 'notifyEach'>, feed: Pick<NotificationFeed, 'changed'>): SystemJobKind {
  return {
    kind: kindName,
    timeoutMs: 60_000,
    async run(_payload, { signal }) {
      let after = ['-infinity', '00000000-0000-0000-0000-000000000000'] as [string, string];
      for (;;) {
        signal.throwIfAborted();
        const due = await db.named<Due>('notifications.due', dueSql, after);
        const tellings = due.flatMap((task) => (task.user_id === null ? [] : [tellingOf(task, task.user_id)]));
        feed.changed([...new Set(await transact(db, null, (trx) => notifications.notifyEach(trx, 'task.due_soon', tellings)))]);
        const last = due.at(-1);
        if (last === undefined || due.length < tasksAtOnce) return;
        after = [last.due_date, last.id];
      }
    },
  };
}

export const dueSoonSchedule: ScheduledJob = { name: kindName, everySeconds, kind: kindName };

const tellingOf = ({ id, title, due_date: dueDate, project_id: projectId }: Due, userId: string): Telling => ({
  userId, projectId, eventKey: `task.due_soon:${id}:${dueDate}`, payload: { task_id: id, title, due_date: dueDate, actor_id: null },
});

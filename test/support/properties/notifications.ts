import type { Person, System } from '../system.ts';

/** Stands for a notification of a person; the real one is made anew for each request. */
export const notificationStandIn = '00000000-0000-4000-8000-00000000e101';

/** The id of a new one; every other is read already. */
export async function notificationIdOf(system: System, { tokens: { user } }: Person, projectId: string): Promise<string> {
  made += 1;
  const [row] = await system.sql(`
    insert into notifications (id, user_id, project_id, type, payload, event_key, in_app, read_at)
    values (gen_random_uuid(), $1, $2, 'account.export_ready', '{}', $3, true, case when $4 then now() end) returning id`, [user.id, projectId, `made ${made} ${Date.now()}`, made % 2 === 0]);
  return String(row?.['id']);
}
let made = 0;

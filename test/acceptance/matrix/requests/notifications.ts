import { randomUUID } from 'node:crypto';
import type { Recipe } from '../requests.ts';

const at = (path: string): Recipe => ({ ask: () => Promise.resolve({ path }) });

export const notificationRequests: Readonly<Record<string, Recipe>> = {
  listNotifications: at('/notifications'),
  countUnreadNotifications: at('/notifications/unread-count'),
  markNotificationRead: {
    ask: async (world, scene) => {
      // Of a project, so that a key that is restricted to another one does not see it.
      const projectId = await world.project(scene);
      const id = randomUUID();
      await world.sql(`
        insert into notifications (id, user_id, project_id, type, payload, event_key, in_app) values ($1, $2, $3, 'account.export_ready', '{}', $4, true)`, [id, scene.owner.id, projectId, id]);
      return { path: `/notifications/${id}/read`, target: id };
    },
  },
  markAllNotificationsRead: at('/notifications/read_all'),
  streamNotifications: at('/notifications/stream'),
};

import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { InboxService } from './inbox-service.ts';
import type { NotificationStream } from './stream.ts';

type Operations = 'listNotifications' | 'countUnreadNotifications' | 'markNotificationRead' | 'markAllNotificationsRead' | 'streamNotifications';

export const notificationHandlers = (inbox: InboxService, stream: NotificationStream): Pick<Handlers, Operations> => ({
  listNotifications: async ({ query }, call) => ({ status: 200, body: await inbox.list(call, query) }),
  countUnreadNotifications: async (_request, call) => ({ status: 200, body: await inbox.countUnread(call) }),
  markNotificationRead: async ({ path }, call) => ({ status: 200, body: await inbox.markRead(call, path.notification_id) }),
  markAllNotificationsRead: async ({ query }, call) => ({ status: 200, body: await inbox.markAllRead(call, query.before) }),
  streamNotifications: async ({ headers }, call) => ({ status: 200, events: await stream.open(call, headers['last-event-id']) }),
});

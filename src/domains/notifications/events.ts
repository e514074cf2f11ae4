/** Events of other domains that people are told of. Consumers may be called twice for one event. */
import type { EventConsumer } from '#jobs/relay.ts';
import { type Database, transact } from '#platform/database.ts';
import type { NotificationService } from './service.ts';

/** The consumer of `session.suspicious`: one session may look strange for several reasons, each is told once. */
export const tellSuspiciousSignIn = (db: Database, notifications: NotificationService): EventConsumer => async ({ entityId, userId, data }) => {
  if (userId == null) return;
  const { reason, ip_address = null, user_agent = null, device_name = null } = data;
  await transact(db, null, (trx) => notifications.notify(trx, {
    userId,
    type: 'account.suspicious_sign_in',
    payload: { session_id: entityId, reason, ip_address, user_agent, device_name },
    eventKey: `session.suspicious:${entityId}:${String(reason)}`,
  }));
};

/** The consumer of `account.export_ready`. */
export const tellExportReady = (db: Database, notifications: NotificationService): EventConsumer => async ({ entityId, userId }) => {
  if (userId == null) return;
  await transact(db, null, (trx) => notifications.notify(trx, {
    userId, type: 'account.export_ready', payload: { export_id: entityId }, eventKey: `account.export_ready:${entityId}`,
  }));
};

/** Whom invitations and transfers are told to. Consumers may be called twice for one event. */
import type { EventConsumer } from '#jobs/relay.ts';
import type { Database } from '#platform/database.ts';
import type { NotificationService } from '../notifications/service.ts';

type Telling = Pick<NotificationService, 'tell'>;

/** The person it names, or whoever has the address it went to; nobody once it is answered, over, or to nothing. */
const recipientSql = `
  select coalesce(i.user_id, u.id) as user_id, i.email is not null as by_mail
    from invitations i
    left join teams t on t.id = i.team_id
    left join projects p on p.id = i.project_id and p.deleted_at is null
    left join users u on lower(u.email) = lower(i.email) and u.deleted_at is null and (u.email_verified_at is not null or not $2)
   where i.id = $1 and i.status = 'pending' and i.expires_at > now() and (t.id is not null or p.id is not null)`;

/** What of an event is shown; `actor_id` is who did it. */
const shown = ({ invitation_id, target_type, target_id, target_name, role, actor_id }: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  ({ invitation_id, target_type, target_id, target_name, role, actor_id });

/** The consumer of `invitation.created`. An address is told only where it has an account; the mail with the link went to it anyway. */
export const tellInvited = (db: Database, notifications: Telling, asksVerification: boolean): EventConsumer => async ({ entityId, data }) => {
  const [recipient] = await db.named<{ user_id: string | null; by_mail: boolean }>('invitations.to_tell', recipientSql, [entityId, asksVerification]);
  const userId = recipient?.user_id ?? null;
  if (recipient === undefined || userId === null) return;
  await notifications.tell({
    // Of the project nothing is theirs yet.
    userIds: [userId], type: 'invitation.received', payload: { ...shown(data), by_mail: recipient.by_mail }, eventKey: `invitation.created:${entityId}`,
  });
};

/** The consumer of `invitation.accepted`: the inviter, unless it was a transfer, which has words of its own. */
export const tellInviter = (notifications: Telling): EventConsumer => async ({ entityId, projectId, data }) => {
  const { user_id: userId, actor_id: actorId, role } = data;
  if (typeof userId !== 'string' || userId === actorId || role === 'owner') return;
  await notifications.tell({
    userIds: [userId], type: 'invitation.accepted', payload: shown(data), eventKey: `invitation.accepted:${entityId}`, projectId: projectId ?? null,
  });
};

/** The consumer of `project.transferred`: who had it, who asked and who has it, but for who did it. */
export const tellTransfer = (notifications: Telling): EventConsumer => async ({ projectId, userId: actorId, data }) => {
  const { transfer_id: transferId, asked_by: askedBy, ...payload } = data;
  const people = new Set([data['from_user_id'], data['to_user_id'], askedBy].filter((one) => typeof one === 'string' && one !== actorId) as string[]);
  await notifications.tell({ userIds: [...people], type: 'project.transferred', payload, eventKey: `project.transferred:${String(transferId)}`, projectId: projectId ?? null });
};

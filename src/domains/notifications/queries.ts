/** The SQL of notifications. */
import { effectiveTierSql } from '../users/accounts.ts';

/**
 * Whom an event is told to and how, the account's row locked: of two events at once the second counts the first, and
 * one event told twice finds itself.
 */
export const recipientSql = `
  select ${effectiveTierSql} as tier, p.in_app, p.email
    from users u left join notification_preferences p on p.user_id = u.id and p.type = $2
   where u.id = $1 and u.deleted_at is null for no key update of u`;

/** What the day's cap is about: what was listed since midnight, UTC. */
export const usedTodaySql = `
  select count(*) as used from notifications
   where user_id = $1 and in_app and created_at >= date_trunc('day', now() at time zone 'utc') at time zone 'utc'`;

export const insertSql = `
  insert into notifications (id, user_id, project_id, type, payload, event_key, in_app) values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (user_id, event_key) do nothing returning id`;

export const channelsSql = 'select type, in_app, email from notification_preferences where user_id = $1';

/** Sets the channels of several types in one statement. */
export const setChannelsSql = `
  insert into notification_preferences (user_id, type, in_app, email)
  select $1, c.type, c.in_app, c.email from unnest($2::text[], $3::boolean[], $4::boolean[]) as c(type, in_app, email)
  on conflict (user_id, type) do update set in_app = excluded.in_app, email = excluded.email`;

export const dropChannelsSql = 'delete from notification_preferences where user_id = $1 and type = any($2::text[])';

/** What a mail about a notification says it out of. */
export const toMailSql = `
  select n.type, n.payload, n.created_at, u.email, u.username, u.email_verified_at is not null as is_confirmed
    from notifications n join users u on u.id = n.user_id and u.deleted_at is null
   where n.id = $1`;

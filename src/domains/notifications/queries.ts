/** The SQL of telling people, and of how they wish to be told. Reading is in listing.ts. */
import { effectiveTierSql } from '../users/accounts.ts';

/**
 * How each of these people is told, their accounts' rows locked in one order until the commit. Under that lock the day is
 * counted and the time of a notification is taken (insertSql): for one person all of that comes one after the other.
 * $2 is what it is about, $3 the type that tells of the day's cap.
 */
export const recipientsSql = `
  select u.id, ${effectiveTierSql} as tier, p.in_app, p.email, q.in_app as near_in_app, q.email as near_email
    from users u
    left join notification_preferences p on p.user_id = u.id and p.type = $2
    left join notification_preferences q on q.user_id = u.id and q.type = $3
   where u.id = any($1::uuid[]) and u.deleted_at is null
   order by u.id for no key update of u`;

/** Everybody that several notices name, in the order in which each notice would lock its own. */
export const lockPeopleSql = 'select from users where id = any($1::uuid[]) and deleted_at is null order by id for no key update';

const midnight = "date_trunc('day', now() at time zone 'utc') at time zone 'utc'";

/** What the day's cap is about: what was listed since midnight, UTC. */
export const usedTodaySql = `select count(*) as used from notifications where user_id = $1 and in_app and created_at >= ${midnight}`;

/** The same of several people. Not in the statement that locks them: one that waited for a lock counts what was there before. */
export const usedTodayByAllSql = `
  select w.id, (select count(*) from notifications n where n.user_id = w.id and n.in_app and n.created_at >= ${midnight}) as used
    from unnest($1::uuid[]) as w (id)`;

/**
 * One row for each. Its time is later than that of everything the person was told before, whatever the clock says: with the
 * lock of recipientsSql that makes the times of one person's notifications rise in the order of their commits, which is
 * what a place in a stream rests on (stream.ts). $9 sets several of one person apart.
 */
export const insertSql = `
  insert into notifications (id, user_id, project_id, type, payload, event_key, in_app, awaits_digest, created_at)
  select w.id, w.user_id, nullif(w.project_id, '')::uuid, w.type, w.payload::jsonb, w.event_key, w.in_app, w.awaits_digest,
         greatest(clock_timestamp(), (select max(n.created_at) from notifications n where n.user_id = w.user_id) + interval '1 millisecond') + w.nth * interval '1 millisecond'
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::boolean[], $9::int[])
      as w (id, user_id, project_id, type, payload, event_key, in_app, awaits_digest, nth)
  on conflict (user_id, event_key) do nothing returning id, user_id`;

export const channelsSql = 'select type, in_app, email from notification_preferences where user_id = $1';

/** Sets the channels of several types in one statement. */
export const setChannelsSql = `
  insert into notification_preferences (user_id, type, in_app, email)
  select $1, c.type, c.in_app, c.email from unnest($2::text[], $3::boolean[], $4::boolean[]) as c(type, in_app, email)
  on conflict (user_id, type) do update set in_app = excluded.in_app, email = excluded.email`;

export const dropChannelsSql = 'delete from notification_preferences where user_id = $1 and type = any($2::text[])';

const ofComments = "type in ('comment.created', 'comment.replied', 'comment.mentioned')";
const withoutExcerpt = `payload = payload || '{"excerpt": ""}'`;

/** Of a comment that was deleted nothing is shown any more; nor of those on a task or preview that was. By indexes of their own. */
export const forgetExcerptsSql = `update notifications set ${withoutExcerpt} where ${ofComments} and payload->>'comment_id' = $1`;
/** So many lose it in one statement, and none twice: 40,000 in one take 3 s, and what is told of an event has 5 s. */
export const forgottenAtOnce = 2_000;
export const forgetExcerptsOnSql = `
  with shown as (select id from notifications where ${ofComments} and payload->>'entity_id' = $1 and payload->>'excerpt' <> '' limit ${forgottenAtOnce}),
  forgotten as (update notifications n set ${withoutExcerpt.replace('payload ||', 'n.payload ||')} from shown where n.id = shown.id returning 1)
  select count(*) as forgotten from forgotten`;

/**
 * Whether a person can open a project now, for statements about many projects at once; of one, ProjectMembershipService
 * says it. Not `exists`, which PostgreSQL may answer by reading the tables whole.
 */
export const mayOpenSql = (project: string, person: string): string => `(
  ${project}.owner_id = ${person}
  or coalesce((select true from project_members m where m.project_id = ${project}.id and m.user_id = ${person} and m.status = 'active' limit 1), false)
  or coalesce((select true from team_members m where m.team_id = ${project}.team_id and m.user_id = ${person} and m.status = 'active' limit 1), false))`;

/**
 * What a mail about a notification says it out of; nothing where that is over when the mail goes out: an invitation that is
 * open no more, a project that the person cannot open any more.
 */
export const toMailSql = `
  select n.type, n.payload, n.created_at, u.email, u.username, u.email_verified_at is not null as is_confirmed
    from notifications n
    join users u on u.id = n.user_id and u.deleted_at is null
    left join projects p on p.id = n.project_id and p.deleted_at is null
   where n.id = $1
     and (n.project_id is null or (p.id is not null and ${mayOpenSql('p', 'u.id')}))
     and (n.type <> 'invitation.received' or coalesce((
       select true from invitations i where i.id = (n.payload->>'invitation_id')::uuid and i.status = 'pending' and i.expires_at > now() limit 1), false))`;

/** Whether there is something to tell of: a comment may be deleted before anybody was told. */
export const commentStandsSql = 'select 1 as one from comments where id = $1 and deleted_at is null';

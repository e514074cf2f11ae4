/** The SQL of the invitations domain. Those to a project that was deleted are nobody's any more, as the project is. */

const person = (account: string, profile: string): string => `
  case when ${account}.id is not null then
    json_build_object('id', ${account}.id, 'username', ${account}.username, 'display_name', ${profile}.display_name, 'avatar_url', ${profile}.avatar_url) end`;

/** Pending until its time is over, also where nothing has swept it yet. */
const status = `case when i.status = 'pending' and i.expires_at <= now() then 'expired' else i.status end`;

const columns = `
  i.id, case when i.team_id is null then 'project' else 'team' end as target_type, coalesce(i.team_id, i.project_id) as target_id,
  coalesce(t.name, p.name) as target_name, i.role, ${status} as status, ${person('b', 'bp')} as invited_by, ${person('w', 'wp')} as invitee,
  i.email, i.created_at, i.expires_at, i.responded_at`;

const invitations = `
    from invitations i
    left join teams t on t.id = i.team_id
    left join projects p on p.id = i.project_id and p.deleted_at is null
    left join users b on b.id = i.invited_by and b.deleted_at is null
    left join user_profiles bp on bp.user_id = b.id
    left join users w on w.id = i.user_id and w.deleted_at is null
    left join user_profiles wp on wp.user_id = w.id
   where (t.id is not null or p.id is not null)`;

export const invitationByIdSql = `select ${columns} ${invitations} and i.id = $1`;

/** Whose list it is: of the team or project $1, or of the person $1 who has confirmed the address that comes last. */
const whose = {
  team: () => 'i.team_id = $1',
  project: () => 'i.project_id = $1',
  user: (address: string) => `i.id in (select id from invitations where user_id = $1 union all select id from invitations where lower(email) = lower(${address}::text))`,
} as const;
export type Whose = keyof typeof whose;

const filtered = (whom: Whose, address: string): string => `${invitations} and ${whose[whom](address)} and ($2::text is null or ${status} = $2)`;

/** Of status $2 where it is named, newest first, from $3, $4 on, $5 at most, after $6. */
export const listSql = (whom: Whose): string => `
  select ${columns} ${filtered(whom, '$7')} and ($3::timestamptz is null or (i.created_at, i.id) < ($3, $4::uuid))
   order by i.created_at desc, i.id desc limit $5 offset $6`;

/** How many, counted no further than $3. */
export const countSql = (whom: Whose): string => `select count(*) as total from (select 1 ${filtered(whom, '$4')} limit $3) as bounded`;

/** What is locked before anything is done with one; found by its id or by the hash of its token. */
export const targetOfSql = "select id, case when team_id is null then 'project' else 'team' end as type, coalesce(team_id, project_id) as target_id from invitations";

export const lockSql = `
  select id, user_id, email, role, invited_by, case when status = 'pending' and expires_at <= now() then 'expired' else status end as status
    from invitations where id = $1 for update`;

/**
 * Whether who invited ($1) could do so still, to the team or project ($2, $3), into this role ($4): who was removed, demoted,
 * suspended or deleted since lets nobody in any more.
 */
export const inviterStandsSql = `
  select u.id from users u
   where u.id = $1 and u.deleted_at is null and u.suspended_at is null
     and case $2 when 'team' then exists (
           select from team_members m where m.team_id = $3 and m.user_id = u.id and m.status = 'active' and m.role in ('Owner', 'Admin'))
         else exists (
           select from projects p
             left join team_members tm on tm.team_id = p.team_id and tm.user_id = u.id and tm.status = 'active'
             left join project_members pm on pm.project_id = p.id and pm.user_id = u.id and pm.status = 'active'
            where p.id = $3 and p.deleted_at is null
              and (p.owner_id = u.id or tm.role = 'Owner' or pm.role = 'Owner' or (tm.role = 'Admin' and $4 <> 'owner')))
         end`;

/** How many mails to this address $1, and of this inviter $2, within the hour. */
export const mailedSql = `
  select (select count(*) from invitations where lower(email) = lower($1) and created_at > now() - interval '1 hour') as to_address,
         (select count(*) from invitations where invited_by = $2 and email is not null and created_at > now() - interval '1 hour') as by_inviter`;

/** How often this person $1 was invited by this inviter $2 within the hour, to anything. */
export const askedSql = "select count(*) as asked from invitations where user_id = $1 and invited_by = $2 and created_at > now() - interval '1 hour'";

/**
 * Ends at most $1 whose time is over, and with them the members who were only invited. A transfer invites no member: who
 * is asked to own a project may be invited into it by another that is still open.
 */
export const expireSql = `
  with over as (
    select id from invitations where status = 'pending' and expires_at <= now() order by expires_at limit $1 for update skip locked
  ), ended as (
    update invitations set status = 'expired' from over where invitations.id = over.id
    returning invitations.id, invitations.team_id, invitations.project_id, invitations.user_id, invitations.role
  ), of_teams as (
    delete from team_members m using ended e where m.team_id = e.team_id and m.user_id = e.user_id and m.status = 'invited'
  ), of_projects as (
    delete from project_members m using ended e where m.project_id = e.project_id and m.user_id = e.user_id and m.status = 'invited' and e.role <> 'owner'
  )
  select id from ended`;

/** Deletes at most $1 that ended a year ago: some hold the address of somebody who never came. */
export const forgetSql = `
  with old as (
    select id from invitations where status <> 'pending' and expires_at < now() - interval '1 year' order by expires_at limit $1 for update skip locked
  )
  delete from invitations using old where invitations.id = old.id returning invitations.id`;

/** The SQL of who belongs to a project: its own members, and for a team's project those it has through the team. */

/** Whose invitation is over is a member no more, swept or not. */
const ownMembers = `
  select m.*, i.id as invitation_id
    from project_members m
    left join invitations i on i.project_id = m.project_id and i.user_id = m.user_id and i.status = 'pending' and i.role = 'member' and m.status = 'invited'
   where m.project_id = $1 and coalesce(i.expires_at > now(), true)`;

/**
 * Everybody once: active before invited, then by the higher role, then the project's own before the team's. The owner
 * has a row of its own only when it was a member before.
 */
const people = `
  with own as (${ownMembers}), all_ways as (
    select p.owner_id as user_id, 3 as rank, 'project' as source, 'active' as status, null::uuid as invitation_id,
           coalesce((select coalesce(own.joined_at, own.created_at) from own where own.user_id = p.owner_id and own.status = 'active'), p.created_at) as joined_at, p.created_at
      from projects p where p.id = $1 and p.deleted_at is null
    union all
    select own.user_id, case own.role when 'Owner' then 3 else 1 end, 'project', own.status, own.invitation_id,
           case own.status when 'active' then coalesce(own.joined_at, own.created_at) end, own.created_at
      from own
    union all
    select tm.user_id, case tm.role when 'Owner' then 3 when 'Admin' then 2 else 1 end, 'team', 'active', null, coalesce(tm.joined_at, tm.created_at), tm.created_at
      from projects p join team_members tm on tm.team_id = p.team_id and tm.status = 'active'
     where p.id = $1 and p.deleted_at is null
  ), each as (
    select distinct on (user_id) * from all_ways order by user_id, status = 'active' desc, rank desc, source
  )
  select $1::uuid as project_id, each.user_id, u.username, prof.display_name, prof.avatar_url,
         case rank when 3 then 'owner' when 2 then 'admin' else 'member' end as role, source, status, invitation_id, joined_at, each.created_at
    from each
    join users u on u.id = each.user_id and u.deleted_at is null
    left join user_profiles prof on prof.user_id = u.id`;

/** Of status $2 where it is named; owners first, then by username, from $3, $4, $5 on. */
export const projectMembersSql = `
  select * from (${people}) as people
   where ($2::text is null or status = $2)
     and ($4::text is null or (role <> 'owner', lower(username) collate "C", user_id) > ($3::boolean, $4 collate "C", $5::uuid))
   order by role <> 'owner', lower(username) collate "C", user_id limit $6 offset $7`;

export const countProjectMembersSql = `select count(*) as total from (select 1 from (${people}) as people where ($2::text is null or status = $2) limit $3) as bounded`;

export const projectMemberSql = `select * from (${people}) as people where user_id = $2`;

/** Who has access now, for telling who gets it and who loses it when the project changes hands. */
export const projectPeopleSql = `select user_id, role, source from (${people}) as people where status = 'active'`;

/** Of the people $2 those who can open the project $1 now: neither invited only, nor suspended or gone. */
export const activeMembersSql = `
  select u.id from users u
    join projects p on p.id = $1 and p.deleted_at is null
   where u.id = any($2::uuid[]) and u.deleted_at is null and u.suspended_at is null
     and (p.owner_id = u.id
       or exists (select 1 from project_members m where m.project_id = p.id and m.user_id = u.id and m.status = 'active')
       or exists (select 1 from team_members m where m.team_id = p.team_id and m.user_id = u.id and m.status = 'active'))`;

/** The same of many projects at once, each $1 with the person $2 beside it: the places of those pairs, from 1. */
export const activeAmongSql = `
  select w.nth from unnest($1::uuid[], $2::uuid[]) with ordinality as w (project_id, user_id, nth)
    join projects p on p.id = w.project_id and p.deleted_at is null
    join users u on u.id = w.user_id and u.deleted_at is null and u.suspended_at is null
   where p.owner_id = u.id
      or coalesce((select true from project_members m where m.project_id = p.id and m.user_id = u.id and m.status = 'active' limit 1), false)
      or coalesce((select true from team_members m where m.team_id = p.team_id and m.user_id = u.id and m.status = 'active' limit 1), false)`;

/** How many people are in it by whatever way, and those asked by mail. */
export const countProjectPeopleSql = `
  select (select count(*) from (
            select owner_id from projects where id = $1
            union select user_id from project_members where project_id = $1
            union select tm.user_id from projects p join team_members tm on tm.team_id = p.team_id where p.id = $1) as everybody)
       + (select count(*) from invitations where project_id = $1 and status = 'pending' and email is not null) as people`;

/** A team's project has the limits of the team. */
export const lockProjectSql = `
  select p.id, p.name, p.owner_id, p.team_id, p.created_at, coalesce(t.owner_id, p.owner_id) as payer_id
    from projects p left join teams t on t.id = p.team_id
   where p.id = $1 and p.deleted_at is null for no key update of p`;

export const joinProjectSql = `
  insert into project_members as m (id, project_id, user_id, role, status, joined_at) values ($1, $2, $3, 'Member', 'active', now())
  on conflict (project_id, user_id) do update set status = 'active', joined_at = case m.status when 'active' then m.joined_at else now() end`;

/** Owned projects, archived ones counted: what the tier's \`projects\` bounds. */
export const countOwnedSql = 'select count(*) as used from projects where owner_id = $1 and deleted_at is null';

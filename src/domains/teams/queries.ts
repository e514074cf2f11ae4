/** The SQL of the teams domain. */

const teamColumns = `
  t.id, t.owner_id, t.name, t.row_version, t.created_at, t.updated_at,
  (select count(*) from team_members m where m.team_id = t.id and m.status = 'active') as member_count,
  (select count(*) from projects p where p.team_id = t.id and p.deleted_at is null) as project_count`;

export const teamByIdSql = `select ${teamColumns} from teams t where t.id = $1`;

/** The teams of $1, newest first, from $2, $3 on where a cursor says so. */
export const teamsOfSql = `
  select ${teamColumns}, lower(mine.role) as role
    from team_members mine join teams t on t.id = mine.team_id
   where mine.user_id = $1 and mine.status = 'active' and ($2::timestamptz is null or (t.created_at, t.id) < ($2, $3::uuid))
   order by t.created_at desc, t.id desc limit $4 offset $5`;

/** How many, counted no further than $2. */
export const countTeamsSql = `
  select count(*) as total from (select 1 from team_members where user_id = $1 and status = 'active' limit $2) as bounded`;

/** Members of team $1 with their account; whose invitation is over is none any more, swept or not. */
const members = `
    from team_members m
    join users u on u.id = m.user_id and u.deleted_at is null
    left join user_profiles p on p.user_id = u.id
    left join invitations i on i.team_id = m.team_id and i.user_id = m.user_id and i.status = 'pending' and m.status = 'invited'
   where m.team_id = $1 and coalesce(i.expires_at > now(), true)`;

const memberColumns = `
  m.id, m.team_id, m.user_id, u.username, p.display_name, p.avatar_url, lower(m.role) as role, m.status, i.id as invitation_id,
  case m.status when 'active' then coalesce(m.joined_at, m.created_at) end as joined_at, m.created_at, m.updated_at, m.row_version`;

export const teamMemberSql = `select ${memberColumns} ${members} and m.user_id = $2`;

const filtered = `${members} and ($2::text is null or m.status = $2) and ($3::text is null or lower(m.role) = $3)`;

/** Of status $2 and role $3 where named, in the order they were added, from $4, $5 on. */
export const teamMembersSql = `
  select ${memberColumns} ${filtered} and ($4::timestamptz is null or (m.created_at, m.id) > ($4, $5::uuid))
   order by m.created_at, m.id limit $6 offset $7`;

export const countTeamMembersSql = `select count(*) as total from (select 1 ${filtered} limit $4) as bounded`;

/** Who holds a team when $2 does not any more: of the highest role there is, who stands longest; a suspended account last. */
export const successorSql = `
  select m.user_id, m.role
    from team_members m join users u on u.id = m.user_id
   where m.team_id = $1 and m.user_id <> $2 and m.status = 'active' and u.deleted_at is null
   order by array_position(array['Owner', 'Admin', 'Member'], m.role), u.suspended_at is not null, coalesce(m.joined_at, m.created_at), m.id
   limit 1`;

/** Makes $3 a member of team $2 with role $4; of an active member it makes what is more of the two roles. */
export const joinTeamSql = `
  insert into team_members as m (id, team_id, user_id, role, status, joined_at) values ($1, $2, $3, $4, 'active', now())
  on conflict (team_id, user_id) do update
    set status = 'active', joined_at = case m.status when 'active' then m.joined_at else now() end,
        role = case when m.status = 'active' and array_position(array['Member', 'Admin', 'Owner'], m.role) > array_position(array['Member', 'Admin', 'Owner'], excluded.role)
                    then m.role else excluded.role end
  returning lower(role) as role`;

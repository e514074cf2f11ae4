import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, rowsById } from '../personal-data.ts';

const invitationsSql = `
  select i.id, case when i.invited_by = $1 then 'sent' else 'received' end as direction,
         case when i.team_id is null then 'project' else 'team' end as target_type, coalesce(i.team_id, i.project_id) as target_id,
         coalesce(t.name, p.name) as target_name, i.role, i.status, case when i.invited_by is distinct from $1 then i.email end as email,
         i.created_at, i.expires_at, i.responded_at
    from invitations i
    left join teams t on t.id = i.team_id
    left join projects p on p.id = i.project_id and p.deleted_at is null
   where i.id > $2 and (t.id is not null or p.id is not null)
     and (i.invited_by = $1 or i.user_id = $1
       or lower(i.email) = (select lower(email) from users where id = $1 and email_verified_at is not null))
   order by i.id limit ${batchSize}`;

/** Those the account sent and those to it; whose address it invited is that person's. */
export const invitationSection = (db: Database): ExportSection => ({
  name: 'invitations',
  rows: (userId) => rowsById(db, 'export.invitations', invitationsSql, userId),
});

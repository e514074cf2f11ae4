import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, rowsById } from '../personal-data.ts';

const projectsSql = `
  select p.id, p.team_id, p.name, p.description, p.metadata, p.settings, p.archived_at, p.created_at, p.updated_at,
         exists (select 1 from project_favorites f where f.project_id = p.id and f.user_id = p.owner_id) as is_favorite,
         coalesce((select json_agg(json_build_object('name', t.name, 'color', t.color) order by lower(t.name)) from project_tags t where t.project_id = p.id), '[]') as tags,
         coalesce((select json_agg(json_build_object('username', u.username, 'role', m.role, 'status', m.status, 'joined_at', m.joined_at) order by m.id)
                     from project_members m join users u on u.id = m.user_id where m.project_id = p.id), '[]') as members
    from projects p where p.owner_id = $1 and p.deleted_at is null and p.id > $2 order by p.id limit ${batchSize}`;

const inProjectsSql = `
  select m.id, p.id as project_id, p.name, m.role, m.status, m.joined_at,
         exists (select 1 from project_favorites f where f.project_id = p.id and f.user_id = m.user_id) as is_favorite
    from project_members m join projects p on p.id = m.project_id and p.deleted_at is null
   where m.user_id = $1 and m.id > $2 order by m.id limit ${batchSize}`;

const inTeamsSql = `
  select m.id, t.id as team_id, t.name, m.role, m.status, m.joined_at
    from team_members m join teams t on t.id = m.team_id where m.user_id = $1 and m.id > $2 order by m.id limit ${batchSize}`;

/** The account's own projects with their people by name alone, and what it belongs to beside them. */
export const projectSections = (db: Database): ExportSection[] => [
  { name: 'projects', rows: (userId) => rowsById(db, 'export.projects', projectsSql, userId) },
  { name: 'project_memberships', rows: (userId) => rowsById(db, 'export.project_memberships', inProjectsSql, userId) },
  { name: 'team_memberships', rows: (userId) => rowsById(db, 'export.team_memberships', inTeamsSql, userId) },
];

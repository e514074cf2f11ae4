import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, rowsById } from '../personal-data.ts';
import { effectiveTierSql } from './accounts.ts';

const profileSql = `
  select u.id, u.email, u.pending_email, u.username, p.display_name, p.avatar_url, ${effectiveTierSql} as tier, u.email_verified_at,
         u.mfa_enabled_at, p.searchable, u.last_login, u.suspended_at, u.created_at, greatest(u.updated_at, p.updated_at) as updated_at
    from users u join user_profiles p on p.user_id = u.id where u.id = $1`;

const preferencesSql = `
  select p.preferences,
         coalesce((select jsonb_object_agg(n.type, jsonb_build_object('in_app', n.in_app, 'email', n.email))
                     from notification_preferences n where n.user_id = p.user_id), '{}') as notifications
    from user_profiles p where p.user_id = $1`;

const exportsSql = `
  select id, status, size, encode(sha256, 'hex') as sha256, created_at, completed_at, expires_at
    from data_exports where user_id = $1 and id > $2 order by id limit ${batchSize}`;

/** The account itself. */
export const accountSections = (db: Database): ExportSection[] => [
  { name: 'profile', rows: (userId) => once(db, 'export.profile', profileSql, userId) },
  { name: 'preferences', rows: (userId) => once(db, 'export.preferences', preferencesSql, userId) },
  { name: 'exports', rows: (userId) => rowsById(db, 'export.exports', exportsSql, userId) },
];

async function* once(db: Database, name: string, sql: string, userId: string): AsyncGenerator<object> {
  yield* await db.named<object>(name, sql, [userId]);
}

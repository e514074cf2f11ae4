import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, rowsById } from '../personal-data.ts';

const sessionsSql = `
  select id, device_session_id, host(ip_address) as ip_address, user_agent, suspicious, suspicious_reason, created_at, last_seen, authenticated_at, expires_at, revoked_at
    from sessions where user_id = $1 and id > $2 order by id limit ${batchSize}`;

const devicesSql = `
  select id, device_id, device_name, platform, created_at, last_seen
    from device_sessions where user_id = $1 and id > $2 order by id limit ${batchSize}`;

/** Where the account is and was signed in; no token and no secret of a second factor. */
export const signInSections = (db: Database): ExportSection[] => [
  { name: 'sessions', rows: (userId) => rowsById(db, 'export.sessions', sessionsSql, userId) },
  { name: 'devices', rows: (userId) => rowsById(db, 'export.devices', devicesSql, userId) },
];

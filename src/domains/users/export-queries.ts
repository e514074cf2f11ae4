/** The SQL of exports. */
import type { DataExport } from '#generated/sdk/types.gen.ts';

const columns = "id, status, size, encode(sha256, 'hex') as sha256, object_key, created_at, completed_at, expires_at";

export interface ExportRow extends Omit<DataExport, 'download_url'> { readonly object_key: string | null }

/** Waits for another one of the account that is about to commit, and then makes none. */
export const newExportSql = `
  insert into data_exports (id, user_id) values ($1, $2)
  on conflict (user_id) where status in ('queued', 'running') do nothing returning ${columns}`;

export const openExportSql = "select id from data_exports where user_id = $1 and status in ('queued', 'running')";

export const exportSql = `select ${columns} from data_exports where id = $1 and user_id = $2`;

/** A new try: those before it can end the export no more. */
export const beginExportSql = `
  update data_exports e set status = 'running', attempt = e.attempt + 1, started_at = coalesce(e.started_at, now())
    from users u
   where e.id = $1 and e.status in ('queued', 'running') and u.id = e.user_id
  returning e.user_id, e.attempt, u.deleted_at is not null as is_deleted`;

export const endExportSql = `
  update data_exports e set status = 'succeeded', object_key = $3, size = $4, sha256 = decode($5, 'hex'), completed_at = now(), expires_at = now() + interval '7 days'
    from users u
   where e.id = $1 and e.attempt = $2 and e.status = 'running' and u.id = e.user_id and u.deleted_at is null
  returning e.id`;

const ended = (status: 'failed' | 'cancelled'): string =>
  `update data_exports set status = '${status}', completed_at = now() where id = $1 and status in ('queued', 'running')`;
export const failExportSql = ended('failed');
export const cancelExportSql = ended('cancelled');

export const expiredExportsSql = `
  select id, user_id from data_exports where object_key is not null and expires_at <= now() order by expires_at limit 100`;
export const forgetArchiveSql = 'update data_exports set object_key = null where id = $1';

/** All tries of a job take hours together: after a day it was lost. */
export const loseExportsSql = `
  update data_exports set status = 'failed', completed_at = now()
   where id in (select id from data_exports where status in ('queued', 'running') and created_at < now() - interval '24 hours' limit 1000) returning id`;

export const oldExportsSql = `
  select id, user_id from data_exports where object_key is null and completed_at < now() - interval '30 days' limit 1000`;
export const dropExportSql = 'delete from data_exports where id = $1';

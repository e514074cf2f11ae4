import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, firstId, inBatches } from '../personal-data.ts';

interface AuditRow { readonly id: string; readonly created_at: string; readonly data: unknown }

const bySql = `
  select id, event_type, entity_type, entity_id, project_id, data, host(ip_address) as ip_address, request_id, created_at
    from audit_logs where user_id = $1 and (created_at, id) > ($2::timestamptz, $3::uuid) order by created_at, id limit ${batchSize}`;

/** By whom and from where an administrator did something is the administrator's; what it says of the account is the account's. */
const toSql = `
  select id, event_type, entity_type, entity_id, data, created_at
    from audit_logs where entity_type = 'user' and entity_id = $1 and user_id is distinct from $1 and id > $2 order by id limit ${batchSize}`;

const address = /[^\s@"'<>:,;]+@[^\s@"'<>:,;]+\.[^\s@"'<>:,;]+/g;

/** What the account did, then what was done to it by others. Addresses of other people are struck out. */
export const auditSection = (db: Database): ExportSection => ({
  name: 'audit_trail',
  async *rows(userId) {
    const [own] = await db.named<{ email: string }>('export.own_address', 'select lower(email) as email from users where id = $1', [userId]);
    const struck = (row: AuditRow): object => ({ ...row, data: withoutAddresses(row.data, own?.email ?? '') });
    const by = inBatches<AuditRow>((last) => db.named('export.audit_by', bySql, [userId, last?.created_at ?? '-infinity', last?.id ?? firstId]));
    for await (const row of by) yield struck(row);
    for await (const row of inBatches<AuditRow>((last) => db.named('export.audit_to', toSql, [userId, last?.id ?? firstId]))) yield struck(row);
  },
});

function withoutAddresses(value: unknown, own: string): unknown {
  if (typeof value === 'string') return value.replaceAll(address, (found) => (found.toLowerCase() === own ? found : '[address of another person]'));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => withoutAddresses(one, own));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutAddresses(inner, own)]));
}

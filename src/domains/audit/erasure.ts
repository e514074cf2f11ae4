/** The audit of a deleted account stays, without names, addresses and texts: what was done, when, by which id. */
import type { Database } from '#platform/database.ts';
import { batchSize, type ErasureStage, firstId, inBatches } from '../personal-data.ts';

interface AuditRow { readonly id: string; readonly created_at: string; readonly data: unknown }

/** What it did itself; in the order of the index. */
const bySql = `
  select id, created_at, data from audit_logs
   where user_id = $1 and (created_at, id) > ($2::timestamptz, $3::uuid) order by created_at, id limit ${batchSize}`;
/** What was done to it by others, an administrator say. */
const toSql = `
  select id, created_at, data from audit_logs
   where entity_type = 'user' and entity_id = $1 and id > $2 order by id limit ${batchSize}`;
/** What anybody did in the projects that go with it. */
const inProjectSql = `
  select l.id, l.created_at, l.data from audit_logs l
   where l.project_id = $1 and (l.created_at, l.id) > ($2::timestamptz, $3::uuid) order by l.created_at, l.id limit ${batchSize}`;
const projectsSql = 'select id from projects where owner_id = $1 and erased_at is not null and id > $2 order by id limit 1000';

/** Where a row comes from is its doer's to be forgotten; what it tells is everybody's it names. */
const anonymiseSql = `
  update audit_logs l set data = r.data::jsonb,
         ip_address = case when l.user_id is distinct from $3 then l.ip_address end,
         request_id = case when l.user_id is distinct from $3 then l.request_id end
    from unnest($1::uuid[], $2::text[]) as r(id, data) where l.id = r.id`;

/** Runs after the projects are emptied. */
export const auditRows = (db: Database): ErasureStage => ({
  name: 'audit',
  async run(userId, signal) {
    const anonymise = async (rows: readonly AuditRow[]): Promise<void> => {
      signal.throwIfAborted();
      if (rows.length === 0) return;
      await db.named('erasure.anonymise_audit', anonymiseSql, [rows.map(({ id }) => id), rows.map(({ data }) => JSON.stringify(withoutTexts(data) ?? {})), userId]);
    };
    let erased = 0;
    const walk = async (name: string, sql: string, id: string): Promise<void> => {
      for (let last: AuditRow | null = null; ;) {
        const after: (string | null)[] = sql === toSql ? [last?.id ?? firstId] : [last?.created_at ?? '-infinity', last?.id ?? firstId];
        const rows: AuditRow[] = await db.named<AuditRow>(name, sql, [id, ...after]);
        await anonymise(rows);
        erased += rows.length;
        last = rows.at(-1) ?? null;
        if (rows.length < batchSize) return;
      }
    };
    await walk('erasure.audit_by', bySql, userId);
    await walk('erasure.audit_to', toSql, userId);
    const projects = inBatches<{ id: string }>((last) => db.named<{ id: string }>('erasure.erased_projects', projectsSql, [userId, last?.id ?? firstId]));
    for await (const { id } of projects) await walk('erasure.audit_in', inProjectSql, id);
    return erased;
  },
});

const isId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Fields whose texts are words of ours. */
const ourWords: ReadonlySet<string> = new Set(['status', 'error_code', 'target_platform', 'tier', 'tier_override', 'role', 'source']);

/** Numbers, truths, ids and words of ours; every other text is left out. */
export function withoutTexts(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return isId.test(value) || (ourWords.has(name) && /^[a-zA-Z][a-zA-Z_]{0,39}$/.test(value)) ? value : undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => withoutTexts(one, name)).filter((one) => one !== undefined);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutTexts(inner, key)]).filter(([, inner]) => inner !== undefined));
}

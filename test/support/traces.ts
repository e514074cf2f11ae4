/** Looks for texts in every column of every table: what must be nowhere any more after an erasure. */
import type { Backend } from './backend.ts';
import { eachObject } from '#platform/storage/storage.ts';

const columnsSql = `
  select c.table_name as "table", c.column_name as "column", c.udt_name as type
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
   where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
     and c.udt_name in ('text', 'varchar', 'bpchar', 'name', 'json', 'jsonb', 'inet', 'cidr', 'bytea', '_text', '_varchar', 'xml', 'citext')
   order by 1, 2`;

/** `sessions.user_agent: QuillBrowser`, for every column that holds one of these, whatever its case. */
export async function tracesOf(backend: Pick<Backend, 'sql'>, needles: readonly string[]): Promise<string[]> {
  const columns = await backend.sql<{ table: string; column: string; type: string }>(columnsSql);
  if (columns.length < 50) throw new Error('The tables are not where they are looked for.');
  const traces: string[] = [];
  for (const { table, column, type } of columns) {
    const text = type === 'bytea' ? `encode("${column}", 'escape')` : `"${column}"::text`;
    const found = await backend.sql<{ needle: string }>(
      `select distinct n.needle from "${table}" join unnest(?::text[]) as n(needle) on position(lower(n.needle) in lower(${text})) > 0`, [needles]);
    traces.push(...found.map(({ needle }) => `${table}.${column}: ${needle}`));
  }
  return traces;
}

/** Keys of objects that hold one of these texts in their name. */
export async function objectsOf(backend: Pick<Backend, 'storage'>, needles: readonly string[]): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of eachObject(backend.storage, '')) if (needles.some((needle) => key.includes(needle))) keys.push(key);
  return keys;
}

const referencesSql = `
  select con.conrelid::regclass::text as "table", a.attname as "column"
    from pg_constraint con join pg_attribute a on a.attrelid = con.conrelid and a.attnum = con.conkey[1]
   where con.contype = 'f' and con.confrelid = ?::regclass order by 1, 2`;

/** `sessions.user_id`, for every column that refers to this row by a foreign key and does. */
export async function referencesTo(backend: Pick<Backend, 'sql'>, table: 'users' | 'projects', id: string): Promise<string[]> {
  const references: string[] = [];
  for (const { table: from, column } of await backend.sql<{ table: string; column: string }>(referencesSql, [table])) {
    const found = await backend.sql(`select 1 from ${from} where "${column}" = ? limit 1`, [id]);
    if (found.length > 0) references.push(`${from}.${column}`);
  }
  return references;
}

/** How PostgreSQL would run a statement: the nodes of its plan, without running it. */
import type { Binding, Database } from '#platform/database.ts';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

export interface Plan {
  /** `Index Scan tasks_title_idx`, `Seq Scan tasks`, `Sort`, … the outermost first. */
  readonly nodes: readonly string[];
  /** Tables that are read from their beginning to their end. */
  readonly readWhole: readonly string[];
}

let statements = 0;

/** Knex takes a question mark for a placeholder. */
const unbound = (text: string): string => text.replaceAll('?', '\\?');

/**
 * The plan for these values; or with `isGeneric` the one that serves a named statement whatever its values, which
 * PostgreSQL may come to use after five runs.
 */
export async function planOf({ knex }: Database, { text, values }: { readonly text: string; readonly values: readonly Binding[] }, isGeneric = false): Promise<Plan> {
  return knex.transaction(async (trx) => {
    if (isGeneric) await trx.raw("set local plan_cache_mode = 'force_generic_plan'");
    statements += 1;
    const name = `planned_${statements}`;
    await trx.raw(unbound(`prepare ${name} as ${text}`));
    const { rows: [row] } = await trx.raw<{ rows: { 'QUERY PLAN': [{ Plan: PlanNode }] }[] }>(unbound(`explain (format json) execute ${name} (${values.map(literal).join(', ')})`));
    await trx.raw(`deallocate ${name}`);
    if (row === undefined) throw new Error('EXPLAIN answered nothing.');
    const nodes = [...nodesOf(row['QUERY PLAN'][0].Plan)];
    return { nodes: nodes.map(said), readWhole: nodes.flatMap((node) => (node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? ''] : [])) };
  });
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* nodesOf(child);
}

const said = (node: PlanNode): string => [node['Node Type'], node['Index Name'] ?? node['Relation Name']].filter((part) => part !== undefined).join(' ');

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
function literal(value: Binding): string {
  if (value === null) return 'null';
  if (Buffer.isBuffer(value)) return quoted(`\\x${value.toString('hex')}`);
  if (Array.isArray(value)) return quoted(`{${value.map((one) => `"${String(one)}"`).join(',')}}`);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : quoted(String(value));
}

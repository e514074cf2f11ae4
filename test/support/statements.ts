import pg from 'pg';

/**
 * How many statements leave for this database's server while `work` runs, whoever sends them; `begin`, `commit` and
 * `rollback` are not counted.
 */
export async function countStatements(work: () => Promise<unknown>): Promise<number> {
  return (await statementsOf(work)).length;
}

/** Their texts, in the order they left. */
export async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const texts: string[] = [];
  const { query } = pg.Client.prototype;
  // Every client of this process goes through this one method, the pool's and Knex's alike.
  pg.Client.prototype.query = function counted(this: pg.Client, ...args: unknown[]): unknown {
    const [first] = args;
    const text = typeof first === 'string' ? first : ((first as { text?: string } | undefined)?.text ?? '');
    if (!/^\s*(begin|commit|rollback|savepoint|release)\b/i.test(text)) texts.push(text);
    return (query as (...args: unknown[]) => unknown).apply(this, args);
  } as typeof query;
  try {
    await work();
  } finally {
    pg.Client.prototype.query = query;
  }
  return texts;
}

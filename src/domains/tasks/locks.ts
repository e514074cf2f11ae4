import type { Knex } from 'knex';
import type { Database } from '#platform/database.ts';

/** Any number, as long as nobody else takes advisory locks of two parts under it. */
const taskGraphs = 7_301;

/**
 * One at a time in a project until the commit: for what depends on more rows than can be locked one by one. Whether an
 * edge closes a circle hangs on edges that somebody else may be adding at this moment anywhere in the project, and how
 * many labels there are on rows that do not exist yet. An advisory lock, not the project's row: whoever joins, renames or
 * lists the project does not wait for it. It is taken before any row; two projects of one hash only wait for each other.
 */
export async function lockTaskGraph(db: Pick<Database, 'namedIn'>, trx: Knex.Transaction, projectId: string): Promise<void> {
  await db.namedIn(trx, 'tasks.lock_graph', `select pg_advisory_xact_lock(${taskGraphs}, hashtext($1::text))`, [projectId]);
}

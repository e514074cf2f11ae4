/** Stands for the demo seed: makes a table that can be made only once. */
import type { Database } from '#platform/database.ts';

export default async function seed(db: Database): Promise<void> {
  await db.knex.raw('CREATE TABLE fixture_seed (id int)');
}

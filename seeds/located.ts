import { join } from 'node:path';
import type { Environment } from '#config/environment.ts';
import { findEmbeddedPostgres } from '#platform/embedded/postgres.ts';

/** The configured database, or on a development machine that of `npm start`. */
export async function located(env: Environment): Promise<Environment> {
  const database = env.database ?? (env.production ? null : await findEmbeddedPostgres(join(env.dataDir, 'postgres')));
  if (database === null) throw new Error(`No database: nothing is configured, and npm start does not run on ${env.dataDir}. Start it, or set DATABASE_URL.`);
  return { ...env, database };
}

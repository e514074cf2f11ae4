/** `npm run db:migrate`: brings the database that the environment names up to date, once per release and before its API. */
import { EnvironmentError, readEnvironment } from '#config/environment.ts';
import { migrateUp } from '#platform/migrate.ts';

try {
  const applied = await migrateUp(readEnvironment(process.env, { role: 'api' }));
  for (const name of applied) console.log(`applied ${name}`);
  console.log(applied.length === 0 ? 'The schema was up to date.' : 'The schema is up to date.');
} catch (error) {
  console.error(error instanceof EnvironmentError ? error.message : error);
  process.exitCode = 1;
}

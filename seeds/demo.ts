/**
 * What a first start shows: a small company in the middle of its work, an account to sign in with and a project to
 * preview. Demo accounts never exist in production; a seed that runs again changes nothing.
 *
 *   npm run seed        into the database of npm start, or the configured one
 */
import { randomBytes } from 'node:crypto';
import { type Environment, readEnvironment } from '#config/environment.ts';
import { Passwords } from '#domains/auth/passwords.ts';
import { type Database, openDatabase, transact } from '#platform/database.ts';
import { migrateUp } from '#platform/migrate.ts';
import { demoAccount, signInAs } from './demo-account.ts';
import { companyRows, workRows } from './demo-rows.ts';
import { auditRows, notificationRows } from './demo-told.ts';
import { located } from './located.ts';

export { demoAccount };

/** Fills the demo data, in one transaction: whether there was nothing of it yet. Throws in production. */
export default async function seed(db: Database, env: Pick<Environment, 'production'>): Promise<boolean> {
  if (env.production) throw new Error('Demo accounts are not for production.');
  const passwordHash = await new Passwords().hash(demoAccount.password);
  return transact(db, null, async (trx) => {
    const known = await trx('users').whereRaw('lower(email) = ?', [demoAccount.email]).first('id');
    if (known !== undefined) return false;
    const now = Date.now();
    const when = (agoMs: number): string => new Date(now - agoMs).toISOString();
    // The invitation that is on its way by mail: nobody has its link.
    const written = [...companyRows(when, passwordHash, randomBytes(32)), ...workRows(when), notificationRows(when), auditRows(when)];
    for (const { table, rows } of written) if (rows.length > 0) await trx(table).insert(rows);
    return true;
  });
}

async function run(): Promise<void> {
  const env = await located(readEnvironment(undefined, { role: 'api' }));
  if (env.production) throw new Error('Demo accounts are not for production.');
  await migrateUp(env);
  const db = openDatabase({ ...env, postgresPoolSize: 1 });
  try {
    console.log(await seed(db, env) ? `The demo company is there. Sign in as ${signInAs}.` : `There is a demo company, or an account of ${demoAccount.email}: nothing was changed.`);
  } finally {
    await db.close();
  }
}

if (import.meta.main) {
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

import { sqlState, type Database } from '../database.ts';

/**
 * Does something once per database: when `name` is not in `done_once` yet, runs the work and then writes it there. A
 * work that is cut short runs again at the next start, so it must be able to meet its own half. Gives whether it ran.
 */
export async function doOnce(db: Database, name: string, work: () => Promise<void>): Promise<boolean> {
  const done = await db.named('done_once.find', 'SELECT name FROM done_once WHERE name = $1', [name]);
  if (done.length > 0) return false;
  await work();
  try {
    await db.named('done_once.add', 'INSERT INTO done_once (name) VALUES ($1)', [name]);
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
  }
  return true;
}

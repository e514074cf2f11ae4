/**
 * What a first start shows: an account to sign in with and a project to preview. Demo accounts never exist in production;
 * a seed that runs again changes nothing.
 */
import type { Environment } from '#config/environment.ts';
import { Passwords } from '#domains/auth/passwords.ts';
import { type Database, transact } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';

/** Printed by the first start; for a machine of one's own. */
export const demoAccount = { email: 'ada@example.com', username: 'ada', password: 'notes-taken-outdoors' } as const;
export const demoProject = { name: 'Field Notes', description: 'Notes taken outdoors, with pictures.' } as const;

/** Fills the demo data. Throws in production. */
export default async function seed(db: Database, env: Environment): Promise<void> {
  if (env.production) throw new Error('Demo accounts are not for production.');
  const passwordHash = await new Passwords().hash(demoAccount.password);
  await transact(db, null, async (trx) => {
    const known = await trx('users').whereRaw('lower(email) = ?', [demoAccount.email]).first('id');
    if (known !== undefined) return;
    const userId = newId();
    await trx('users').insert({
      id: userId, email: demoAccount.email, username: demoAccount.username, password_hash: passwordHash, tier: 'pro', email_verified_at: trx.fn.now(),
    });
    await trx('user_profiles').insert({ user_id: userId, display_name: 'Ada Park' });
    const projectId = newId();
    await trx('projects').insert({ id: projectId, owner_id: userId, ...demoProject, metadata: { repository: 'field-notes' }, settings: {} });
    await trx('project_tags').insert({ id: newId(), project_id: projectId, name: 'mobile', color: '#f2a900' });
    await trx('project_favorites').insert({ user_id: userId, project_id: projectId });
  });
}

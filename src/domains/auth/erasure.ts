import type { Database } from '#platform/database.ts';
import { type ErasureStage, eraseRows } from '../personal-data.ts';

/** In the order their references allow. */
const ofAccount = [
  ['session_tokens', 'user_id = $1'],
  ['device_links', 'user_id = $1'],
  ['refresh_tokens', 'session_id in (select id from sessions where user_id = $1)'],
  ['sessions', 'user_id = $1'],
  ['device_sessions', 'user_id = $1'],
  ['password_resets', 'user_id = $1'],
  ['email_verifications', 'user_id = $1'],
  ['mfa_challenges', 'user_id = $1'],
  ['recovery_codes', 'user_id = $1'],
  ['mfa_secrets', 'user_id = $1'],
] as const;

/** Where and how the account was signed in to: sessions, devices, tokens, second factors. */
export const signIns = (db: Database): ErasureStage => ({
  name: 'sign_ins',
  async run(userId, signal) {
    let erased = 0;
    for (const [table, condition] of ofAccount) erased += await eraseRows(db, table, condition, userId, signal);
    return erased;
  },
});

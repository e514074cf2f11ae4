import type { Sweep } from '#jobs/scheduled.ts';
import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';

/**
 * What is past its time by a day: until then a token that came too late is told so, and mails of the last hour are
 * counted. An enrolment nobody confirmed goes at once; a confirmed secret has no such time.
 */
const expired = {
  password_resets: ['id', "expires_at < now() - interval '1 day'"],
  email_verifications: ['id', "expires_at < now() - interval '1 day'"],
  mfa_challenges: ['id', "expires_at < now() - interval '1 day'"],
  mfa_secrets: ['user_id', 'expires_at < now()'],
} as const;

/** Deletes what mailed tokens, challenges and enrolments left behind, in short transactions; any number may run at once. */
export const credentialSweep = (db: Database): Sweep => ({
  name: 'credentials',
  async run(signal) {
    let swept = 0;
    for (const [table, [key, isExpired]] of Object.entries(expired)) {
      const sql = `
        with old as (select ${key} from ${table} where ${isExpired} limit $1 for update skip locked)
        delete from ${table} using old where ${table}.${key} = old.${key} returning ${table}.${key}`;
      swept += await deleteInBatches(db, `auth.sweep_${table}`, sql, signal);
    }
    return swept;
  },
});

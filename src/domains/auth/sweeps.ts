/** What signing in leaves behind, cut back by short transactions; any number of processes may do it at once. */
import type { Sweep } from '#jobs/scheduled.ts';
import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';

const expiredSql = (table: string): string => `
  with old as (select id from ${table} where expires_at < now() - interval '1 day' limit $1 for update skip locked)
  delete from ${table} using old where ${table}.id = old.id returning ${table}.id`;

/**
 * Used tokens whose own thirty days are over: a second use of one is known without its row (refresh-tokens.ts). The last
 * one of a session that ran out stays as long as the session's row, so that it can be told that it expired.
 */
const usedTokensSql = `
  with old as (
    select id from refresh_tokens where expires_at < now() - interval '1 day' and used_at is not null limit $1 for update skip locked
  )
  delete from refresh_tokens using old where refresh_tokens.id = old.id returning refresh_tokens.id`;

const tokensOfEndedSql = `
  with old as (
    select t.id from sessions s join refresh_tokens t on t.session_id = s.id
     where s.revoked_at < now() - interval '1 day' limit $1 for update of t skip locked
  )
  delete from refresh_tokens using old where refresh_tokens.id = old.id returning refresh_tokens.id`;

/**
 * Sessions over for ninety days: until then they say which networks an account has used. With them go their last tokens;
 * a device link stays what it was without its session.
 */
const sessionsSql = `
  with old as (
    select id from sessions where revoked_at < now() - interval '90 days' or expires_at < now() - interval '90 days' limit $1 for update skip locked
  ), tokens as (
    delete from refresh_tokens using old where session_id = old.id
  ), one_time as (
    delete from session_tokens using old where session_id = old.id
  ), links as (
    update device_links set session_id = null from old where session_id = old.id
  )
  delete from sessions using old where sessions.id = old.id returning sessions.id`;

const hourSeconds = 3_600;

/** Expired one-time tokens and device links, refresh tokens that nobody needs any more, and sessions long over. */
export const authSweeps = (db: Database): Sweep[] => [
  { name: 'session_tokens', everySeconds: hourSeconds, run: (signal) => deleteInBatches(db, 'auth.sweep_session_tokens', expiredSql('session_tokens'), signal) },
  { name: 'device_links', everySeconds: hourSeconds, run: (signal) => deleteInBatches(db, 'auth.sweep_device_links', expiredSql('device_links'), signal) },
  {
    name: 'refresh_tokens', everySeconds: hourSeconds,
    run: async (signal) => await deleteInBatches(db, 'auth.sweep_used_tokens', usedTokensSql, signal)
      + await deleteInBatches(db, 'auth.sweep_tokens_of_ended', tokensOfEndedSql, signal),
  },
  { name: 'sessions', everySeconds: 6 * hourSeconds, run: (signal) => deleteInBatches(db, 'auth.sweep_sessions', sessionsSql, signal) },
];

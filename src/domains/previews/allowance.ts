/** How many previews an account may ask for: by the minute and the day, and at once. Checked under the account's lock. */
import type { Knex } from 'knex';
import { emit } from '#jobs/outbox.ts';
import type { Tier } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { quotaEvents } from '../quota.ts';
import type { TierService } from '../tiers/service.ts';
import { openSessionsSql } from './live-queries.ts';
import { openJobsSql, previewUseSql } from './queries.ts';

interface Use { readonly last_minute: number; readonly today: number; readonly minute_frees_in: number | null; readonly minute_empty_in: number | null }

/** What an account has taken of its allowance, by the counts that requests are judged by. */
export interface PreviewUse {
  readonly lastMinute: number;
  readonly today: number;
  readonly atOnce: number;
  /** Live sessions that are open, beside the builds. */
  readonly live: number;
  /** In how many seconds nothing of the last minute counts any more. */
  readonly minuteEmptyInSeconds: number;
}

/** Three statements. */
export async function previewUse(db: Database, userId: string): Promise<PreviewUse> {
  const [use] = await db.named<Use>('previews.use', previewUseSql, [userId]);
  const [jobs] = await db.named<{ open: number }>('previews.open_jobs', openJobsSql, [userId]);
  const [sessions] = await db.named<{ open: number }>('live.open_sessions', openSessionsSql, [userId]);
  return { lastMinute: use?.last_minute ?? 0, today: use?.today ?? 0, atOnce: jobs?.open ?? 0, live: sessions?.open ?? 0, minuteEmptyInSeconds: use?.minute_empty_in ?? 0 };
}

/** Takes one place of the minute and the day, or throws RATE_LIMITED with the seconds to wait. The caller holds the account's lock, which makes it exact. */
export async function takeRequest(db: Database, tiers: TierService, trx: Knex.Transaction, userId: string, tier: Tier): Promise<void> {
  const limits = await tiers.limitsOf(tier);
  const [use] = await db.namedIn<Use>(trx, 'previews.use', previewUseSql, [userId]);
  if (use === undefined) return;
  if (limits.preview_jobs_per_minute !== null && use.last_minute >= limits.preview_jobs_per_minute) {
    // Who waited for the account's lock began before the jobs it now counts: by its clock they lie in the future.
    const seconds = Math.min(Math.max(1, Math.ceil(use.minute_frees_in ?? 60)), 60);
    throw limited('preview_jobs_per_minute', limits.preview_jobs_per_minute, seconds);
  }
  if (limits.preview_jobs_per_day !== null && use.today >= limits.preview_jobs_per_day) {
    throw limited('preview_jobs_per_day', limits.preview_jobs_per_day, secondsToMidnight());
  }
  await emit(trx, ...quotaEvents(userId, { limit: 'preview_jobs_per_day', used: use.today + 1, allowed: limits.preview_jobs_per_day, tier }));
}

/** Takes one of the places for jobs that wait or run, or throws QUOTA_EXCEEDED. */
export async function takePlace(db: Database, tiers: TierService, trx: Knex.Transaction, userId: string): Promise<void> {
  await tiers.requireRoom(trx, userId, 'preview_jobs_at_once', async () => {
    const [row] = await db.namedIn<{ open: number }>(trx, 'previews.open_jobs', openJobsSql, [userId]);
    return row?.open ?? 0;
  });
}

function limited(limit: string, allowed: number, seconds: number): ServiceError {
  return new ServiceError('RATE_LIMITED', `Your tier allows ${allowed} for ${limit.replaceAll('_', ' ')}. Try again in ${seconds} seconds.`, {
    details: { limit, allowed, retry_after: seconds }, retryAfterSeconds: seconds,
  });
}

function secondsToMidnight(): number {
  const dayMs = 24 * 60 * 60 * 1000;
  return Math.ceil((dayMs - (Date.now() % dayMs)) / 1000);
}

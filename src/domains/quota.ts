/** When somebody is told that a limit is nearly used up. */
import type { LimitName } from '#generated/sdk/types.gen.ts';
import type { DomainEvent } from '#jobs/outbox.ts';
import type { Tier } from '#platform/call.ts';

/** What the count is when four fifths are reached; of a small limit that may be all of it. */
const nearlyAll = (allowed: number): number => Math.ceil(allowed * 0.8);

/** Whether this one more is the one to tell of: so it is told by whoever counts, without asking for anything else. */
export const isNear = (used: number, allowed: number | null): boolean => allowed !== null && allowed > 0 && used === nearlyAll(allowed);

/** Limits that fill up for a time; of others that come and go by the minute nobody is told. */
const windows: Readonly<Partial<Record<LimitName, 'day' | 'month'>>> = {
  preview_jobs_per_day: 'day', ai_jobs_per_day: 'day', notifications_per_day: 'day', projects: 'month', api_keys: 'month', webhooks_per_project: 'month',
};

export interface QuotaUse { readonly limit: LimitName; readonly used: number; readonly allowed: number; readonly tier: Tier }

/** Once for each limit and day, or month for what stands. */
export const quotaKey = ({ limit }: Pick<QuotaUse, 'limit'>, nowMs = Date.now()): string =>
  `quota_near:${limit}:${new Date(nowMs).toISOString().slice(0, windows[limit] === 'day' ? 10 : 7)}`;

/** What whoever counts emits when one more was taken; nothing where it is not the one. */
export function quotaEvents(userId: string, use: Omit<QuotaUse, 'allowed'> & { readonly allowed: number | null }): DomainEvent[] {
  if (windows[use.limit] === undefined || !isNear(use.used, use.allowed)) return [];
  return [{ type: 'account.quota_near', entityId: userId, userId, data: { ...use } }];
}

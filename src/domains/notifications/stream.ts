import type { Notification } from '#generated/sdk/types.gen.ts';
import type { Call, Tier } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { isTime } from '#platform/paging.ts';
import { requireSelf } from '../policy.ts';
import type { TierService } from '../tiers/service.ts';
import type { NotificationFeed } from './feed.ts';
import { fenceOf } from './inbox-service.ts';

/** Beyond so many a client reads the list instead. */
const mostMissed = 1_000;
const tiers: readonly Tier[] = ['free', 'pro', 'premium', 'admin'];

/**
 * Where a stream begins: after the newest there is, or for whoever was never told anything a while ago, longer than any
 * transaction lasts. And what is known of the place $2 that it shall go on from: one that is past, and behind which no
 * sweep has been; $3 is how many days even the shortest retention keeps.
 */
const placeSql = `
  select coalesce(n.newest, now() - interval '1 hour') as newest,
         coalesce($2::timestamptz <= greatest(n.newest, now())
           and ($2 >= now() - $3 * interval '1 day' or exists (select 1 from notifications m where m.user_id = $1 and m.created_at = $2)), false) as is_known,
         case when $2 is null then 0 else (select count(*) from (
           select 1 from notifications m where m.user_id = $1 and m.in_app and m.created_at > $2 and ($4::uuid[] is null or m.project_id = any($4))
            limit ${mostMissed + 1}) as bounded) end as missed
    from (select max(created_at) as newest from notifications where user_id = $1) n`;

export type NotificationEvent =
  | { readonly id: string; readonly event: string; readonly data: Notification }
  | { readonly id: string; readonly event: 'reset'; readonly data: Readonly<Record<string, never>> }
  /** Only the place, so that who is cut off before anything happened can go on from there. */
  | { readonly id: string; readonly event: null; readonly data: null };

/** What somebody is told, as it happens. An event's id is the time of the notification, to the millisecond: its place. */
export class NotificationStream {
  readonly #db: Database;
  readonly #tiers: TierService;
  readonly #feed: NotificationFeed;

  constructor(db: Database, limits: TierService, feed: NotificationFeed) {
    this.#db = db;
    this.#tiers = limits;
    this.#feed = feed;
  }

  /** One statement; what comes then is read together with that of all other streams. */
  async open(call: Call, lastEventId: string | undefined): Promise<AsyncIterable<NotificationEvent>> {
    const userId = requireSelf(call);
    const asked = lastEventId !== undefined && isTime(lastEventId) ? lastEventId : null;
    const [place] = await this.#db.named<{ newest: string; is_known: boolean; missed: number }>('notifications.place', placeSql, [userId, asked, await this.#shortestRetention(), fenceOf(call)]);
    if (place === undefined) throw new Error('A person has a place in their own stream.');
    if (lastEventId === undefined) return this.#events(call, userId, place.newest, { id: place.newest, event: null, data: null });
    if (asked === null || !place.is_known || place.missed > mostMissed) return this.#events(call, userId, place.newest, { id: place.newest, event: 'reset', data: {} });
    return this.#events(call, userId, asked, null);
  }

  async *#events(call: Call, userId: string, from: string, first: NotificationEvent | null): AsyncGenerator<NotificationEvent> {
    if (first !== null) yield first;
    const fence = fenceOf(call);
    for await (const row of this.#feed.follow(userId, from, call.signal)) {
      if (fence !== null && (row.project_id === null || !fence.includes(row.project_id))) continue;
      yield { id: row.created_at, event: row.type, data: row };
    }
  }

  async #shortestRetention(): Promise<number> {
    const days = await Promise.all(tiers.map(async (tier) => (await this.#tiers.limitsOf(tier)).notification_retention_days));
    // As long as anything could matter, where nothing is ever swept.
    return Math.min(...days.map((one) => one ?? 36_500));
  }
}

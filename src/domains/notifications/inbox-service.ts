/** Somebody's notifications as they read them: the list, the badge, and what they have seen. */
import type { Notification, NotificationPage, NotificationsMarked, NotificationType, UnreadCount } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound } from '#platform/errors.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { requireSelf } from '../policy.ts';
import { markAllReadSql, markReadSql, notificationByIdSql, notificationCount, type NotificationFilters, notificationPage, type NotificationRow, type Statement } from './listing.ts';

export interface NotificationQuery {
  readonly unread?: boolean | undefined;
  readonly type?: readonly NotificationType[] | undefined;
  readonly project_id?: string | undefined;
}

/** Marked in one transaction: few enough that nobody waits long for a row. */
const markedAtOnce = 5_000;

/** An API key that is restricted to projects sees theirs alone, and nothing that belongs to none. */
export const fenceOf = ({ caller }: Call): readonly string[] | null => (caller.kind === 'api_key' ? caller.projectIds : null);

export class InboxService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Newest first. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery & NotificationQuery): Promise<NotificationPage> {
    const userId = requireSelf(call);
    const fence = fenceOf(call);
    const projects = query.project_id === undefined ? fence : [query.project_id.toLowerCase()].filter((id) => fence === null || fence.includes(id));
    const filters: NotificationFilters = { unread: query.unread ?? null, types: query.type ?? null, projects };
    const bound = { unread: query.unread, type: query.type?.toSorted(), project_id: query.project_id?.toLowerCase(), fence: fence ?? undefined };
    const after = readCursor(query, bound);
    const rows = await this.#run<NotificationRow>(notificationPage(userId, filters, { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after }));
    const total = after === null ? await this.#count(userId, filters) : null;
    return pageOf(rows, query, bound, total, (row) => ({ at: row.created_at, id: row.id }));
  }

  /** One statement, answered by an index alone and no further than the bound. */
  async countUnread(call: Call): Promise<UnreadCount> {
    const unread = await this.#count(requireSelf(call), { unread: true, types: null, projects: fenceOf(call) });
    return { unread: Math.min(unread, countBound), is_exact: unread <= countBound };
  }

  /** Answers alike however often. One statement, two for what is read already. */
  async markRead(call: Call, id: string): Promise<Notification> {
    const values = [id, requireSelf(call), fenceOf(call)] as const;
    const [marked] = await this.#db.named<NotificationRow>('notifications.mark_read', markReadSql, values);
    const [row] = marked === undefined ? await this.#db.named<NotificationRow>('notifications.by_id', notificationByIdSql, values) : [marked];
    if (row === undefined) throw notFound();
    return row;
  }

  /** In short transactions, one for every 5,000: what breaks it off leaves the rest unread, and the next call goes on. */
  async markAllRead(call: Call, before: string | undefined): Promise<NotificationsMarked> {
    const values = [requireSelf(call), before ?? null, fenceOf(call), markedAtOnce] as const;
    for (let marked = 0; ;) {
      const [batch] = await transact(this.#db, null, (trx) => this.#db.namedIn<{ marked: number; found: number }>(trx, 'notifications.mark_all_read', markAllReadSql, values));
      marked += batch?.marked ?? 0;
      if ((batch?.found ?? 0) < markedAtOnce || call.signal.aborted) return { marked };
    }
  }

  #run<Row>({ name, text, values }: Statement): Promise<Row[]> {
    return this.#db.named<Row>(name, text, values);
  }

  async #count(userId: string, filters: NotificationFilters): Promise<number> {
    const [row] = await this.#run<{ total: number }>(notificationCount(userId, filters));
    return row?.total ?? 0;
  }
}

/** Finding people to share with and to invite. */
import type { UserSummary, UserSummaryPage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { requireVerified } from '../policy.ts';
import { countPeopleSql, searchPeopleSql } from './people-queries.ts';

interface Found extends UserSummary { readonly rank: number; readonly total: number }

/** `<rank> <username>`: where a walk goes on. */
const place = /^(\d{1,4}) ([A-Za-z0-9_-]{3,30})$/;

export class PeopleService {
  readonly #db: Database;
  readonly #asksVerification: boolean;

  /** @param asksVerification EMAIL_VERIFICATION=required: who has not confirmed an address is not found. Where nobody has to, nobody is hidden for it. */
  constructor(db: Database, asksVerification: boolean) {
    this.#db = db;
    this.#asksVerification = asksVerification;
  }

  /**
   * People by part of a name or by their whole address, the likest first; 10,000 matches are looked at, at most. One
   * statement, and one more for a page beyond the last.
   */
  async search(call: Call, query: PageQuery & { readonly q: string }): Promise<UserSummaryPage> {
    const userId = requireVerified(call);
    const filters = { q: query.q.toLowerCase() };
    const after = readCursor(query, filters, (at) => place.test(at));
    const [, rank = null, username = null] = place.exec(after?.at ?? '') ?? [];
    const who = [userId, query.q, this.#asksVerification] as const;
    const offset = after === null ? (query.offset ?? 0) : 0;
    const rows = await this.#db.named<Found>('users.search', searchPeopleSql, [...who, rank, username, after?.id ?? null, query.limit + 1, offset]);
    const total = rows[0]?.total ?? (offset === 0 ? 0 : await this.#count(who));
    const page = pageOf(rows, query, filters, total, (row) => ({ at: `${row.rank} ${row.username}`, id: row.id }));
    return { ...page, items: page.items.map(present) };
  }

  async #count(who: readonly [string, string, boolean]): Promise<number> {
    const [row] = await this.#db.named<{ total: number }>('users.count_found', countPeopleSql, who);
    return row?.total ?? 0;
  }
}

const present = ({ id, username, display_name, avatar_url }: Found): UserSummary => ({ id, username, display_name, avatar_url });

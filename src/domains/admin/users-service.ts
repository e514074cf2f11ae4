/** Accounts as administrators find and look at them. */
import { createHash } from 'node:crypto';
import type { AccountHoldings, AdminUser, AdminUserDetail, AdminUserPage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound } from '#platform/errors.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { requireAdmin } from '../policy.ts';
import { accountDetailSql, type AccountFilters, countAccounts, listAccounts } from './queries.ts';
import { presentAccount, presentDetail } from './rows.ts';

export class AdminUserService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Every account that is not erased, newest first. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery & AccountFilters): Promise<AdminUserPage> {
    requireAdmin(call);
    const filters = { q: query.q, tier: query.tier, suspended: query.suspended, deleted: query.deleted };
    const after = readCursor(query, filters);
    const page = { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after };
    const rows: AdminUser[] = await listAccounts(this.#db.knex, filters, page);
    const [counted] = after === null ? (await countAccounts(this.#db.knex, filters)) as { total: string }[] : [];
    return pageOf(rows.map(presentAccount), query, filters, Number(counted?.total ?? 0), (row) => ({ at: row.created_at, id: row.id }));
  }

  /** One account and what it holds. One statement. */
  async get(call: Call, userId: string): Promise<{ entity: AdminUserDetail; etag: string }> {
    requireAdmin(call);
    const [row] = await this.#db.named<AdminUser & { holdings: AccountHoldings }>('admin.account_detail', accountDetailSql, [userId]);
    if (row === undefined) throw notFound();
    const entity = presentDetail(row);
    // What it holds and its tier change without a new version of its row.
    return { entity, etag: createHash('sha256').update(JSON.stringify(entity)).digest('base64url').slice(0, 22) };
  }
}

import type { User } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound } from '#platform/errors.ts';
import { requireSelf } from '../policy.ts';
import { presentUser, userByIdSql, type UserRow } from './accounts.ts';

export class UserService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The caller's own account, with its version. One statement. */
  async me(call: Call): Promise<{ entity: User; etag: string }> {
    const [row] = await this.#db.named<UserRow>('users.by_id', userByIdSql, [requireSelf(call)]);
    if (row === undefined) throw notFound();
    // The profile is a row of its own and the tier may change by time alone: both are part of what the caller sees.
    return { entity: presentUser(row), etag: `${row.row_version}-${Date.parse(row.changed_at).toString(36)}-${row.tier}` };
  }
}

import type { User, UserUpdate } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import { requireSelf } from '../policy.ts';
import { etagOfUser, presentUser, userByIdSql, type UserRow } from './accounts.ts';

const lockUserSql = `${userByIdSql} for no key update of u, p`;
const updateProfileSql = 'update user_profiles set display_name = $2, avatar_url = $3, searchable = $4 where user_id = $1';

/** What of an account its owner may change here. */
const profileFields = ['display_name', 'avatar_url', 'searchable'] as const;

export class UserService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The caller's own account, with its version. One statement. */
  async me(call: Call): Promise<{ entity: User; etag: string }> {
    const [row] = await this.#db.named<UserRow>('users.by_id', userByIdSql, [requireSelf(call)]);
    if (row === undefined) throw notFound();
    return { entity: presentUser(row), etag: etagOfUser(row) };
  }

  /** Merges: an absent field stays, null clears. Four statements. */
  async update(call: Call, body: UserUpdate): Promise<{ entity: User; etag: string }> {
    const userId = requireSelf(call);
    if (body.avatar_url != null) requireHttps(body.avatar_url);
    const row = await transact(this.#db, null, async (trx) => {
      const [before] = await this.#db.namedIn<UserRow>(trx, 'users.lock', lockUserSql, [userId]);
      if (before === undefined) throw notFound();
      if (call.ifMatch !== null && call.ifMatch !== etagOfUser(before)) {
        throw new ServiceError('PRECONDITION_FAILED', 'Your account changed since you read it. Read it again.');
      }
      const { display_name, avatar_url, searchable } = { ...before, ...body };
      await this.#db.namedIn(trx, 'users.update_profile', updateProfileSql, [userId, display_name, avatar_url, searchable]);
      const [after] = await this.#db.namedIn<UserRow>(trx, 'users.by_id', userByIdSql, [userId]);
      if (after === undefined) throw notFound();
      await audit(trx, call, { event_type: 'user.updated', entity_type: 'user', entity_id: userId, data: { changes: differences(before, after) } });
      return after;
    });
    return { entity: presentUser(row), etag: etagOfUser(row) };
  }
}

/** Others are shown it, by pages that are https themselves; nothing here ever fetches it. */
function requireHttps(url: string): void {
  if (/^https:\/\//i.test(url)) return;
  throw new ServiceError('VALIDATION_ERROR', 'An avatar has an https address.', {
    details: [{ pointer: '#/body/avatar_url', message: 'must be an https address', rule: 'https' }],
  });
}

function differences(before: UserRow, after: UserRow): Record<string, { readonly from: unknown; readonly to: unknown }> {
  const moved = profileFields.filter((field) => before[field] !== after[field]);
  return Object.fromEntries(moved.map((field) => [field, { from: before[field], to: after[field] }]));
}

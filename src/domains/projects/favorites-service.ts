import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';

/** For a project that is deleted or being deleted nothing is marked. */
const markSql = `
  insert into project_favorites (user_id, project_id)
  select $1, id from projects where id = $2 and deleted_at is null
  on conflict do nothing`;
const unmarkSql = 'delete from project_favorites where user_id = $1 and project_id = $2';

/** Which projects a person marked; nobody else's business, so that neither audit nor event tells of it. */
export class FavoriteService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** One statement beside the policy's; where the mark is there already nothing happens. */
  async mark(call: Call, projectId: string): Promise<void> {
    const { projectId: id } = await requireRoleOn(this.#db, call, 'project', projectId);
    await this.#db.named('projects.mark_favorite', markSql, [requireSelf(call), id]);
  }

  /** The same where there was no mark. */
  async unmark(call: Call, projectId: string): Promise<void> {
    const { projectId: id } = await requireRoleOn(this.#db, call, 'project', projectId);
    await this.#db.named('projects.unmark_favorite', unmarkSql, [requireSelf(call), id]);
  }
}

import type { ProjectActivity, ProjectActivityPage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { requireRoleOn } from '../policy.ts';
import { activityCount, type ActivityFilters, activityPage, type View } from './activity-queries.ts';

/**
 * The first words of events about what every member may see anyway. Who was invited and which webhooks there are is for
 * those who may invite and make webhooks; so is whatever is not thought of here.
 */
const membersFamilies = [
  'project', 'task', 'label', 'attachment', 'comment', 'preview', 'preview_session', 'live_session', 'ai_job', 'refactor', 'repo',
] as const;

/** Fields of an event's data that say where somebody is reached or came from. */
const addresses: ReadonlySet<string> = new Set(['email', 'old_email', 'new_email', 'ip', 'ip_address', 'user_agent']);

type ActivityQuery = PageQuery & { readonly [Name in keyof ActivityFilters]?: ActivityFilters[Name] | undefined };

/** The audit of a project as its members see it. */
export class ActivityService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Newest first. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, projectId: string, query: ActivityQuery): Promise<ProjectActivityPage> {
    const access = await requireRoleOn(this.#db, call, 'project', projectId);
    const view: View = { projectId: access.projectId, families: access.role === 'member' ? membersFamilies : null };
    const filters: ActivityFilters = {
      event_type: query.event_type ?? null, entity_type: query.entity_type ?? null, entity_id: query.entity_id ?? null,
      user_id: query.user_id ?? null, since: query.since ?? null, until: query.until ?? null,
    };
    const bound = { activity_of: view.projectId, ...filters };
    const after = readCursor(query, bound);
    const { name, text, values } = activityPage(view, filters, { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after });
    const rows = (await this.#db.named<ProjectActivity>(name, text, values)).map((row) => ({ ...row, data: withoutAddresses(row.data) as ProjectActivity['data'] }));
    const total = after === null ? await this.#count(view, filters) : null;
    return pageOf(rows, query, bound, total, (row) => ({ at: row.created_at, id: row.id }));
  }

  async #count(view: View, filters: ActivityFilters): Promise<number> {
    const { name, text, values } = activityCount(view, filters);
    const [row] = await this.#db.named<{ total: number }>(name, text, values);
    return row?.total ?? 0;
  }
}

function withoutAddresses(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutAddresses);
  return Object.fromEntries(Object.entries(value).filter(([name]) => !addresses.has(name)).map(([name, inner]) => [name, withoutAddresses(inner)]));
}

import type { Knex } from 'knex';
import type { ProjectTag, ProjectTagCreate, ProjectTagPage, ProjectTagUpdate } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, sqlState, transact, violatedConstraint } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import type { Versioned } from './service.ts';
import { countTagsSql, holdProjectSql, listTagsSql, lockTagSql } from './tags-queries.ts';

interface TagRow extends ProjectTag { readonly project_id: string; readonly row_version: number }

/** As many as the contract lets a project show. */
const tagsInProject = 50;

/** Names in lower case; the bar divides the parts of a cursor. */
const isKey = (text: string): boolean => text.isWellFormed() && text.length <= 200;
const etagOf = (row: TagRow): string => String(row.row_version);
const shown = ({ name, color }: TagRow): { name: string; color: string } => ({ name, color });

/**
 * The tags of a project. They stand in rows of their own: a change of one leaves the project's row as it is, so that
 * nobody's change of the project is refused for it, and moves the project's ETag, which is made of its tags too.
 */
export class ProjectTagService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By name. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, projectId: string, query: PageQuery): Promise<ProjectTagPage> {
    const { projectId: id } = await requireRoleOn(this.#db, call, 'project', projectId);
    const filters = { tags_of: id };
    const after = readCursor(query, filters, isKey);
    const rows = await this.#db.named<TagRow & { readonly sort_key: string }>('projects.tags', listTagsSql, [
      id, after?.at.replaceAll('\0', '|') ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [counted] = after === null ? await this.#db.named<{ total: number }>('projects.count_tags', countTagsSql, [id]) : [];
    return pageOf(rows, query, filters, counted?.total ?? null, (row) => ({ at: row.sort_key.replaceAll('|', '\0'), id: row.id }));
  }

  /** CONFLICT where the name is taken or the project has all it may have, also when the last place is raced for. */
  async create(call: Call, projectId: string, { name, color }: ProjectTagCreate): Promise<Versioned<TagRow>> {
    const { projectId: id } = await requireRoleOn(this.#db, call, 'project', projectId);
    const entity = await transact(this.#db, call, async (trx) => {
      await this.#hold(trx, id);
      const [counted] = await this.#db.namedIn<{ total: number }>(trx, 'projects.count_tags', countTagsSql, [id]);
      if ((counted?.total ?? 0) >= tagsInProject) {
        throw new ServiceError('CONFLICT', `A project has at most ${tagsInProject} tags.`, { details: { allowed: tagsInProject } });
      }
      const tag = await named(async () => {
        const [row] = await trx('project_tags').insert({ id: newId(), project_id: id, name, color }).returning<TagRow[]>('*');
        return row;
      });
      await this.#changed(trx, call, 'project.tag_created', tag, shown(tag));
      return tag;
    }, etagOf);
    return { entity, etag: etagOf(entity) };
  }

  /** Merges. Where nothing changes nothing is told. */
  async update(call: Call, projectId: string, tagId: string, body: ProjectTagUpdate): Promise<Versioned<TagRow>> {
    const { projectId: id } = await requireRoleOn(this.#db, call, 'project', projectId);
    return transact(this.#db, null, async (trx) => {
      const before = await this.#lock(trx, call, id, tagId);
      const after = await named(async () => {
        const [row] = await trx('project_tags').where({ id: before.id }).update(body).returning<TagRow[]>('*');
        return row;
      });
      if (after.row_version !== before.row_version) {
        await this.#changed(trx, call, 'project.tag_updated', after, { from: shown(before), to: shown(after) });
      }
      return { entity: after, etag: etagOf(after) };
    });
  }

  /** Takes it off the project. */
  async remove(call: Call, projectId: string, tagId: string): Promise<void> {
    const { projectId: id } = await requireRoleOn(this.#db, call, 'project', projectId);
    await transact(this.#db, null, async (trx) => {
      const tag = await this.#lock(trx, call, id, tagId);
      await trx('project_tags').where({ id: tag.id }).delete();
      await this.#changed(trx, call, 'project.tag_deleted', tag, shown(tag));
    });
  }

  async #changed(trx: Knex.Transaction, call: Call, type: string, tag: TagRow, data: Readonly<Record<string, unknown>>): Promise<void> {
    const projectId = tag.project_id;
    await audit(trx, call, { event_type: type, entity_type: 'tag', entity_id: tag.id, project_id: projectId, data });
    await emit(trx, { type: 'project.updated', entityId: projectId, projectId, userId: requireSelf(call), data: { fields: ['tags'] } });
  }

  /** The project first, whoever comes: two who change the same project wait for each other in one order. */
  async #hold(trx: Knex.Transaction, projectId: string): Promise<void> {
    const [held] = await this.#db.namedIn<{ id: string }>(trx, 'projects.hold', holdProjectSql, [projectId]);
    if (held === undefined) throw notFound();
  }

  async #lock(trx: Knex.Transaction, call: Call, projectId: string, tagId: string): Promise<TagRow> {
    await this.#hold(trx, projectId);
    const [tag] = await this.#db.namedIn<TagRow>(trx, 'projects.lock_tag', lockTagSql, [tagId, projectId]);
    if (tag === undefined) throw notFound();
    if (call.ifMatch !== null && call.ifMatch !== etagOf(tag)) {
      throw new ServiceError('PRECONDITION_FAILED', 'Somebody changed this since you read it. Read it again.');
    }
    return tag;
  }
}

/** Writes a name: taken is CONFLICT, upper and lower case being one. */
async function named(write: () => Promise<TagRow | undefined>): Promise<TagRow> {
  try {
    const row = await write();
    if (row === undefined) throw notFound();
    return row;
  } catch (error) {
    if (sqlState(error) !== '23505' || violatedConstraint(error) !== 'project_tags_name_key') throw error;
    throw new ServiceError('CONFLICT', 'The project has a tag of this name.', { details: { field: 'name' } });
  }
}

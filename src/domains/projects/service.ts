import type { Knex } from 'knex';
import type { Project, ProjectCreate, ProjectPage, ProjectSettings, ProjectSettingsUpdate, ProjectUpdate } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireRoleStill, requireSelf } from '../policy.ts';
import type { PreviewEndingService } from '../previews/ending-service.ts';
import type { StartingService } from '../tasks/starting-service.ts';
import type { TierService } from '../tiers/service.ts';
import type { ProjectErasures } from './erasures.ts';
import { type ChangedRow, etagOf, valuesOf, versionOf } from './changes.ts';
import { ProjectModel } from './models.ts';
import { countProjects, listProjects, lockToChangeSql, projectByIdSql, projectSettingsSql, settingsOfEachSql, type ProjectFilters } from './queries.ts';
import { mergeSettings, readSettings } from './settings.ts';
import type { ProjectTemplateService } from './templates-service.ts';

interface ProjectRow extends Omit<Project, 'role'> { row_version: number; settings: ProjectSettingsUpdate }

/** An entity with the strong validator of what this caller sees of it. */
export interface Versioned<T> { readonly entity: T; readonly etag: string }

/** JSON that clients keep with a project; the bound keeps lists small. */
const metadataBytes = 16 * 1024;

/** Builds that a deletion ends at once; more are ended by its job. Three statements each. */
const buildsEndedAtOnce = 100;

export interface ProjectDependencies {
  readonly db: Database;
  readonly tiers: TierService;
  readonly templates: Pick<ProjectTemplateService, 'take'>;
  readonly starting: Pick<StartingService, 'fill'>;
  readonly builds: Pick<PreviewEndingService, 'cancelIn' | 'told'>;
  readonly erasures: Pick<ProjectErasures, 'begin'>;
}

export class ProjectService {
  readonly #on: ProjectDependencies;
  readonly #db: Database;

  constructor(dependencies: ProjectDependencies) {
    this.#on = dependencies;
    this.#db = dependencies.db;
  }

  /** Every project the caller owns or belongs to, newest first. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery & ProjectFilters): Promise<ProjectPage> {
    const userId = requireSelf(call);
    const only = call.caller.kind === 'api_key' ? call.caller.projectIds : null;
    const filters = { team_id: query.team_id, tag: query.tag, favorite: query.favorite, archived: query.archived, q: query.q };
    const after = readCursor(query, filters);
    const page = { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after };
    const rows: Project[] = await listProjects(this.#db.knex, userId, only, filters, page);
    const total = after === null ? await this.#count(userId, only, filters) : null;
    return pageOf(rows, query, filters, total, (row) => ({ at: row.created_at, id: row.id }));
  }

  /**
   * Makes the caller the owner of a new project; QUOTA_EXCEEDED beyond the tier's `projects`, also under a race. Five
   * statements, four more at most with a template, however much that brings.
   */
  async create(call: Call, body: ProjectCreate): Promise<Project> {
    const userId = requireSelf(call);
    if (call.caller.kind === 'api_key' && call.caller.projectIds !== null) {
      throw new ServiceError('FORBIDDEN', 'This key is restricted to certain projects and cannot make new ones.');
    }
    refuseLargeMetadata(body.metadata);
    if (body.team_id != null) await requireRoleOn(this.#db, call, 'team', body.team_id, 'member');
    return transact(this.#db, call, async (trx) => {
      if (body.team_id != null) await this.#holdTeam(trx, userId, body.team_id);
      await this.#on.tiers.requireRoom(trx, userId, 'projects', () => owned(trx, userId));
      const template = body.template_id == null ? null : await this.#on.templates.take(trx, body.template_id);
      const row = await ProjectModel.query(trx)
        .insert({
          id: newId(),
          owner_id: userId,
          team_id: body.team_id ?? null,
          name: body.name,
          description: body.description ?? null,
          metadata: body.metadata ?? {},
          settings: template?.settings ?? {},
        })
        .returning('*');
      if (template !== null) await this.#on.starting.fill(trx, row.id, userId, template);
      const brought = template === null ? {} : { template_id: template.id, labels: template.labels.length, tasks: template.tasks.length };
      await audit(trx, call, { event_type: 'project.created', entity_type: 'project', entity_id: row.id, project_id: row.id, data: { name: row.name, ...brought } });
      await emit(trx, { type: 'project.created', entityId: row.id, projectId: row.id, userId, data: { name: row.name } });
      return { ...row, is_favorite: false, role: 'owner', tags: [] };
    });
  }

  async get(call: Call, projectId: string): Promise<Versioned<Project>> {
    const access = await requireRoleOn(this.#db, call, 'project', projectId);
    return this.#read(call, projectId, access.role);
  }

  /** Merges; archiving takes the owner. Four statements beside the policy's and the read back. */
  async update(call: Call, projectId: string, body: ProjectUpdate): Promise<Versioned<Project>> {
    const access = await requireRoleOn(this.#db, call, 'project', projectId);
    if (body.archived !== undefined && access.role !== 'owner') {
      throw new ServiceError('FORBIDDEN', 'Only the project owner may archive it.');
    }
    refuseLargeMetadata(body.metadata);
    const { archived, ...fields } = body;
    await transact(this.#db, call, async (trx) => {
      const archiving = archived === undefined ? {} : { archived_at: archived ? trx.fn.now() : null };
      const [before] = await this.#db.namedIn<ChangedRow>(trx, 'projects.lock_to_change', lockToChangeSql, [projectId]);
      if (archived !== undefined) await requireRoleStill(this.#db, trx, call, 'project', projectId, 'owner');
      const after = await this.#touch(trx, call, projectId, { ...fields, ...archiving });
      const data = { fields: Object.keys(body).map((field) => (field === 'archived' ? 'archived_at' : field)) };
      await audit(trx, call, {
        event_type: 'project.updated', entity_type: 'project', entity_id: projectId, project_id: projectId, data: { ...data, ...valuesOf(data.fields, before, after) },
      });
      await emit(trx, { type: 'project.updated', entityId: projectId, projectId, userId: requireSelf(call), data });
    });
    return this.#read(call, projectId, access.role);
  }

  /** Hides the project and ends its builds at once; its rows and objects are erased in stages by a job. */
  async remove(call: Call, projectId: string): Promise<void> {
    await requireRoleOn(this.#db, call, 'project', projectId);
    const ended = await transact(this.#db, null, async (trx) => {
      // Whoever takes the project over at this moment comes before, and keeps it, or after, and finds none.
      await this.#db.namedIn(trx, 'projects.lock_to_change', lockToChangeSql, [projectId]);
      await requireRoleStill(this.#db, trx, call, 'project', projectId);
      const { name, deleted_at } = await this.#touch(trx, call, projectId, { deleted_at: trx.fn.now() });
      await audit(trx, call, { event_type: 'project.deleted', entity_type: 'project', entity_id: projectId, project_id: projectId });
      await emit(trx, { type: 'project.deleted', entityId: projectId, projectId, userId: requireSelf(call), data: { name, deleted_at } });
      await this.#on.erasures.begin(trx, [projectId]);
      return this.#on.builds.cancelIn(trx, [projectId], call, buildsEndedAtOnce);
    });
    this.#on.builds.told(ended);
  }

  async getSettings(call: Call, projectId: string): Promise<Versioned<ProjectSettings>> {
    await requireRoleOn(this.#db, call, 'project', projectId);
    const [row] = await this.#db.named<ProjectRow>('projects.by_id', projectByIdSql, [projectId, requireSelf(call)]);
    if (row === undefined) throw notFound();
    return { entity: readSettings(row.settings), etag: String(row.row_version) };
  }

  async updateSettings(call: Call, projectId: string, body: ProjectSettingsUpdate): Promise<Versioned<ProjectSettings>> {
    await requireRoleOn(this.#db, call, 'project', projectId);
    let version = 0;
    const entity = await transact(this.#db, call, async (trx) => {
      const row = await ProjectModel.query(trx).findById(projectId).whereNull('deleted_at').forUpdate();
      if (row === undefined) throw notFound();
      await requireRoleStill(this.#db, trx, call, 'project', projectId);
      const settings = mergeSettings(readSettings(row.settings), body);
      version = (await this.#touch(trx, call, projectId, { settings: JSON.stringify(settings) })).row_version;
      await audit(trx, call, { event_type: 'project.settings_updated', entity_type: 'project', entity_id: projectId, project_id: projectId, data: { ...body } });
      await emit(trx, { type: 'project.updated', entityId: projectId, projectId, userId: requireSelf(call), data: { fields: ['settings'] } });
      return settings;
    });
    return { entity, etag: String(version) };
  }

  /** What a project's previews and documents start from; for other domains, after they asked the policy. */
  async settingsOf(projectId: string): Promise<ProjectSettings> {
    const [row] = await this.#db.named<{ settings: ProjectSettingsUpdate }>('projects.settings', projectSettingsSql, [projectId]);
    if (row === undefined) throw notFound();
    return readSettings(row.settings);
  }

  /** The same of several; those that are gone are not in it. One statement. */
  async settingsOfEach(projectIds: readonly string[]): Promise<ReadonlyMap<string, ProjectSettings>> {
    const rows = await this.#db.named<{ id: string; settings: ProjectSettingsUpdate }>('projects.settings_of_each', settingsOfEachSql, [projectIds]);
    return new Map(rows.map(({ id, settings }) => [id, readSettings(settings)]));
  }

  /** Keeps the person in the team until the commit: who is taken out meanwhile would leave a project behind in it. */
  async #holdTeam(trx: Knex.Transaction, userId: string, teamId: string): Promise<void> {
    const held = await this.#db.namedIn(trx, 'projects.hold_team', `
      select 1 from teams t join team_members m on m.team_id = t.id and m.user_id = $2 and m.status = 'active'
       where t.id = $1 for share of t, m`, [teamId, userId]);
    if (held.length === 0) throw notFound();
  }

  /** How many count for the limit `projects`; for other domains, after they asked the policy. */
  used(userId: string): Promise<number> {
    return owned(this.#db.knex, userId);
  }

  async #read(call: Call, projectId: string, role: Project['role']): Promise<Versioned<Project>> {
    const [row] = await this.#db.named<ProjectRow>('projects.by_id', projectByIdSql, [projectId, requireSelf(call)]);
    if (row === undefined) throw notFound();
    const { settings: _settings, row_version: version, ...fields } = row;
    const entity = { ...fields, role };
    return { entity, etag: etagOf(version, entity) };
  }

  /** Changes the row under `If-Match`; answers it as it is then. */
  async #touch(trx: Knex.Transaction, call: Call, projectId: string, fields: Record<string, unknown>): Promise<ChangedRow> {
    const query = trx('projects').where({ id: projectId }).whereNull('deleted_at').update(fields).returning(['row_version', 'name', 'archived_at', 'deleted_at']);
    if (call.ifMatch !== null) query.where('row_version', versionOf(call.ifMatch));
    const [row] = (await query) as ChangedRow[];
    if (row !== undefined) return row;
    if (call.ifMatch === null) throw notFound();
    throw new ServiceError('PRECONDITION_FAILED', 'Somebody changed this since you read it. Read it again.');
  }

  async #count(userId: string, only: readonly string[] | null, filters: ProjectFilters): Promise<number> {
    const [row] = (await countProjects(this.#db.knex, userId, only, filters)) as { total: string }[];
    return Number(row?.total ?? 0);
  }

}

async function owned(knex: Knex, userId: string): Promise<number> {
  const [row] = await knex('projects').where({ owner_id: userId }).whereNull('deleted_at').count({ used: '*' });
  return Number(row?.used ?? 0);
}

function refuseLargeMetadata(metadata: Record<string, unknown> | undefined): void {
  if (metadata !== undefined && Buffer.byteLength(JSON.stringify(metadata)) > metadataBytes) {
    throw new ServiceError('VALIDATION_ERROR', 'The metadata are too large.', {
      details: [{ pointer: '#/body/metadata', message: `must NOT have more than ${metadataBytes} bytes`, rule: 'maxBytes' }],
    });
  }
}

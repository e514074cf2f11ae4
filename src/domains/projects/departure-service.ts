/** What becomes of somebody's projects when the account ends. */
import type { Knex } from 'knex';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { audit } from '../audit/audit.ts';
import type { ProjectErasures } from './erasures.ts';

export class ProjectDepartureService {
  readonly #erasures: Pick<ProjectErasures, 'begin'>;

  constructor(erasures: Pick<ProjectErasures, 'begin'>) {
    this.#erasures = erasures;
  }

  /** Hides every project that the account owns, to be erased; answers their ids. Seven statements, and one for each project's audit row. */
  async hideAllOf(trx: Knex.Transaction, call: Call, userId: string): Promise<string[]> {
    const hidden = await trx('projects').where({ owner_id: userId }).whereNull('deleted_at').update({ deleted_at: trx.fn.now() })
      .returning<{ id: string; name: string; deleted_at: string }[]>(['id', 'name', 'deleted_at']);
    const ids = hidden.map(({ id }) => id);
    for (const id of ids) await audit(trx, call, { event_type: 'project.deleted', entity_type: 'project', entity_id: id, project_id: id });
    await emit(trx, ...hidden.map(({ id, ...data }) => ({ type: 'project.deleted', entityId: id, projectId: id, userId, data })));
    await this.#erasures.begin(trx, ids);
    return ids;
  }

  /** Takes the account out of other people's projects. */
  async leaveAll(trx: Knex.Transaction, call: Call, userId: string): Promise<void> {
    const memberships = await trx('project_members').where({ user_id: userId }).delete()
      .returning<{ project_id: string; role: string; status: string }[]>(['project_id', 'role', 'status']);
    const left = memberships.filter(({ status }) => status === 'active');
    for (const { project_id: projectId } of left) {
      await audit(trx, call, { event_type: 'project.member_removed', entity_type: 'user', entity_id: userId, project_id: projectId });
    }
    await emit(trx, ...left.map(({ project_id: projectId, role }) => ({
      type: 'member.removed', entityId: userId, projectId, userId, data: { user_id: userId, role: role.toLowerCase(), source: 'project', changed_by: userId },
    })));
  }
}

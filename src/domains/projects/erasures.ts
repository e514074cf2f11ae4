import type { Knex } from 'knex';
import type { ScheduledJob } from '#jobs/scheduled.ts';
import type { SystemJobKind } from '#jobs/system-jobs.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import { audit } from '../audit/audit.ts';
import type { ProjectErasureStage } from '../project-data.ts';
import { StagedErasures } from '../staged-erasures.ts';

/**
 * At once, and again when everything is over that was under way then: builds, requests, and the URLs by which somebody
 * may still upload (an hour).
 */
const roundHours = [0, 3];

/** The erasure of deleted projects. Its row stays as the proof that it was done. */
export class ProjectErasures {
  readonly #staged: StagedErasures;

  /** @param stages in the order they run; two of one name are a fault */
  constructor(db: Database, stages: readonly ProjectErasureStage[], log: Logger) {
    this.#staged = new StagedErasures({
      db, table: 'project_erasures', key: 'project_id', kind: 'projects.erase', roundHours, stages,
      finish: (trx, projectId) => audit(trx, null, { event_type: 'project.erased', entity_type: 'project', entity_id: projectId, project_id: projectId }),
      erased: (projectId) => log.info('project.erased', 'The data of a deleted project are erased', { project_id: projectId }),
      resumed: (projectId) => log.warn('project.erasure_resumed', 'An erasure had no job any more and goes on', { project_id: projectId }),
      late: (projectId) => log.error('project.erasure_late', 'A deleted project should have been erased long ago', { project_id: projectId }),
    });
  }

  /** Asks for the erasure of these, in the transaction that deletes them. Five statements, four more for each thousand. */
  async begin(trx: Knex.Transaction, projectIds: readonly string[]): Promise<void> {
    if (projectIds.length === 0) return;
    await trx.raw('insert into project_erasures (project_id) select unnest(?::uuid[]) on conflict (project_id) do nothing', [[...projectIds]]);
    await this.#staged.ask(trx, projectIds);
  }

  get kinds(): readonly SystemJobKind[] {
    return this.#staged.kinds;
  }

  get schedules(): readonly ScheduledJob[] {
    return this.#staged.schedules;
  }

  /** Runs the stages of both rounds that are not done yet. Any number may do so at once. */
  async erase(projectId: string, signal: AbortSignal): Promise<void> {
    await this.#staged.erase(projectId, signal);
  }
}

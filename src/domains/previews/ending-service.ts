import type { Knex } from 'knex';
import type { JobKind } from '#jobs/kinds.ts';
import { cancel } from '#jobs/leases.ts';
import type { Call } from '#platform/call.ts';

/** The end of builds that nobody may have any more, for whoever shuts out an account or hides a project. */
export class PreviewEndingService {
  readonly #kind: JobKind;

  constructor(kind: JobKind) {
    this.#kind = kind;
  }

  /**
   * Ends every build that an account asked for and that is not over, also those that wait for their sources, inside the
   * caller's transaction; hand what it answers to `told` after the commit. Three statements a job: what a tier lets run
   * at once, and what was asked for within the hour and never uploaded.
   */
  async cancelAllOf(trx: Knex.Transaction, userId: string, by: Call | null): Promise<string[]> {
    return this.#cancelThose(trx, trx('preview_jobs').where({ requested_by: userId }), by);
  }

  /** The same for the builds of projects, whoever asked for them; `atMost` so many, where somebody comes again for the rest. */
  async cancelIn(trx: Knex.Transaction, projectIds: readonly string[], by: Call | null, atMost?: number): Promise<string[]> {
    const jobs = trx('preview_jobs').whereIn('project_id', projectIds);
    return this.#cancelThose(trx, atMost === undefined ? jobs : jobs.limit(atMost), by);
  }

  /** Who watches the builds sees their end; their workers are told at their next word. */
  told(jobIds: readonly string[]): void {
    for (const id of jobIds) this.#kind.changed(id);
  }

  async #cancelThose(trx: Knex.Transaction, jobs: Knex.QueryBuilder, by: Call | null): Promise<string[]> {
    // In one order, so that two that end the same builds do not lock each other out.
    const open: { id: string }[] = await jobs.whereIn('status', ['queued', 'running']).orderBy('id').select('id');
    const ended: string[] = [];
    for (const { id } of open) {
      if (await cancel(trx, this.#kind, id, by) !== null) ended.push(id);
    }
    return ended;
  }
}

import type { Knex } from 'knex';
import type { JobKind, JobTable } from '#jobs/kinds.ts';
import { cancel } from '#jobs/leases.ts';
import type { Call } from '#platform/call.ts';

/** The end of builds that nobody may have any more, for whoever shuts out an account or hides a project. */
export class PreviewEndingService {
  readonly #kinds: readonly JobKind[];

  constructor(kinds: readonly JobKind[]) {
    this.#kinds = kinds;
  }

  /**
   * Ends every build that an account asked for and that is not over, also those that wait for their sources, inside the
   * caller's transaction; hand what it answers to `told` after the commit. Three statements a job: what a tier lets run
   * at once, and what was asked for within the hour and never uploaded.
   */
  async cancelAllOf(trx: Knex.Transaction, userId: string, by: Call | null): Promise<string[]> {
    return this.#cancelThose(trx, by, (table) => trx(table).where({ requested_by: userId }));
  }

  /** The same for the builds of projects, whoever asked for them; `atMost` so many, where somebody comes again for the rest. */
  async cancelIn(trx: Knex.Transaction, projectIds: readonly string[], by: Call | null, atMost?: number): Promise<string[]> {
    return this.#cancelThose(trx, by, (table) => {
      const jobs = trx(table).whereIn('project_id', projectIds);
      return atMost === undefined ? jobs : jobs.limit(atMost);
    });
  }

  /** Ends the live sessions that began with a preview. */
  async cancelLiveOf(trx: Knex.Transaction, jobId: string, by: Call | null): Promise<string[]> {
    return this.#cancelThose(trx, by, (table) => trx(table).where({ job_id: jobId }), this.#kinds.filter(({ live }) => live !== undefined));
  }

  /** Who watches the builds sees their end; their workers are told at their next word. */
  told(jobIds: readonly string[]): void {
    // Of whatever kind: it is told by its id.
    for (const id of jobIds) this.#kinds[0]?.changed(id);
  }

  async #cancelThose(trx: Knex.Transaction, by: Call | null, jobsIn: (table: JobTable) => Knex.QueryBuilder, kinds = this.#kinds): Promise<string[]> {
    const ended: string[] = [];
    for (const kind of kinds) {
      // In one order, so that two that end the same builds do not lock each other out.
      const open: { id: string }[] = await jobsIn(kind.table).whereIn('status', ['queued', 'running']).orderBy('id').select('id');
      for (const { id } of open) {
        if (await cancel(trx, kind, id, by) !== null) ended.push(id);
      }
    }
    return ended;
  }
}

/** Jobs that were given up after their last attempt: administrators look at them, and put back those whose cause is mended. */
import type { Knex } from 'knex';
import type { DeadJob, DeadJobPage } from '#generated/sdk/types.gen.ts';
import type { JobKind, JobRow } from '#jobs/kinds.ts';
import { revive } from '#jobs/leases.ts';
import { reviveSystemJob } from '#jobs/system-life.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact, violatedConstraint } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireAdmin } from '../policy.ts';
import {
  countDeadJobsSql, type DeadJobFilters, type DeadJobRow, deadSystemJobSql, deadWorkerJobSql, listDeadJobsSql, lockSystemJobSql, lockWorkerJobSql,
} from './dead-jobs-queries.ts';

export class DeadJobService {
  readonly #db: Database;
  readonly #kinds: readonly JobKind[];

  constructor(db: Database, kinds: readonly JobKind[]) {
    this.#db = db;
    this.#kinds = kinds;
  }

  /** Newest first by when they died. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery & DeadJobFilters): Promise<DeadJobPage> {
    requireAdmin(call);
    const filters = { kind: query.kind, project_id: query.project_id };
    const after = readCursor(query, filters);
    // A kind of the system's own has no project: such a job cannot be.
    if (filters.kind !== undefined && filters.project_id !== undefined && this.#kinds.every(({ kind }) => kind !== filters.kind)) return pageOf<DeadJob>([], query, filters, 0, keyOf);
    const listed = listDeadJobsSql(this.#kinds, filters, { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after });
    const { rows } = await this.#db.knex.raw<{ rows: DeadJobRow[] }>(listed.text, listed.values as never);
    return pageOf(rows.map(present), query, filters, after === null ? await this.#count(filters) : null, keyOf);
  }

  /** Puts a dead job back for another round of attempts. CONFLICT when it was put back already, or cannot run any more: a live session never. */
  async retry(call: Call, jobId: string): Promise<DeadJob> {
    requireAdmin(call);
    const retried = await transact(this.#db, call, async (trx) => {
      const job = await this.#reviveWorkers(trx, jobId) ?? await this.#reviveSystem(trx, jobId);
      if (job === null) throw notFound();
      const { kind, attempts, failure_kind, project_id } = job;
      await audit(trx, call, {
        event_type: 'job.retried', entity_type: kind === 'preview' ? 'preview_job' : 'system_job', entity_id: jobId, project_id, data: { kind, attempts, failure_kind },
      });
      return job;
    });
    this.#kinds.find(({ kind }) => kind === retried.kind)?.changed(jobId);
    return retried;
  }

  async #reviveWorkers(trx: Knex.Transaction, jobId: string): Promise<DeadJob | null> {
    for (const kind of this.#kinds) {
      const [job] = await this.#db.namedIn<JobRow>(trx, `jobs.lock.${kind.kind}`, lockWorkerJobSql(kind), [jobId]);
      if (job === undefined) continue;
      requireDead(job);
      const [dead] = await this.#db.namedIn<DeadJobRow>(trx, `jobs.dead.${kind.kind}`, deadWorkerJobSql(kind), [jobId]);
      const lacking = await kind.lacks(trx, job);
      if (lacking !== null) throw new ServiceError('CONFLICT', `This job cannot run any more. ${lacking}`);
      const revived = await revive(trx, kind, jobId);
      if (revived === null || dead === undefined) throw new ServiceError('CONFLICT', 'This job was put back too often.');
      return present({ ...dead, retried_at: revived.retried_at });
    }
    return null;
  }

  async #reviveSystem(trx: Knex.Transaction, jobId: string): Promise<DeadJob | null> {
    const [job] = await this.#db.namedIn<{ died_at: string | null; retried_at: string | null }>(trx, 'jobs.lock_system', lockSystemJobSql, [jobId]);
    if (job === undefined) return null;
    requireDead(job);
    const [dead] = await this.#db.namedIn<DeadJobRow>(trx, 'jobs.dead_system', deadSystemJobSql, [jobId]);
    if (dead === undefined) return null;
    try {
      await reviveSystemJob(trx, jobId);
    } catch (error) {
      // It is made once at a time, and its next run is there already: that one does what this would do.
      if (violatedConstraint(error) !== 'system_jobs_dedupe_key_idx') throw error;
      throw new ServiceError('CONFLICT', 'Another job does this work already.', { cause: error });
    }
    const { rows: [now] } = await trx.raw<{ rows: { retried_at: string }[] }>('select retried_at from system_jobs where id = ?', [jobId]);
    return present({ ...dead, retried_at: now?.retried_at ?? null });
  }

  async #count(filters: DeadJobFilters): Promise<number> {
    const { text, values } = countDeadJobsSql(this.#kinds, filters, countBound + 1);
    const { rows: [row] } = await this.#db.knex.raw<{ rows: { total: number }[] }>(text, values as never);
    return Number(row?.total ?? 0);
  }
}

/** NOT_FOUND for a job that never died; CONFLICT for one that was put back. */
function requireDead({ died_at, retried_at }: { readonly died_at: string | null; readonly retried_at: string | null }): void {
  if (died_at !== null) return;
  if (retried_at === null) throw notFound();
  throw new ServiceError('CONFLICT', 'This job was put back already.');
}

const keyOf = ({ died_at, job_id }: DeadJob): { at: string; id: string } => ({ at: died_at, id: job_id });

/** As the contract shows it: field by field, whatever the row holds. */
const present = (row: DeadJobRow): DeadJob => ({
  job_id: row.job_id,
  kind: row.kind,
  project_id: row.project_id,
  requested_by: row.requested_by,
  queue: row.queue,
  attempts: row.attempts,
  worker_id: row.worker_id,
  failure_kind: row.failure_kind,
  failure_message: row.failure_message.slice(0, 2_000),
  created_at: row.created_at,
  died_at: row.died_at,
  retried_at: row.retried_at,
});

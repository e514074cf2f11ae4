/**
 * The kinds of worker job. Each keeps its jobs in a table of its own with the same columns for the queue, the life and
 * the lease (see migrations/0008_previews.ts), so that claiming, extending, finishing and reconciling are written once.
 */
import type { Knex } from 'knex';

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'timed_out';

/** The columns every job table has. */
export interface JobRow {
  readonly id: string;
  readonly project_id: string;
  readonly requested_by: string;
  readonly status: JobStatus;
  readonly stage: string | null;
  readonly progress: number;
  readonly queue_class: 'cpu' | 'gpu';
  readonly queue_priority: 'high' | 'normal' | 'low';
  readonly epoch: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly max_build_ms: number;
  readonly worker_id: string | null;
  readonly lease_expires_at: string | null;
  readonly cancel_requested_at: string | null;
  readonly queued_at: string | null;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly error_code: string | null;
  readonly row_version: number;
}

export interface JobKind {
  readonly kind: 'preview';
  readonly table: 'preview_jobs';
  /** Writes what this kind's owner hears when a job ends: audit, events. In the transaction that ends it. */
  ended(trx: Knex.Transaction, job: JobRow): Promise<void>;
}

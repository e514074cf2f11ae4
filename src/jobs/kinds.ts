/**
 * The kinds of worker job. Each keeps its jobs in a table of its own with the same columns for the queue, the life and
 * the lease (see migrations/0008_previews.ts), so that claiming, extending, finishing and reconciling are written once;
 * what differs from kind to kind stands behind this interface, which the kind's domain implements.
 */
import type { Knex } from 'knex';
import type { ContentCoding, JobArtifact, JobFailure, JobInput, JobLogLine, JobResultReport, LiveChangeSet, LiveResult } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Binding } from '#platform/database.ts';
import type { EndValue } from './leases.ts';
import type { DomainEvent } from './outbox.ts';

/** The tables of worker jobs. */
export const jobTables = ['preview_jobs', 'live_sessions'] as const;
export type JobTable = (typeof jobTables)[number];

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
  readonly queued_at: string | null;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly error_code: string | null;
  /** When it was given up after its last attempt. */
  readonly died_at: string | null;
  /** When an administrator last put it back. */
  readonly retried_at: string | null;
  readonly row_version: number;
}

export interface JobEnding {
  readonly audit: { readonly event_type: string; readonly entity_type: string; readonly entity_id: string; readonly project_id: string; readonly data: Readonly<Record<string, unknown>> };
  readonly event: DomainEvent | null;
}

export interface JobKind {
  readonly kind: 'preview' | 'live_session';
  readonly table: JobTable;
  /** The stages it goes through; a worker of another kind of job knows others. */
  readonly stages: readonly string[];
  /** Where the objects of the job's present attempt live; a result may name nothing outside it. Ends in a slash. */
  objectPrefix(job: JobRow): string;
  /**
   * Puts what the project holds already where the job would upload it, as far as that goes; answers the keys at which
   * something lies now. Outside any transaction. A kind without it uploads all it makes.
   */
  reuse?(job: JobRow, made: readonly MadeObject[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Everything a worker needs, with URLs that hold for `validSeconds`. Outside any transaction. */
  input(job: JobRow, validSeconds: number): Promise<JobInput>;
  /**
   * What a report names, of either status. Looks whether it is the job's own, is there and is what it says; throws
   * VALIDATION_ERROR where not. Outside any transaction.
   */
  checkResult(job: JobRow, report: JobResultReport): Promise<readonly JobArtifact[]>;
  /** Columns of the job's own that a success sets; `artifacts` as `checkResult` answered them. */
  resultFields(report: JobResultReport, artifacts: readonly JobArtifact[]): Readonly<Record<string, Binding>>;
  /** Columns of the job's own that every end under its lease sets. */
  endFields(job: JobRow): Promise<Readonly<Record<string, EndValue>>>;
  /** Keeps what the job made, in the transaction that ends it. */
  keepArtifacts(trx: Knex.Transaction, job: JobRow, artifacts: readonly JobArtifact[]): Promise<void>;
  /** How a failure is told: the status it ends in, the error code, and the columns of the job's own. */
  failureFields(failure: JobFailure): { readonly status: 'failed' | 'timed_out'; readonly error_code: string; readonly fields: Readonly<Record<string, Binding>> };
  /** Whether no further attempt can mend it, whatever the worker says of it: the same sources fail the same way again. */
  isFinal(failure: JobFailure): boolean;
  /** What the job needs and does not have any more, in words; null where it could run again. In the transaction that puts it back. */
  lacks(trx: Knex.Transaction, job: JobRow): Promise<string | null>;
  /** Columns of the job's own as they are before it ends. */
  readonly unendedFields: Readonly<Record<string, unknown>>;
  /** Begins an attempt after the first, in the transaction that claims it: what the attempt before left in the log goes. */
  begun(trx: Knex.Transaction, job: JobRow): Promise<void>;
  /** Adds lines of an attempt's log; lines that are there already change nothing. */
  appendLog(trx: Knex.Transaction, job: JobRow, offset: number, lines: readonly JobLogLine[]): Promise<void>;
  /** What others hear of a job that ended as this row says. */
  ending(job: JobRow): JobEnding;
  /** Writes it, in the transaction that ends a job over the head of its lease; `by` is who ended it, null for the system. */
  ended(trx: Knex.Transaction, job: JobRow, by: Call | null): Promise<void>;
  /** Tells who watches the job that its row has changed. Best effort: watchers look by themselves as well. */
  changed(jobId: string, how?: 'changed' | 'ended'): void;
  /** Of a kind whose job goes on as changes come. */
  readonly live?: LiveChanges;
}

/** What a worker has made and is about to store. */
export interface MadeObject {
  readonly key: string;
  readonly path: string;
  readonly encoding: ContentCoding;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface LiveChanges {
  /** Looks whether what results name is there; throws VALIDATION_ERROR where not. Outside any transaction. */
  check(job: JobRow, results: readonly LiveResult[]): Promise<void>;
  /** Takes what the worker made of changes, in the transaction that extends its lease. Told again, it changes nothing. */
  take(trx: Knex.Transaction, job: JobRow, results: readonly LiveResult[]): Promise<void>;
  /** The changes that nobody has told of yet, oldest first. */
  pending(jobId: string): Promise<LiveChangeSet[]>;
}

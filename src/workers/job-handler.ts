/** What a kind of job has to bring, and what it is given. The runtime does the rest: claim, lease, result. */
import type { ClaimedJob, JobArtifact, JobFailure, JobInput, JobLogLine, JobResult, JobStage, JobUpload, JobUploadSpec, LiveChangeSet, LiveResult } from '#generated/sdk/types.gen.ts';
import type { Logger } from '#platform/log.ts';

export interface JobProgressUpdate {
  readonly stage: JobStage;
  /** 0 to 100; a lower one than before is not shown. */
  readonly percent: number;
  /** In the stage's own unit. */
  readonly done?: number;
  readonly total?: number;
}

export interface JobContext<Input extends JobInput = JobInput> {
  readonly job: Omit<ClaimedJob, 'input'> & { readonly input: Input };
  /** An empty folder of this attempt's own; removed afterwards, however the attempt ends. */
  readonly workDir: string;
  /** Aborted when the work is to end: lease lost, cancelled, overdue, or the worker stops. Its reason is a JobStopped. */
  readonly signal: AbortSignal;
  /** For the operator; never shown to the user. */
  readonly log: Logger;
  /** Shown to whoever follows the job; sent in batches. */
  progress(update: JobProgressUpdate): void;
  /** The job's own log, as its author reads it: bounded, host paths and secrets struck out. */
  logLine(level: JobLogLine['level'], message: string, atMs?: number): void;
  /** A text without secrets and without a path of this machine. */
  redact(text: string): string;
  /** Of a live session: tells what was made of changes, and waits for the next, at most so long; none when the wait was over. */
  live(results: readonly LiveResult[], waitMs: number): Promise<LiveChangeSet[]>;
  /** Presigned PUTs for these objects, in their order. Rejects with JobStopped when the lease is lost. */
  createUploads(objects: readonly JobUploadSpec[]): Promise<JobUpload[]>;
}

export type JobOutcome =
  | { readonly status: 'SUCCESS'; readonly result: JobResult | null; readonly bundleKey?: string; readonly logKey?: string; readonly artifacts?: readonly JobArtifact[] }
  | { readonly status: 'FAIL'; readonly failure: JobFailure; readonly logKey?: string; readonly artifacts?: readonly JobArtifact[] };

export interface JobHandler {
  /** Does the work of one attempt. What it throws, other than the signal's reason, counts as an internal, retryable failure. */
  run(context: JobContext): Promise<JobOutcome>;
}

/** `lease_lost`, `cancelled`: somebody else decides now, report nothing. `deadline`: report a timeout. `worker_stops`: it is put back. */
export type StopReason = 'lease_lost' | 'cancelled' | 'deadline' | 'worker_stops';

export class JobStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`The job was stopped: ${reason}.`);
    this.name = 'JobStopped';
    this.reason = reason;
  }
}

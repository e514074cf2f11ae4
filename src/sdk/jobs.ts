/** Waits for jobs: by their event stream, and by asking where the stream cannot be had. */
import { HiveSyncError } from './errors.ts';
import type { ApiEvent } from './events.ts';
import { pause as waitFor } from './transport.ts';

/** What every kind of job has. */
export interface AnyJob {
  readonly id: string;
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'timed_out';
  readonly progress: number;
}

export interface JobSource<Job extends AnyJob> {
  get(signal: AbortSignal): Promise<Job>;
  events(signal: AbortSignal): AsyncIterable<ApiEvent>;
}

export interface WaitOptions<Job extends AnyJob = AnyJob> {
  /** Called with the job as it is: first at once, then on each change. */
  readonly onUpdate?: (job: Job) => void;
  /** Called with the stream's other events, such as `log`. */
  readonly onEvent?: (event: ApiEvent) => void;
  readonly signal?: AbortSignal;
  /** How long to wait altogether; default 30 minutes. */
  readonly timeoutMs?: number;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const isOver = (job: AnyJob): boolean => job.status !== 'queued' && job.status !== 'running';

/** A stream refused so often in a row is not tried again; asking goes on. */
const maxStreamFailures = 3;
const defaultTimeoutMs = 1_800_000;

/** Seconds between questions: 1, 2, 4, then 5. */
const questionPauseMs = (round: number): number => Math.min(5_000, 1_000 * 2 ** (round - 1));

/** An answer that will not change by asking again. */
const isFinal = (error: unknown): boolean =>
  !(error instanceof HiveSyncError) || error.code === 'ABORTED' || [400, 401, 403, 404, 410].includes(error.status);

function isJob<Job extends AnyJob>(value: unknown, id: string | null): value is Job {
  return typeof value === 'object' && value !== null && 'status' in value && 'id' in value && (id === null || value.id === id);
}

async function followStream<Job extends AnyJob>(source: JobSource<Job>, options: WaitOptions<Job>, signal: AbortSignal): Promise<Job | null> {
  let id: string | null = null;
  for await (const event of source.events(signal)) {
    if (event.event === 'job' && isJob<Job>(event.data, id)) {
      id = event.data.id;
      options.onUpdate?.(event.data);
      if (isOver(event.data)) return event.data;
    } else options.onEvent?.(event);
  }
  return null;
}

/**
 * Waits until the job is over and answers it, whichever way it ended.
 * @throws HiveSyncError DEADLINE_EXCEEDED, ABORTED, or what the API refuses for good
 */
export async function waitForJob<Job extends AnyJob>(source: JobSource<Job>, options: WaitOptions<Job> = {}): Promise<Job> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const late = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? late : AbortSignal.any([late, options.signal]);
  let failures = 0;
  try {
    for (let round = 1; ; round += 1) {
      if (failures < maxStreamFailures) {
        try {
          const job = await followStream(source, options, signal);
          if (job !== null) return job;
          failures = 0;
        } catch (error) {
          if (signal.aborted || isFinal(error)) throw error;
          failures += 1;
        }
      }
      signal.throwIfAborted();
      const job = await source.get(signal);
      options.onUpdate?.(job);
      if (isOver(job)) return job;
      await (options.pause ?? waitFor)(questionPauseMs(round), signal);
    }
  } catch (cause) {
    if (late.aborted) throw new HiveSyncError('DEADLINE_EXCEEDED', `The job was not over within ${timeoutMs} ms; it goes on.`, { cause });
    if (options.signal?.aborted === true) throw new HiveSyncError('ABORTED', 'The waiting was broken off; the job goes on.', { cause });
    throw cause;
  }
}

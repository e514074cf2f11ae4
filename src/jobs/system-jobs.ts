/**
 * System jobs: work of the backend's own process group, inside its trust. They are added in the transaction of what asks
 * for them; the runner (runner.ts) takes them up after its commit, on whichever API process is free, and tries again
 * with a growing wait until they succeed or their attempts are used up.
 */
import type { Knex } from 'knex';
import { newId } from '#platform/ids.ts';
import { enqueue } from './outbox.ts';

/** What a job is asked to do: ids and plain values, never a secret. It is emptied when the job ends, unless it died of its attempts and may be put back. */
export type JobPayload = Readonly<Record<string, unknown>>;

export interface SystemJobRun {
  readonly jobId: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** Aborted when the job's time is up, its lease is lost or the process goes down; the attempt must end then, within two seconds. */
  readonly signal: AbortSignal;
}

/** One kind of system job. Its `run` may be called again for work that was done already, and must then do no harm. */
export interface SystemJobKind {
  readonly kind: string;
  /** The longest one attempt may take. While it runs its lease is extended, so that no second attempt begins beside it. */
  readonly timeoutMs: number;
  /** Throws to be tried again; GivenUp to be not. */
  run(payload: JobPayload, on: SystemJobRun): Promise<void>;
  /** Called once, in the transaction that ends a job for good without success. What it throws undoes its own part alone. */
  givenUp?(trx: Knex.Transaction, payload: JobPayload): Promise<void>;
}

/** Thrown by a job that no further attempt can help (the address does not exist, the row is gone). */
export class GivenUp extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GivenUp';
  }
}

export interface SystemJobRequest {
  readonly kind: string;
  readonly payload?: JobPayload;
  readonly delayMs?: number;
  /** 8 unless told: with the waits of the runner about two hours. */
  readonly maxAttempts?: number;
  /** While a job with this key is queued or running no second one is made. */
  readonly dedupeKey?: string;
}

/** Adds a job in the transaction of what asks for it; answers its id, or null where one with its `dedupeKey` is open already. */
export async function addSystemJob(trx: Knex.Transaction, request: SystemJobRequest): Promise<string | null> {
  const [id] = await addSystemJobs(trx, [request]);
  return id ?? null;
}

/** Of one statement: what it binds is bounded. */
const addedAtOnce = 1_000;

/** Adds several that wait equally long, in two statements for each thousand; answers the ids of those that were not open already. */
export async function addSystemJobs(trx: Knex.Transaction, requests: readonly SystemJobRequest[]): Promise<string[]> {
  const added: string[] = [];
  for (let start = 0; start < requests.length; start += addedAtOnce) added.push(...await addBatch(trx, requests.slice(start, start + addedAtOnce)));
  return added;
}

async function addBatch(trx: Knex.Transaction, requests: readonly SystemJobRequest[]): Promise<string[]> {
  const [first] = requests;
  if (first === undefined) return [];
  const { delayMs = 0 } = first;
  if (requests.some((request) => (request.delayMs ?? 0) !== delayMs)) throw new Error('System jobs that are added at once wait equally long.');
  const rows = await trx('system_jobs')
    .insert(requests.map(({ kind, payload = {}, maxAttempts = 8, dedupeKey }) => ({
      id: newId(), kind, payload: JSON.stringify(payload), max_attempts: maxAttempts, dedupe_key: dedupeKey ?? null,
      run_after: trx.raw("now() + ? * interval '1 millisecond'", [delayMs]),
    })))
    .onConflict(trx.raw("(dedupe_key) where dedupe_key is not null and status in ('queued', 'running')") as never)
    .ignore()
    .returning<{ id: string }[]>('id');
  await enqueue(trx, rows.map(({ id }) => ({ jobId: id, epoch: 0, queueClass: 'system', priority: 'normal' })), delayMs);
  return rows.map(({ id }) => id);
}

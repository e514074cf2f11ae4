/**
 * What leaves a transaction: events that others hang on, and jobs that must reach a queue. Written in the transaction of
 * the effect, sent by the relay after its commit: nothing is enqueued for what never happened, nothing that happened is
 * forgotten.
 */
import type { Knex } from 'knex';
import { newId } from '#platform/ids.ts';
import type { QueueClass, QueuePriority } from '#platform/queue.ts';

export interface DomainEvent {
  /** Given to it when it is emitted: however often a consumer is told of it, and at what moment it happened (UUIDv7). */
  readonly id?: string;
  /** `task.created`, `preview.succeeded`, … */
  readonly type: string;
  readonly entityId: string;
  readonly projectId?: string | null;
  /** Whose doing it was. */
  readonly userId?: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Enqueueing {
  readonly jobId: string;
  readonly epoch: number;
  readonly queueClass: QueueClass;
  readonly priority: QueuePriority;
  /** Whose job it is, where accounts take turns (turns.ts). */
  readonly turnOf?: string;
}

/** What the outbox holds of an event: with the id that it has from then on. */
export const eventPayload = (event: DomainEvent): string => JSON.stringify({ id: newId(), ...event });

/** Tells everybody who listens, once the transaction has committed. One statement however many events. */
export async function emit(trx: Knex.Transaction, ...events: readonly DomainEvent[]): Promise<void> {
  if (events.length === 0) return;
  await trx('outbox').insert(events.map((event) => ({ kind: 'event', topic: event.type, payload: eventPayload(event) })));
}

/** Puts jobs on their queues, once the transaction has committed and, for a delayed one, its time has come. */
export async function enqueue(trx: Knex.Transaction, jobs: readonly Enqueueing[], delayMs = 0): Promise<void> {
  if (jobs.length === 0) return;
  await trx('outbox').insert(jobs.map(({ turnOf, ...job }) => ({
    kind: 'job', topic: `${job.queueClass}:${job.priority}`, payload: JSON.stringify(job),
    ...(turnOf === undefined ? {} : { turn_of: turnOf, job_id: job.jobId, epoch: job.epoch }),
    ...(delayMs > 0 ? { run_after: trx.raw("now() + ? * interval '1 millisecond'", [delayMs]) } : {}),
  })));
}

import type { Knex } from 'knex';
import type { Redis } from 'ioredis';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import type { JobMessage, JobProducer } from '#platform/queue.ts';
import type { JobKind, JobRow } from './kinds.ts';
import { end, isOverdue, requeue, send } from './leases.ts';

/** Jobs looked at in one round; the rest come in the next. */
const roundSize = 500;
/** A queued job whose message should long have reached its queue. */
const missingAfterSeconds = 30;
/** A job whose sources never came is let go. */
const uploadHours = 1;
/** Says that Redis is the one we filled: a wiped one has it no more. */
const sentinelKey = 'queue:sentinel';
const sentinelSeconds = 30 * 24 * 60 * 60;
const sentRowHours = 24;

/**
 * Brings jobs whose worker or queue was lost back on their way. Any number may run: every change is conditional, and one
 * advisory lock lets one at a time do the work.
 */
export class Reconciler {
  readonly #db: Database;
  readonly #redis: Redis;
  readonly #producer: JobProducer;
  readonly #kinds: readonly JobKind[];
  readonly #log: Logger;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(db: Database, redis: Redis, producer: JobProducer, kinds: readonly JobKind[], log: Logger, everyMs: number) {
    this.#db = db;
    this.#redis = redis;
    this.#producer = producer;
    this.#kinds = kinds;
    this.#log = log;
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.reconcile()
        .catch((error: unknown) => { this.#log.warn('jobs.reconcile', 'a round failed; the next one tries again', { error: error instanceof Error ? error.message : String(error) }); })
        .finally(() => { if (!this.#stopped) this.start(); });
    }, this.#everyMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round, whole. Harmless to repeat. */
  async reconcile(): Promise<void> {
    const wiped = await this.#wasWiped();
    await this.#db.knex.transaction(async (trx) => {
      const [lock] = (await trx.raw<{ rows: { taken: boolean }[] }>("select pg_try_advisory_xact_lock(hashtext('jobs.reconcile')) as taken")).rows;
      if (lock?.taken !== true) return;
      for (const kind of this.#kinds) {
        await this.#recoverLost(trx, kind);
        await this.#sendDue(trx, kind, wiped);
        await this.#letGo(trx, kind);
      }
      await trx('outbox').where('sent_at', '<', trx.raw(`now() - interval '${sentRowHours} hours'`)).delete();
    });
    // Only now is what the wipe lost on its way again; a round that failed must find the sentinel missing still.
    if (wiped) await this.#redis.set(sentinelKey, '1', 'EX', sentinelSeconds);
  }

  /** Leases that ran out: again on the queue, or ended after the last attempt. Overdue ones are timed out. */
  async #recoverLost(trx: Knex.Transaction, kind: JobKind): Promise<void> {
    const lost: JobRow[] = await trx(kind.table)
      .where('status', 'running').where('lease_expires_at', '<', trx.fn.now())
      .orderBy('lease_expires_at').limit(roundSize).forUpdate().skipLocked();
    for (const job of lost) {
      if (isOverdue(job)) await end(trx, kind, job.id, { status: 'timed_out', error_code: 'PREVIEW_TIMEOUT', failure: { kind: 'timeout', message: 'The build took longer than its limit.' } });
      else if (job.attempt >= job.max_attempts) await end(trx, kind, job.id, { status: 'failed', error_code: 'INTERNAL_ERROR', failure: { kind: 'worker_lost', message: `The worker was lost in each of ${job.attempt} attempts.` } });
      else await requeue(trx, kind, job.id, { delayMs: 0 });
      this.#log.warn('jobs.lease_lost', 'a lease ran out', { job_id: job.id, attempt: job.attempt, worker_id: job.worker_id });
    }
  }

  /** Queued jobs whose time has come and whose message is not in Redis: all of them after a wipe, else the overdue. */
  async #sendDue(trx: Knex.Transaction, kind: JobKind, wiped: boolean): Promise<void> {
    const query = trx(kind.table)
      .where('status', 'queued').whereNotNull('queued_at').where('run_after', '<=', trx.fn.now())
      .orderBy('queued_at').limit(roundSize).forUpdate().skipLocked();
    // Without a wipe: those that have waited long, and those whose delayed retry has just come due.
    if (!wiped) {
      query.where((late) => late
        .where('updated_at', '<', trx.raw(`now() - interval '${missingAfterSeconds} seconds'`))
        .orWhere('run_after', '>', trx.ref('updated_at')));
    }
    const waiting: JobRow[] = await query;
    for (const job of waiting) {
      const message: JobMessage = { jobId: job.id, epoch: job.epoch };
      if (await this.#producer.holds(job.queue_class, job.queue_priority, message)) continue;
      const [moved] = await trx(kind.table).where({ id: job.id, status: 'queued' }).update({ epoch: trx.raw('epoch + 1') }).returning<JobRow[]>('*');
      if (moved !== undefined) await send(trx, moved);
    }
  }

  async #letGo(trx: Knex.Transaction, kind: JobKind): Promise<void> {
    const forgotten: { id: string }[] = await trx(kind.table)
      .where('status', 'queued').whereNull('queued_at').where('created_at', '<', trx.raw(`now() - interval '${uploadHours} hours'`))
      .select('id').limit(roundSize);
    for (const job of forgotten) await end(trx, kind, job.id, { status: 'cancelled', error_code: null });
  }

  async #wasWiped(): Promise<boolean> {
    return (await this.#redis.exists(sentinelKey)) === 0;
  }
}

import type { Knex } from 'knex';
import type { Redis } from 'ioredis';
import { mapBounded } from '#platform/concurrency.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import type { JobProducer } from '#platform/queue.ts';
import { sdkVersionOf } from './claims.ts';
import type { JobKind, JobRow } from './kinds.ts';
import { cancel, giveUp, isOverdue, requeue, retryDelayMs, send } from './leases.ts';
import type { SystemJobKind } from './system-jobs.ts';
import { recoverLostSystemJobs, sendMissingSystemJobs } from './system-reconciler.ts';

/** Rows looked at in one statement. */
const batchSize = 500;
/** Queued jobs whose message is looked for in one round; the rest come in the next. */
const lookedFor = 10_000;
/** Questions to Redis at once. */
const asksAtOnce = 64;
/** A queued job whose message should long have reached its queue. */
const missingAfterSeconds = 30;
/** A job whose sources never came is let go. */
const uploadHours = 1;
/**
 * A job whose SDK set no living worker of its class holds is given up after this: its account's other jobs wait for their turn
 * behind it. Where no worker lives at all it waits on: whatever comes may hold it.
 */
const unheldMinutes = 10;
const livingSeconds = 45;
/** Says that Redis is the one we filled: a wiped one has it no more. */
const sentinelKey = 'queue:sentinel';
const sentinelSeconds = 30 * 24 * 60 * 60;

/** Messages that the relay has not sent yet: they are on their way. */
const unsentSql = "select payload ->> 'jobId', (payload ->> 'epoch')::int from outbox where sent_at is null and kind = 'job'";

/** `\\?` is the operator: the driver would take it for a place of its own. */
const unheldSql = ({ table }: JobKind): string => `
  with living as materialized (
    select type, capabilities -> 'sdk_versions' as sets from worker_nodes
     where status in ('active', 'draining') and last_heartbeat_at > now() - interval '${livingSeconds} seconds'
  )
  select ${table}.id, held.version as sdk_version from ${table} cross join lateral (select ${sdkVersionOf[table]} as version) held
   where status = 'queued' and queued_at < now() - interval '${unheldMinutes} minutes'
     and exists (select from living where type = queue_class)
     and not exists (select from living where type = queue_class and sets \\? held.version)
   limit ${batchSize} for update of ${table} skip locked`;

/** What is known of Redis at the start of a round. */
type RedisState = 'whole' | 'wiped' | 'away';

/**
 * Brings jobs whose worker or queue was lost back on their way. Any number may run: every change is conditional, and one
 * advisory lock lets one at a time do the work.
 */
export class Reconciler {
  readonly #db: Database;
  readonly #redis: Redis;
  readonly #producer: JobProducer;
  readonly #kinds: readonly JobKind[];
  readonly #systemKinds: readonly SystemJobKind[];
  readonly #log: Logger;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(on: {
    readonly db: Database;
    readonly redis: Redis;
    readonly producer: JobProducer;
    readonly kinds: readonly JobKind[];
    readonly systemKinds: readonly SystemJobKind[];
    readonly log: Logger;
    readonly everyMs: number;
  }) {
    this.#db = on.db;
    this.#redis = on.redis;
    this.#producer = on.producer;
    this.#kinds = on.kinds;
    this.#systemKinds = on.systemKinds;
    this.#log = on.log;
    this.#everyMs = on.everyMs;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.reconcile()
        .catch((error: unknown) => { this.#log.warn('jobs.reconcile', 'a round failed; the next one tries again', { error: messageOf(error) }); })
        .finally(() => { if (!this.#stopped) this.start(); });
    }, this.#everyMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round, whole. Harmless to repeat. Without Redis it still does what the database alone can tell. */
  async reconcile(): Promise<void> {
    const redis = await this.#look();
    const changed: (() => void)[] = [];
    const isMine = await this.#db.knex.transaction(async (trx) => {
      const [lock] = (await trx.raw<{ rows: { taken: boolean }[] }>("select pg_try_advisory_xact_lock(hashtext('jobs.reconcile')) as taken")).rows;
      if (lock?.taken !== true) return false;
      for (const kind of this.#kinds) {
        const ids = [
          ...await this.#recoverLost(trx, kind),
          ...(redis === 'away' ? [] : await this.#sendDue(trx, kind, redis === 'wiped')),
          ...await this.#letGo(trx, kind),
          ...await this.#giveUpUnheld(trx, kind),
        ];
        changed.push(...ids.map((id) => () => kind.changed(id)));
      }
      const system = { kinds: this.#systemKinds, producer: this.#producer, log: this.#log };
      await recoverLostSystemJobs(trx, system);
      if (redis !== 'away') await sendMissingSystemJobs(trx, system, redis === 'wiped');
      return true;
    });
    for (const tell of changed) tell();
    // Only now is what the wipe lost on its way again; a round that failed must find the sentinel missing still.
    if (isMine && redis === 'wiped') await this.#redis.set(sentinelKey, '1', 'EX', sentinelSeconds);
  }

  /** Leases that ran out: again on the queue, or ended after the last attempt. Overdue ones are timed out. */
  async #recoverLost(trx: Knex.Transaction, kind: JobKind): Promise<string[]> {
    const lost: JobRow[] = await trx(kind.table)
      .where('status', 'running').where('lease_expires_at', '<', trx.fn.now())
      .orderBy('lease_expires_at').limit(batchSize).forUpdate().skipLocked();
    for (const job of lost) {
      if (isOverdue(job)) await giveUp(trx, kind, job.id, { kind: 'timeout', message: 'The build took longer than its limit.', retryable: false }, false);
      else if (job.attempt >= job.max_attempts) await giveUp(trx, kind, job.id, { kind: 'worker_lost', message: `The worker was lost in each of ${job.attempt} attempts.`, retryable: false }, true);
      else await requeue(trx, kind, job.id, { delayMs: retryDelayMs(job.attempt, 'worker_lost') });
      this.#log.warn('jobs.lease_lost', 'a lease ran out', { job_id: job.id, attempt: job.attempt, worker_id: job.worker_id });
    }
    return lost.map((job) => job.id);
  }

  /** Queued jobs whose time has come and whose message is not in Redis: all of them after a wipe, else the overdue. */
  async #sendDue(trx: Knex.Transaction, kind: JobKind, wiped: boolean): Promise<string[]> {
    const sent: string[] = [];
    let last: JobRow | undefined;
    for (let looked = 0; looked < lookedFor; looked += batchSize) {
      const waiting: JobRow[] = await this.#due(trx, kind, wiped, last);
      const missing = await mapBounded(waiting, asksAtOnce, async (job) =>
        !(await this.#producer.holds(job.queue_class, job.queue_priority, { jobId: job.id, epoch: job.epoch })));
      for (const job of waiting.filter((_, index) => missing[index])) {
        const [moved] = await trx(kind.table).where({ id: job.id, status: 'queued' }).update({ epoch: trx.raw('epoch + 1') }).returning<JobRow[]>('*');
        if (moved !== undefined) await send(trx, moved);
        sent.push(job.id);
      }
      last = waiting.at(-1);
      if (waiting.length < batchSize || last === undefined) break;
    }
    return sent;
  }

  /** The next batch after `last`, the longest waiting first, locked. */
  #due(trx: Knex.Transaction, kind: JobKind, wiped: boolean, last: JobRow | undefined): Knex.QueryBuilder {
    const query = trx(kind.table)
      .where('status', 'queued').whereNotNull('queued_at').where('run_after', '<=', trx.fn.now())
      .whereRaw(`(${kind.table}.id::text, ${kind.table}.epoch) not in (${unsentSql})`)
      .orderBy(['queued_at', 'id']).limit(batchSize).forUpdate().skipLocked();
    if (last?.queued_at != null) query.whereRaw('(queued_at, id) > (?, ?)', [last.queued_at, last.id]);
    // Without a wipe: those that have waited long, and those whose delayed retry has just come due.
    if (!wiped) {
      query.where((late) => {
        late.where('updated_at', '<', trx.raw(`now() - interval '${missingAfterSeconds} seconds'`))
          .orWhere('run_after', '>', trx.ref('updated_at'));
      });
    }
    return query;
  }

  async #letGo(trx: Knex.Transaction, kind: JobKind): Promise<string[]> {
    const forgotten: { id: string }[] = await trx(kind.table)
      .where('status', 'queued').whereNull('queued_at').where('created_at', '<', trx.raw(`now() - interval '${uploadHours} hours'`))
      .select('id').limit(batchSize).forUpdate().skipLocked();
    for (const job of forgotten) await cancel(trx, kind, job.id, null);
    return forgotten.map((job) => job.id);
  }

  async #giveUpUnheld(trx: Knex.Transaction, kind: JobKind): Promise<string[]> {
    const { rows } = await trx.raw<{ rows: { id: string; sdk_version: string }[] }>(unheldSql(kind));
    for (const { id, sdk_version: version } of rows) {
      await giveUp(trx, kind, id, { kind: 'sdk_unavailable', message: `No worker holds the SDK set ${version}.`, retryable: true }, true);
      this.#log.warn('jobs.set_unheld', 'A job was given up: no worker holds its SDK set', { job_id: id, sdk_version: version });
    }
    return rows.map(({ id }) => id);
  }

  async #look(): Promise<RedisState> {
    try {
      return (await this.#redis.exists(sentinelKey)) === 0 ? 'wiped' : 'whole';
    } catch (error) {
      this.#log.warn('jobs.reconcile_without_redis', 'Redis is away: messages are looked for when it is back', { error: messageOf(error) });
      return 'away';
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

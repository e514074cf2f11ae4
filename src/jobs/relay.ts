import type { Knex } from 'knex';
import { mapBounded } from '#platform/concurrency.ts';
import type { Database, Listener } from '#platform/database.ts';
import { DeadlineError, withDeadline } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';
import type { JobProducer } from '#platform/queue.ts';
import { Lane, type Looked } from './lane.ts';
import type { DomainEvent, Enqueueing } from './outbox.ts';
import { takeTurns } from './turns.ts';

/** Rows taken in one transaction: large enough to batch, small enough that a slow Redis holds few rows. */
const batchSize = 200;
/**
 * The transaction holds its rows while consumers work, so each is bounded, and all of a batch together: the rest comes in
 * the next one. So many consumers work at once, each on a connection at a time: the pool's others are for requests.
 */
const bounds: { readonly consumerTimeoutMs: number; readonly batchTimeMs: number; readonly atOnce: number } = { consumerTimeoutMs: 5_000, batchTimeMs: 10_000, atOnce: 3 };
/** How the deadline of a consumer is named, and told from one that the consumer itself ran into. */
const consumerOf = 'consumer of';
/** Events told by one call where their consumer takes several. */
const toldTogether = 50;

/** Times are kept to the millisecond, rounded: what is due at once may stand half of one ahead. */
export const takeSql = `
  select id, kind, topic, payload from outbox
   where sent_at is null and kind = $1 and turn_of is null and run_after <= now() + interval '1 millisecond'
   order by id limit $2 for update skip locked`;

/** The commit is not waited for to reach the disk: marks that a crash of the server loses have their rows sent again, which every destination bears. */
const markSql = `
  update outbox set sent_at = now() from (select set_config('synchronous_commit', 'off', true)) as relaxed where id = any($1::bigint[])`;

interface OutboxRow {
  readonly id: number;
  readonly kind: 'event' | 'job';
  readonly topic: string;
  readonly payload: DomainEvent | Enqueueing;
}

/** Rows of a batch that come again later, and those that its time did not suffice for. */
interface Sent {
  readonly failed: ReadonlySet<number>;
  readonly left: ReadonlySet<number>;
}

/** What happens upon an event of a type; may be called twice for one event and must then change nothing. */
export interface EventConsumer {
  (event: DomainEvent): Promise<void>;
  /** The same of several of its type at once, for less than each by itself. When it fails they are told one by one. */
  readonly together?: (events: readonly DomainEvent[]) => Promise<void>;
}

type EventRow = OutboxRow & { readonly payload: DomainEvent };

/** What one call after the other tells: several events of one type together, or those of one thing in their order. */
interface Telling { readonly together: EventConsumer['together'] | null; readonly rows: readonly EventRow[] }

/**
 * Sends outbox rows where they belong and marks them sent. Any number may run: rows are taken with SKIP LOCKED, and those
 * for which accounts take turns by one of them at a time. A row is
 * marked only after its destination has it, so a crash in between sends it again, which every destination bears. Jobs
 * and events go in lanes of their own: while Redis is away, events are told as ever. Events of one thing are told in their
 * order, but for types that are told together; those of different things beside each other.
 */
export class OutboxRelay {
  readonly #db: Database;
  readonly #producer: JobProducer;
  readonly #consumers: ReadonlyMap<string, EventConsumer>;
  readonly #log: Logger;
  readonly #bounds: typeof bounds;
  readonly #lanes: readonly Lane[];
  #listener: Listener | null = null;

  constructor(db: Database, producer: JobProducer, consumers: ReadonlyMap<string, EventConsumer>, log: Logger, within: Partial<typeof bounds> = {}) {
    this.#bounds = { ...bounds, ...within };
    this.#db = db;
    this.#producer = producer;
    this.#consumers = consumers;
    this.#log = log;
    this.#lanes = [
      new Lane('jobs', log, () => this.#sendBatch('job', (rows) => this.#sendJobs(rows))),
      new Lane('turns', log, () => this.#sendTurns()),
      new Lane('events', log, () => this.#sendBatch('event', (rows) => this.#tellConsumers(rows as readonly EventRow[]))),
    ];
  }

  /** Begins at once; a database that is away is waited for. */
  start(): void {
    this.#listener = this.#db.listen('outbox', (lane) => this.wake(lane));
    for (const lane of this.#lanes) lane.start();
  }

  /** Looks again now, in the lane that is named or in all; a notification that comes while a batch is under way is not lost. */
  wake(name: string | null = null): void {
    const named = this.#lanes.filter((lane) => lane.name === name);
    for (const lane of named.length > 0 ? named : this.#lanes) lane.wake();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    await this.#listener?.close();
  }

  async #sendBatch(kind: OutboxRow['kind'], send: (rows: readonly OutboxRow[]) => Promise<Sent>): Promise<Looked> {
    return this.#db.knex.transaction(async (trx) => {
      const rows = await this.#db.namedIn<OutboxRow>(trx, 'outbox.take', takeSql, [kind, batchSize]);
      return await this.#sendRows(trx, rows, send) ? 'more' : 'done';
    });
  }

  /** Jobs whose accounts take turns. */
  async #sendTurns(): Promise<Looked> {
    return this.#db.knex.transaction(async (trx) => {
      const turns = await takeTurns<OutboxRow>(this.#db, trx, batchSize);
      if (turns === null) return 'done';
      if (await this.#sendRows(trx, turns.rows, (batch) => this.#sendJobs(batch))) return 'more';
      return turns.isHeld ? 'held' : 'done';
    });
  }

  /** Whether there may be more to send at once. */
  async #sendRows(trx: Knex.Transaction, rows: readonly OutboxRow[], send: (rows: readonly OutboxRow[]) => Promise<Sent>): Promise<boolean> {
    if (rows.length === 0) return false;
    const { failed, left } = await send(rows);
    const done = rows.filter((row) => !failed.has(row.id) && !left.has(row.id)).map((row) => row.id);
    await this.#db.namedIn(trx, 'outbox.mark', markSql, [done]);
    if (failed.size > 0) await this.#postpone(trx, [...failed]);
    return rows.length === batchSize || left.size > 0;
  }

  /** One queue that fails holds up no other. Where all of them fail it is Redis that is away: nothing is written, and the lane waits. */
  async #sendJobs(rows: readonly OutboxRow[]): Promise<Sent> {
    const byQueue = Map.groupBy(rows, (row) => row.topic);
    const failed = new Set<number>();
    const failures: unknown[] = [];
    await Promise.all([...byQueue.values()].map(async (queued) => {
      const [first] = queued.map((row) => row.payload as Enqueueing);
      if (first === undefined) return;
      try {
        await this.#producer.send(first.queueClass, first.priority, queued.map((row) => row.payload as Enqueueing).map(({ jobId, epoch }) => ({ jobId, epoch })));
      } catch (error) {
        failures.push(error);
        for (const row of queued) failed.add(row.id);
      }
    }));
    if (failures.length === byQueue.size) throw failures[0];
    if (failures.length > 0) this.#log.warn('outbox.queue', 'A queue did not take its jobs, which come again', { jobs: failed.size, error: failures[0] });
    return { failed, left: new Set() };
  }

  /**
   * One event that fails holds up nothing but itself. Of a consumer that does not answer in time nothing more is told in this
   * batch: what there is of its type comes again later, and the lane goes on. What the batch's time did not suffice for is
   * left as it was.
   */
  async #tellConsumers(rows: readonly EventRow[]): Promise<Sent> {
    const failed = new Set<number>();
    const left = new Set<number>();
    const hanging = new Set<string>();
    const endAtMs = performance.now() + this.#bounds.batchTimeMs;
    await mapBounded(this.#tellingsOf(rows), this.#bounds.atOnce, async ({ together = null, rows: told }) => {
      if (together !== null && told.length > 1 && !told.some(({ topic }) => hanging.has(topic)) && performance.now() <= endAtMs) {
        if (await this.#tellTogether(together, told, hanging)) return;
      }
      for (const row of told) {
        if (hanging.has(row.topic)) failed.add(row.id);
        else if (performance.now() > endAtMs) left.add(row.id);
        else if (!(await this.#tell(row, hanging))) failed.add(row.id);
      }
    });
    if (hanging.size > 0) this.#log.error('outbox.consumer_hangs', 'A consumer of events does not answer in time; its events come again', { topics: [...hanging], events: failed.size });
    return { failed, left };
  }

  #tellingsOf(rows: readonly EventRow[]): readonly Telling[] {
    const together: Telling[] = [];
    const apart: EventRow[] = [];
    for (const [topic, several] of Map.groupBy(rows.filter((row) => this.#consumers.has(row.topic)), (row) => row.topic)) {
      const consumer = this.#consumers.get(topic);
      if (consumer?.together === undefined) apart.push(...several);
      else for (let start = 0; start < several.length; start += toldTogether) together.push({ together: consumer.together, rows: several.slice(start, start + toldTogether) });
    }
    const ofEach = Map.groupBy(apart.sort((one, other) => one.id - other.id), ({ payload }) => payload.entityId);
    return [...together, ...[...ofEach.values()].map((ofOne): Telling => ({ together: null, rows: ofOne }))];
  }

  async #tellTogether(together: NonNullable<Telling['together']>, rows: readonly EventRow[], hanging: Set<string>): Promise<boolean> {
    try {
      await withDeadline(() => together(rows.map(({ payload }) => payload)), this.#bounds.consumerTimeoutMs, `${consumerOf} ${rows.length} × ${rows[0]?.topic ?? ''}`);
      return true;
    } catch (error) {
      if (isHanging(error, rows[0], hanging)) return false;
      this.#log.warn('outbox.events', 'Events were not taken together and are told one by one', { topic: rows[0]?.topic, events: rows.length, error: messageOf(error) });
      return false;
    }
  }

  /** Whether it was taken. */
  async #tell(row: EventRow, hanging: Set<string>): Promise<boolean> {
    const { id, topic, payload } = row;
    try {
      await withDeadline(async () => this.#consumers.get(topic)?.(payload), this.#bounds.consumerTimeoutMs, `${consumerOf} ${topic}`);
      return true;
    } catch (error) {
      isHanging(error, row, hanging);
      this.#log.warn('outbox.event', 'an event was not taken and comes again', { topic, outbox_id: id, error: messageOf(error) });
      return false;
    }
  }

  /** Doubling from two seconds to about four minutes. */
  async #postpone(trx: Knex.Transaction, ids: readonly number[]): Promise<void> {
    await trx('outbox').whereIn('id', ids).update({
      attempts: trx.raw('attempts + 1'),
      run_after: trx.raw("now() + interval '1 second' * power(2, least(attempts + 1, 8))"),
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether the consumer of this row was given up for its time; noted in `hanging`. */
function isHanging(error: unknown, row: EventRow | undefined, hanging: Set<string>): boolean {
  const hangs = error instanceof DeadlineError && error.what.startsWith(consumerOf);
  if (hangs && row !== undefined) hanging.add(row.topic);
  return hangs;
}

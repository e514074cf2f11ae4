import type { Knex } from 'knex';
import type { Database, Listener } from '#platform/database.ts';
import { pause, withDeadline } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';
import type { JobProducer } from '#platform/queue.ts';
import type { DomainEvent, Enqueueing } from './outbox.ts';
import { takeTurns } from './turns.ts';

/** Rows taken in one transaction: large enough to batch, small enough that a slow Redis holds few rows. */
const batchSize = 200;
/** The safety net under LISTEN/NOTIFY. */
const pollMs = 2_000;
/** A failing destination is asked again after this long, doubled up to the bound. */
const backoffMs = { first: 200, most: 10_000 };

/** The transaction holds its rows while consumers work, so each is bounded, and all of a batch together: the rest comes in the next one. */
const bounds: { readonly consumerTimeoutMs: number; readonly batchTimeMs: number } = { consumerTimeoutMs: 5_000, batchTimeMs: 10_000 };

/** Times are kept to the millisecond, rounded: what is due at once may stand half of one ahead. */
export const takeSql = `
  select id, kind, topic, payload from outbox
   where sent_at is null and kind = ? and turn_of is null and run_after <= now() + interval '1 millisecond'
   order by id limit ? for update skip locked`;

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
export type EventConsumer = (event: DomainEvent) => Promise<void>;

/**
 * Sends outbox rows where they belong and marks them sent. Any number may run: rows are taken with SKIP LOCKED, and those
 * for which accounts take turns by one of them at a time. A row is
 * marked only after its destination has it, so a crash in between sends it again, which every destination bears. Jobs
 * and events go in lanes of their own: while Redis is away, events are told as ever.
 */
export class OutboxRelay {
  readonly #db: Database;
  readonly #producer: JobProducer;
  readonly #consumers: ReadonlyMap<string, EventConsumer>;
  readonly #log: Logger;
  readonly #bounds: typeof bounds;
  readonly #lanes: readonly Lane[];
  #listener: Listener | null = null;

  constructor(db: Database, producer: JobProducer, consumers: ReadonlyMap<string, EventConsumer>, log: Logger, within = bounds) {
    this.#bounds = within;
    this.#db = db;
    this.#producer = producer;
    this.#consumers = consumers;
    this.#log = log;
    this.#lanes = [
      new Lane('jobs', log, () => this.#sendBatch('job', (rows) => this.#sendJobs(rows))),
      new Lane('turns', log, () => this.#sendTurns()),
      new Lane('events', log, () => this.#sendBatch('event', (rows) => this.#tellConsumers(rows))),
    ];
  }

  /** Begins at once; a database that is away is waited for. */
  start(): void {
    this.#listener = this.#db.listen('outbox', () => this.wake());
    for (const lane of this.#lanes) lane.start();
  }

  /** Looks again now; a notification that comes while a batch is under way is not lost. */
  wake(): void {
    for (const lane of this.#lanes) lane.wake();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    await this.#listener?.close();
  }

  /** Whether there may be more to send at once. */
  async #sendBatch(kind: OutboxRow['kind'], send: (rows: readonly OutboxRow[]) => Promise<Sent>): Promise<boolean> {
    return this.#db.knex.transaction(async (trx) => {
      const { rows } = await trx.raw<{ rows: OutboxRow[] }>(takeSql, [kind, batchSize]);
      return this.#sendRows(trx, rows, send);
    });
  }

  /** Jobs whose accounts take turns. */
  async #sendTurns(): Promise<boolean> {
    return this.#db.knex.transaction(async (trx) => {
      const rows = await takeTurns<OutboxRow>(trx, batchSize);
      return rows !== null && this.#sendRows(trx, rows, (batch) => this.#sendJobs(batch));
    });
  }

  async #sendRows(trx: Knex.Transaction, rows: readonly OutboxRow[], send: (rows: readonly OutboxRow[]) => Promise<Sent>): Promise<boolean> {
    if (rows.length === 0) return false;
    const { failed, left } = await send(rows);
    const done = rows.filter((row) => !failed.has(row.id) && !left.has(row.id)).map((row) => row.id);
    await trx('outbox').whereIn('id', done).update({ sent_at: trx.fn.now() });
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

  /** One event that fails holds up nothing but itself. What the batch's time did not suffice for is left as it was. */
  async #tellConsumers(rows: readonly OutboxRow[]): Promise<Sent> {
    const failed = new Set<number>();
    const left = new Set<number>();
    const endAtMs = performance.now() + this.#bounds.batchTimeMs;
    for (const row of rows) {
      const consumer = this.#consumers.get(row.topic);
      if (consumer === undefined) continue;
      if (performance.now() > endAtMs) {
        left.add(row.id);
        continue;
      }
      try {
        await withDeadline(() => consumer(row.payload as DomainEvent), this.#bounds.consumerTimeoutMs, `consumer of ${row.topic}`);
      } catch (error) {
        this.#log.warn('outbox.event', 'an event was not taken and comes again', { topic: row.topic, outbox_id: row.id, error: messageOf(error) });
        failed.add(row.id);
      }
    }
    return { failed, left };
  }

  /** Doubling from two seconds to about four minutes. */
  async #postpone(trx: Knex.Transaction, ids: readonly number[]): Promise<void> {
    await trx('outbox').whereIn('id', ids).update({
      attempts: trx.raw('attempts + 1'),
      run_after: trx.raw("now() + interval '1 second' * power(2, least(attempts + 1, 8))"),
    });
  }
}

/** Sends batch after batch until nothing is left, then waits for the next word or the poll; waits longer after each failure. */
class Lane {
  readonly #name: string;
  readonly #log: Logger;
  readonly #sendBatch: () => Promise<boolean>;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;
  #woken = false;

  constructor(name: string, log: Logger, sendBatch: () => Promise<boolean>) {
    this.#name = name;
    this.#log = log;
    this.#sendBatch = sendBatch;
  }

  start(): void {
    this.#loop = this.#run();
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let waitMs = backoffMs.first;
    while (!signal.aborted) {
      this.#woken = false;
      try {
        const isMore = await this.#sendBatch();
        waitMs = backoffMs.first;
        if (!isMore && !this.#woken) await this.#pause(pollMs);
      } catch (error) {
        this.#log.warn('outbox.relay', 'sending failed and will be tried again', { lane: this.#name, error: messageOf(error), wait_ms: waitMs });
        // A notification is no reason to hurry now: it says nothing of whether the destination is back.
        await pause(waitMs, signal).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, backoffMs.most);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => { clearTimeout(timer); resolve(); };
      if (this.#woken || this.#stopping.signal.aborted) this.#wake();
    });
    this.#wake = null;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

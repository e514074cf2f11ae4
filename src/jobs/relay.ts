import type { Knex } from 'knex';
import type { Database, Listener } from '#platform/database.ts';
import { pause, withDeadline } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';
import type { JobProducer } from '#platform/queue.ts';
import type { DomainEvent, Enqueueing } from './outbox.ts';

/** Rows taken in one transaction: large enough to batch, small enough that a slow Redis holds few rows. */
const batchSize = 200;
/** The safety net under LISTEN/NOTIFY. */
const pollMs = 2_000;
/** A failing destination is asked again after this long, doubled up to the bound. */
const backoffMs = { first: 200, most: 10_000 };

/** The transaction holds its rows while consumers work, so each is bounded, and all of a batch together: the rest comes in the next one. */
const bounds: { readonly consumerTimeoutMs: number; readonly batchTimeMs: number } = { consumerTimeoutMs: 5_000, batchTimeMs: 10_000 };

/** Times are kept to the millisecond, rounded: what is due at once may stand half of one ahead. */
const takeSql = `
  select id, kind, topic, payload from outbox
   where sent_at is null and run_after <= now() + interval '1 millisecond'
   order by id limit ? for update skip locked`;

interface OutboxRow {
  readonly id: number;
  readonly kind: 'event' | 'job';
  readonly topic: string;
  readonly payload: DomainEvent | Enqueueing;
}

/** What happens upon an event of a type; may be called twice for one event and must then change nothing. */
export type EventConsumer = (event: DomainEvent) => Promise<void>;

/**
 * Sends outbox rows where they belong and marks them sent. Any number may run: rows are taken with SKIP LOCKED. A row is
 * marked only after its destination has it, so a crash in between sends it again, which every destination bears.
 */
export class OutboxRelay {
  readonly #db: Database;
  readonly #producer: JobProducer;
  readonly #consumers: ReadonlyMap<string, EventConsumer>;
  readonly #log: Logger;
  readonly #bounds: typeof bounds;
  readonly #stopping = new AbortController();
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;
  #woken = false;
  #listener: Listener | null = null;

  constructor(db: Database, producer: JobProducer, consumers: ReadonlyMap<string, EventConsumer>, log: Logger, within = bounds) {
    this.#bounds = within;
    this.#db = db;
    this.#producer = producer;
    this.#consumers = consumers;
    this.#log = log;
  }

  /** Begins at once; a database that is away is waited for. */
  start(): void {
    this.#running = true;
    this.#listener = this.#db.listen('outbox', () => this.wake());
    this.#loop = this.#run();
  }

  /** Looks again now; a notification that comes while a batch is under way is not lost. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#stopping.abort();
    this.wake();
    await this.#loop;
    await this.#listener?.close();
  }

  async #run(): Promise<void> {
    let waitMs = backoffMs.first;
    while (this.#running) {
      this.#woken = false;
      try {
        const isMore = await this.#sendBatch();
        waitMs = backoffMs.first;
        if (!isMore && !this.#woken) await this.#pause(pollMs);
      } catch (error) {
        this.#log.warn('outbox.relay', 'sending failed and will be tried again', { error: messageOf(error), wait_ms: waitMs });
        // A notification is no reason to hurry now: it says nothing of whether the destination is back.
        await pause(waitMs, this.#stopping.signal).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, backoffMs.most);
      }
    }
  }

  /** Whether there may be more to send at once. */
  async #sendBatch(): Promise<boolean> {
    return this.#db.knex.transaction(async (trx) => {
      const taken = await trx.raw<{ rows: OutboxRow[] }>(
        takeSql, [batchSize],
      );
      const { rows } = taken;
      if (rows.length === 0) return false;
      await this.#sendJobs(rows);
      const { failed, left } = await this.#tellConsumers(rows);
      const done = rows.filter((row) => !failed.has(row.id) && !left.has(row.id)).map((row) => row.id);
      await trx('outbox').whereIn('id', done).update({ sent_at: trx.fn.now() });
      if (failed.size > 0) await this.#postpone(trx, [...failed]);
      return rows.length === batchSize || left.size > 0;
    });
  }

  async #sendJobs(rows: readonly OutboxRow[]): Promise<void> {
    const byQueue = Map.groupBy(rows.filter((row) => row.kind === 'job').map((row) => row.payload as Enqueueing), (job) => `${job.queueClass}:${job.priority}`);
    for (const jobs of byQueue.values()) {
      const [first] = jobs;
      if (first === undefined) continue;
      await this.#producer.send(first.queueClass, first.priority, jobs.map(({ jobId, epoch }) => ({ jobId, epoch })));
    }
  }

  /** One event that fails holds up nothing but itself. What the batch's time did not suffice for is left as it was. */
  async #tellConsumers(rows: readonly OutboxRow[]): Promise<{ failed: ReadonlySet<number>; left: ReadonlySet<number> }> {
    const failed = new Set<number>();
    const left = new Set<number>();
    const endAtMs = performance.now() + this.#bounds.batchTimeMs;
    for (const row of rows) {
      const consumer = row.kind === 'event' ? this.#consumers.get(row.topic) : undefined;
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

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => { clearTimeout(timer); resolve(); };
      if (this.#woken || !this.#running) this.#wake();
    });
    this.#wake = null;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

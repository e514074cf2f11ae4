import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';

/** Something that grows by itself and is cut back: answers how many rows went, in short transactions of its own. */
export interface Chore {
  readonly name: string;
  run(signal: AbortSignal): Promise<number>;
}

/**
 * Runs chores one after the other, now and then. Any number of processes may: each chore bears to run twice at once. One
 * that fails is said and tried again in the next round.
 */
export class Housekeeping {
  readonly #chores: readonly Chore[];
  readonly #log: Logger;
  readonly #everyMs: number;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(chores: readonly Chore[], log: Logger, everyMs: number) {
    this.#chores = chores;
    this.#log = log;
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.run().finally(() => { if (!this.#stopping.signal.aborted) this.start(); });
    }, this.#everyMs);
  }

  /** One round of all chores. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#stopping;
    for (const chore of this.#chores) {
      if (signal.aborted) return;
      try {
        const rows = await chore.run(signal);
        if (rows > 0) this.#log.info('housekeeping.done', 'Old rows are gone', { chore: chore.name, rows });
      } catch (error) {
        this.#log.warn('housekeeping.failed', 'A chore failed; the next round tries again', { chore: chore.name, error });
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The process is going down.'));
    clearTimeout(this.#timer);
    await this.#round;
  }
}

/** A node sends 8,640 a day; what is older than this helps nobody to see how it fares. */
const heartbeatDays = 2;
const batchSize = 1_000;
/** Bounds one round to 100,000 rows. */
const maxBatches = 100;

const sweepHeartbeatsSql = `
  with old as (
    select id from worker_heartbeats where "timestamp" < now() - interval '${heartbeatDays} days' limit $1 for update skip locked
  )
  delete from worker_heartbeats using old where worker_heartbeats.id = old.id returning worker_heartbeats.id`;

/** Deletes what workers said of themselves long ago. Answers how many rows went. */
export async function sweepHeartbeats(db: Database, signal?: AbortSignal): Promise<number> {
  let swept = 0;
  for (let run = 0; run < maxBatches && signal?.aborted !== true; run += 1) {
    const rows = await db.named('workers.sweep_heartbeats', sweepHeartbeatsSql, [batchSize]);
    swept += rows.length;
    if (rows.length < batchSize) break;
  }
  return swept;
}

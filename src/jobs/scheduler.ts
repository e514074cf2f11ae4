import type { Knex } from 'knex';
import { transact, type Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import type { ScheduledJob } from './scheduled.ts';
import { addSystemJob } from './system-jobs.ts';

/** A schedule without a row runs for the first time this long after the start at the latest. */
const firstWithinSeconds = 60;
/** A row that no code has moved on for so long belongs to no schedule any more. */
const forgottenDays = 40;
const scheduledAttempts = 3;

/**
 * Periodic work, once per deployment however many processes: a row of `schedules` says when each is next due by the
 * database's clock; who moves it on adds the system job in the same transaction. Times that were missed are made up for
 * once, not once each. A run that is still open when the next is due takes its place.
 */
export class Scheduler {
  readonly #db: Database;
  readonly #schedules: ReadonlyMap<string, ScheduledJob>;
  readonly #log: Logger;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #isSynced = false;
  #stopped = false;

  /** @param everyMs how often it looks; a schedule is late by so much at most */
  constructor(db: Database, schedules: readonly ScheduledJob[], log: Logger, everyMs = 5_000) {
    this.#db = db;
    this.#schedules = new Map(schedules.map((schedule) => [schedule.name, schedule]));
    if (this.#schedules.size < schedules.length) throw new Error('Two schedules have one name.');
    this.#log = log;
    this.#everyMs = everyMs;
  }

  /** Looks at once, and then again and again; a database that is away is waited for. */
  start(): void {
    this.#round = this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #look(): Promise<void> {
    try {
      if (!this.#isSynced) await this.sync();
      this.#isSynced = true;
      await this.runDue();
    } catch (error) {
      this.#log.warn('scheduler.round', 'A look at the schedules failed; the next one tries again', { error });
    }
    if (!this.#stopped) this.#timer = setTimeout(() => { this.#round = this.#look(); }, this.#everyMs);
  }

  /** Makes the rows what the code says. A schedule that became more frequent is due accordingly sooner; none runs because of a restart. */
  async sync(): Promise<void> {
    const all = [...this.#schedules.values()];
    await this.#db.knex.transaction(async (trx) => {
      for (const { name, everySeconds } of all) {
        await trx.raw(
          `insert into schedules (name, every_seconds, next_run_at)
           values (:name, :every, now() + least(:every, ${firstWithinSeconds}) * interval '1 second')
           on conflict (name) do update
             set every_seconds = excluded.every_seconds,
                 next_run_at = least(schedules.next_run_at, coalesce(schedules.last_run_at, now()) + excluded.every_seconds * interval '1 second')
             where schedules.every_seconds <> excluded.every_seconds`,
          { name, every: everySeconds },
        );
      }
      // Rows of other versions of the code stay for as long as those may run beside us.
      await trx('schedules')
        .whereNotIn('name', all.map(({ name }) => name))
        .where('next_run_at', '<', trx.raw(`now() - interval '${forgottenDays} days'`))
        .delete();
    });
  }

  /** Adds the jobs of the schedules that are due; answers their names. Any number of processes may call it at once. */
  async runDue(): Promise<string[]> {
    const known = [...this.#schedules.keys()];
    const due: { name: string }[] = await this.#db.knex('schedules').select('name')
      .whereIn('name', known).where('next_run_at', '<=', this.#db.knex.fn.now()).orderBy('next_run_at');
    const run: string[] = [];
    for (const { name } of due) {
      if (this.#stopped) break;
      const schedule = this.#schedules.get(name);
      if (schedule !== undefined && await transact(this.#db, null, (trx) => this.#run(trx, schedule))) run.push(name);
    }
    return run;
  }

  /** One schedule, in a transaction of its own: whoever moves it on has run it. */
  async #run(trx: Knex.Transaction, { name, kind, payload, maxAttempts = scheduledAttempts }: ScheduledJob): Promise<boolean> {
    const { rows } = await trx.raw<{ rows: unknown[] }>(
      `with due as (
         select name from schedules where name = ? and next_run_at <= now() for update skip locked
       )
       update schedules
          set last_run_at = now(),
              next_run_at = next_run_at
                + every_seconds * interval '1 second' * (1 + floor(extract(epoch from now() - next_run_at) / every_seconds))
         from due where schedules.name = due.name
       returning schedules.name`,
      [name],
    );
    if (rows.length === 0) return false;
    const jobId = await addSystemJob(trx, { kind, maxAttempts, dedupeKey: `schedule:${name}`, ...(payload === undefined ? {} : { payload }) });
    if (jobId === null) this.#log.warn('scheduler.still_running', 'A schedule is due while its last run has not ended', { schedule: name });
    return true;
  }
}

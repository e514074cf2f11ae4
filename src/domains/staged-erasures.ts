/**
 * Erasures in stages, of accounts and of projects: a job runs the stages one after the other and notes each in the row of
 * the erasure, so that it may be cut off anywhere and goes on where it was. A schedule finds those whose job is gone.
 */
import type { Knex } from 'knex';
import type { ScheduledJob } from '#jobs/scheduled.ts';
import { addSystemJobs, GivenUp, type SystemJobKind } from '#jobs/system-jobs.ts';
import { type Database, transact } from '#platform/database.ts';
import { batchSize, firstId, inBatches } from './personal-data.ts';

/** An erasure that is not done this long after it should have gone on is worth an operator's look. */
const lateHours = 48;
const timeoutMs = 30 * 60_000;
const netSeconds = 600;
const hourMs = 3_600_000;

export interface StagedErasureOptions {
  readonly db: Database;
  /** The table of the erasures, with requested_at, run_after, stages and completed_at, and its key: the id of what is erased. */
  readonly table: 'account_erasures' | 'project_erasures';
  readonly key: 'user_id' | 'project_id';
  readonly kind: 'accounts.erase' | 'projects.erase';
  /**
   * How long after the request each round of all stages begins, in hours. A later round takes what was still under way in
   * the first: uploads by URLs that hold for an hour, builds.
   */
  readonly roundHours: readonly number[];
  /** In the order they run; two of one name are a fault. */
  readonly stages: readonly { readonly name: string; run(id: string, signal: AbortSignal, isLast?: boolean): Promise<number> }[];
  /** In the transaction that ends an erasure, which only one comes to. */
  finish(trx: Knex.Transaction, id: string): Promise<void>;
  /** After its commit. */
  erased(id: string): void;
  /** Its job was gone: given up, or lost with a backup restored. */
  resumed(id: string): void;
  late(id: string): void;
}

interface Erasure { readonly stages: Readonly<Record<string, number>>; readonly completed_at: string | null }
interface DueErasure { readonly id: string; readonly round: number; readonly is_late: boolean }

export class StagedErasures {
  readonly #on: StagedErasureOptions;
  readonly #sql: { readonly read: string; readonly note: string; readonly next: string; readonly due: string };

  constructor(options: StagedErasureOptions) {
    const { table, key, roundHours, stages } = options;
    if (new Set(stages.map(({ name }) => name)).size < stages.length) throw new Error('Two stages of the erasure have one name.');
    this.#on = options;
    const begun = roundHours.map((hours) => `(requested_at + interval '${hours} hours' <= now())::int`).join(' + ');
    this.#sql = {
      read: `select stages, completed_at from ${table} where ${key} = $1`,
      note: `update ${table} set stages = stages || jsonb_build_object($2::text, $3::bigint) where ${key} = $1`,
      next: `update ${table} set run_after = greatest(run_after, requested_at + $2 * interval '1 hour') where ${key} = $1`,
      due: `
        select ${key} as id, greatest(0, ${begun} - 1) as round, run_after < now() - interval '${lateHours} hours' as is_late from ${table}
         where completed_at is null and run_after <= now() and ${key} > $1 order by ${key} limit ${batchSize}`,
    };
  }

  /** Adds the jobs of every round of these, in the transaction that deletes them. Two statements a round. */
  async ask(trx: Knex.Transaction, ids: readonly string[]): Promise<void> {
    for (const [round, hours] of this.#on.roundHours.entries()) await this.#ask(trx, ids, round, hours * hourMs);
  }

  /** The job of one erasure, and the net that finds those whose job is gone. */
  get kinds(): readonly SystemJobKind[] {
    const { kind, key } = this.#on;
    return [
      { kind, timeoutMs, run: ({ [key]: id, round }, { signal }) => this.erase(String(id), signal, typeof round === 'number' ? round : 0) },
      { kind: this.#netKind, timeoutMs: 60_000, run: (_payload, { signal }) => this.#resumeDue(signal) },
    ];
  }

  get schedules(): readonly ScheduledJob[] {
    return [{ name: this.#netKind, everySeconds: netSeconds, kind: this.#netKind }];
  }

  /** Runs the stages that are not done yet of the rounds that have begun, and ends the erasure after the last. Any number may do so at once. */
  async erase(id: string, signal: AbortSignal, lastRound = this.#on.roundHours.length - 1): Promise<void> {
    const { db, table, key, stages, roundHours, finish } = this.#on;
    const [erasure] = await db.named<Erasure>(`${table}.read`, this.#sql.read, [id]);
    if (erasure === undefined) throw new GivenUp('There is no such erasure.');
    if (erasure.completed_at !== null) return;
    for (let round = 0; round <= lastRound && round < roundHours.length; round += 1) {
      for (const stage of stages) {
        const name = noteOf(stage.name, round);
        if (Object.hasOwn(erasure.stages, name)) continue;
        signal.throwIfAborted();
        const erased = await stage.run(id, signal, round === roundHours.length - 1);
        await db.named(`${table}.note`, this.#sql.note, [id, name, erased]);
      }
      const nextHours = roundHours[round + 1];
      if (nextHours !== undefined) await db.named(`${table}.next`, this.#sql.next, [id, nextHours]);
    }
    if (lastRound < roundHours.length - 1) return;
    const isDone = await transact(db, null, async (trx) => {
      const done = await trx(table).where({ [key]: id }).whereNull('completed_at').update({ completed_at: trx.fn.now() });
      if (done > 0) await finish(trx, id);
      return done > 0;
    });
    if (isDone) this.#on.erased(id);
  }

  get #netKind(): string {
    return `${this.#on.kind}_due`;
  }

  async #resumeDue(signal: AbortSignal): Promise<void> {
    const { db, table, resumed, late } = this.#on;
    const due = inBatches<DueErasure>((last) => db.named<DueErasure>(`${table}.due`, this.#sql.due, [last?.id ?? firstId]));
    for await (const { id, round, is_late: isLate } of due) {
      signal.throwIfAborted();
      const asked = await transact(db, null, (trx) => this.#ask(trx, [id], round, 0));
      if (asked > 0) resumed(id);
      if (isLate) late(id);
    }
  }

  /** How many jobs were added: there is one at a time for a round. */
  async #ask(trx: Knex.Transaction, ids: readonly string[], round: number, delayMs: number): Promise<number> {
    const { kind, key } = this.#on;
    const jobs = ids.map((id) => (round === 0
      ? { kind, payload: { [key]: id }, delayMs, dedupeKey: `${kind}:${id}` }
      : { kind, payload: { [key]: id, round }, delayMs, dedupeKey: `${kind}:${id}:${round}` }));
    return (await addSystemJobs(trx, jobs)).length;
  }
}

/** What is noted of a stage: in a later round under another name. */
const noteOf = (stage: string, round: number): string => (round === 0 ? stage : `${stage}.${round}`);

/**
 * Compares each class of workers with its rule every few seconds and asks the driver for one more, or one worker to
 * drain. It runs in every API process; an advisory lock lets one look at a time, and what was decided stands in the
 * database, so that any of them may go.
 */
import type { ScalingRule, WorkerClass } from '#generated/sdk/types.gen.ts';
import { type Database, transact } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { Logger } from '#platform/log.ts';
import { type Decision, decide } from './scaling-decision.ts';
import type { ScalingDriver } from './scaling-drivers.ts';
import { lookLockSql, rulesSql, seenSql, type SeenRow, settleSql } from './scaling-queries.ts';

const lookEveryMs = 5_000;
const maxErrorLength = 1_000;

interface Made extends Decision { readonly eventId: string; readonly type: WorkerClass }

export interface AutoscalerOptions {
  readonly db: Database;
  readonly driver: ScalingDriver;
  readonly log: Logger;
  readonly everyMs?: number;
}

export class Autoscaler {
  readonly #on: AutoscalerOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: AutoscalerOptions) {
    this.#on = options;
  }

  /** Without a driver nobody is asked, and so nothing is decided. */
  start(): void {
    if (this.#on.driver.name === 'none') return;
    this.#timer = setTimeout(() => {
      this.#round = this.look().then(() => undefined)
        .catch((error: unknown) => { this.#on.log.warn('scaling.look', 'A look at the workers failed; the next one tries again', { error }); })
        .finally(() => { if (!this.#stopped) this.start(); });
    }, this.#on.everyMs ?? lookEveryMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** One look at every class; answers what was decided. Decides nothing while another process looks. */
  async look(): Promise<readonly Decision[]> {
    const { db } = this.#on;
    const made = await transact(db, null, async (trx): Promise<Made[]> => {
      const { rows: [lock] } = await trx.raw<{ rows: { taken: boolean }[] }>(lookLockSql);
      if (lock?.taken !== true) return [];
      const decided: Made[] = [];
      for (const rule of await db.namedIn<ScalingRule>(trx, 'scaling.rules', rulesSql, [])) {
        await db.namedIn(trx, 'scaling.settle', settleSql, [rule.type]);
        const [seen] = await db.namedIn<SeenRow>(trx, 'scaling.seen', seenSql, [rule.type, this.#on.driver.namePrefix, rule.idle_seconds]);
        const decision = seen === undefined ? null : decide(whatIs(seen, rule));
        if (decision === null) continue;
        const eventId = newId();
        await trx('scaling_events').insert({
          id: eventId, type: rule.type, action: decision.action, from_count: decision.from, to_count: decision.to, reason: decision.reason,
          driver: this.#on.driver.name, worker_id: decision.workerId,
        });
        // It is told so by the answer to its next heartbeat: it takes no more, finishes what it has, and ends.
        if (decision.workerId !== null) await trx('worker_nodes').where({ id: decision.workerId, status: 'active' }).update({ status: 'draining' });
        decided.push({ ...decision, eventId, type: rule.type });
      }
      return decided;
    });
    for (const decision of made) await this.#ask(decision);
    return made;
  }

  async #ask({ eventId, type, ...decision }: Made): Promise<void> {
    const { driver, log } = this.#on;
    const told = { class: type, action: decision.action, from: decision.from, to: decision.to, reason: decision.reason };
    try {
      await driver.ask(type, decision, (reason) => this.#lost(eventId, reason));
      log.info('scaling.asked', 'Workers were asked for, or one to go', told);
    } catch (error) {
      log.error('scaling.failed', 'Workers could not be asked for', { ...told, error });
      await this.#failed(eventId, error instanceof Error ? error.message : String(error));
    }
  }

  /** A worker that ended before it was counted as there: the next look may ask for another, in place of waiting for one that never comes. */
  #lost(eventId: string, reason: string): void {
    if (this.#stopped) return;
    this.#failed(eventId, reason).catch((error: unknown) => { this.#on.log.warn('scaling.not_noted', 'That a worker was lost could not be noted; its wish runs out by itself', { error }); });
  }

  async #failed(eventId: string, reason: string): Promise<void> {
    await this.#on.db.knex('scaling_events').where({ id: eventId, outcome: 'asked' })
      .update({ outcome: 'failed', error: reason.slice(0, maxErrorLength) || 'It failed without a word.' });
  }
}

/** Workers that were asked for count as there while they start. */
const whatIs = (row: SeenRow, rule: ScalingRule): Parameters<typeof decide>[0] => ({
  rule,
  nowMs: Date.parse(row.now),
  workers: Math.max(row.active, row.coming ?? 0),
  waiting: row.waiting,
  oldestWaitingSeconds: row.oldest,
  idleWorkerIds: row.idle_ids,
  drainableIds: row.drainable_ids,
  lastDecisionMs: row.last_at === null ? null : Date.parse(row.last_at),
});

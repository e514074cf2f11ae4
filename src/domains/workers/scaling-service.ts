/** The rules of scaling, and what was decided, as administrators see and change them. */
import type { ScalingEvent, ScalingEventPage, ScalingRule, ScalingRuleUpdate, ScalingState } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';
import { ServiceError } from '#platform/errors.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireAdmin } from '../policy.ts';
import { countEventsSql, listEventsSql, lockRuleSql, rulesSql, sweepEventsSql } from './scaling-queries.ts';

export class ScalingService {
  readonly #db: Database;
  readonly #driver: ScalingState['driver'];

  constructor(db: Database, driver: ScalingState['driver']) {
    this.#db = db;
    this.#driver = driver;
  }

  async state(call: Call): Promise<ScalingState> {
    requireAdmin(call);
    return { driver: this.#driver, rules: await this.#db.named<ScalingRule>('scaling.rules', rulesSql, []) };
  }

  /** Merges into the rule of the class; the autoscaler reads it at its next look. */
  async update(call: Call, { type, ...changes }: ScalingRuleUpdate): Promise<ScalingRule> {
    const adminId = requireAdmin(call);
    return transact(this.#db, call, async (trx) => {
      const [before] = await this.#db.namedIn<ScalingRule>(trx, 'scaling.lock_rule', lockRuleSql, [type]);
      if (before === undefined) throw new Error(`scaling_rules has no row for ${type}`);
      const { min, max } = { ...before, ...changes };
      if (max < min) {
        throw new ServiceError('VALIDATION_ERROR', 'There cannot be more workers at least than at most.', {
          details: [{ pointer: changes.max === undefined ? '#/body/min' : '#/body/max', message: `must leave max (${max}) at or above min (${min})`, rule: 'range' }],
        });
      }
      await trx('scaling_rules').where({ type }).update({ ...changes, updated_by: adminId });
      const [after] = await this.#db.namedIn<ScalingRule>(trx, 'scaling.lock_rule', lockRuleSql, [type]);
      if (after === undefined) throw new Error(`scaling_rules has no row for ${type}`);
      const names = Object.keys(changes) as (keyof typeof changes)[];
      await audit(trx, call, {
        event_type: 'scaling.updated', entity_type: 'scaling_rule', entity_id: null,
        data: { type, old: Object.fromEntries(names.map((name) => [name, before[name]])), new: Object.fromEntries(names.map((name) => [name, after[name]])) },
      });
      return after;
    });
  }

  /** Newest first. Two statements under an offset, one under a cursor. */
  async events(call: Call, query: PageQuery & { readonly type?: string | undefined }): Promise<ScalingEventPage> {
    requireAdmin(call);
    const filters = { type: query.type };
    const after = readCursor(query, filters);
    const type = filters.type ?? null;
    const rows = await this.#db.named<ScalingEvent>(type === null ? 'scaling.events' : 'scaling.events_of', listEventsSql(type !== null), [
      type, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [counted] = after === null ? await this.#db.named<{ total: number }>('scaling.count_events', countEventsSql, [type, countBound + 1]) : [];
    return pageOf(rows, query, filters, counted?.total ?? null, (row) => ({ at: row.created_at, id: row.id }));
  }
}

/** Decisions of a quarter ago help nobody. */
export const sweepScalingEvents = (db: Database, signal: AbortSignal): Promise<number> => deleteInBatches(db, 'scaling.sweep', sweepEventsSql, signal);

import type { Knex } from 'knex';
import type {
  LimitName, TierLimits, TierLimitSet, TierLimitSetPage, TierLimitsUpdate, TierOffer, TierOfferPage,
} from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call, Tier } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import { type PageQuery, pageOfAll } from '#platform/paging.ts';
import type { Redis } from '#platform/redis.ts';
import { audit } from '../audit/audit.ts';
import { effectiveTierSql } from '../users/accounts.ts';
import { requireAdmin, requireRecentSignIn } from '../policy.ts';
import { quotaEvents } from '../quota.ts';
import { limitsChangedChannel, type TierLimitCache, type TierLimitRow } from './limits.ts';

const ladder = ['free', 'pro', 'premium'] as const;

const offerTexts = {
  free: { name: 'Free', description: 'For trying it out and for small projects of your own.' },
  pro: { name: 'Pro', description: 'For people who work with it every day.' },
  premium: { name: 'Premium', description: 'For teams whose builds come first, with GPU workers where they help.' },
} as const;

export interface TierDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redis: Redis;
  readonly limits: TierLimitCache;
}

export class TierService {
  readonly #on: TierDependencies;
  readonly #limits: TierLimitCache;

  constructor(dependencies: TierDependencies) {
    this.#on = dependencies;
    this.#limits = dependencies.limits;
  }

  /** The limits of an effective tier, at most five seconds old. */
  async limitsOf(tier: Tier): Promise<TierLimits> {
    return this.#limits.of(tier);
  }

  /** What everybody may read: the tiers on offer, cheapest first. */
  async offered(query: PageQuery): Promise<TierOfferPage> {
    const rows = await this.#limits.all();
    const offers = ladder.flatMap((tier): TierOffer[] => {
      const limits = rows.find((row) => row.tier === tier);
      return limits === undefined ? [] : [{ tier, ...offerTexts[tier], limits }];
    });
    return pageOfAll(offers, query);
  }

  /** Every row and who changed it last, for administrators. */
  async all(call: Call, query: PageQuery): Promise<TierLimitSetPage> {
    requireAdmin(call);
    const rows = await this.#limits.all();
    return pageOfAll(rows.map(present), query);
  }

  /** Changes what is named of a tier's limits. Every process reads them anew; nothing that exists is taken away. */
  async update(call: Call, tier: Tier, body: TierLimitsUpdate): Promise<{ entity: TierLimitSet; etag: string }> {
    requireAdmin(call);
    const adminId = requireRecentSignIn(call, this.#on.clock.now());
    const row = await transact(this.#on.db, null, async (trx) => {
      const before = await trx('tier_limits').where({ tier }).forUpdate().first<TierLimitRow>('*');
      if (call.ifMatch !== null && String(before.row_version) !== call.ifMatch) {
        throw new ServiceError('PRECONDITION_FAILED', 'Somebody changed these limits since you read them. Read them again.');
      }
      const [after] = await trx('tier_limits').where({ tier }).update({ ...body, updated_by: adminId }).returning<TierLimitRow[]>('*');
      if (after === undefined) throw new Error(`tier_limits has no row for ${tier}`);
      const names = Object.keys(body) as (keyof TierLimits)[];
      const data = { tier, old: pick(before, names), new: pick(after, names) };
      await audit(trx, call, { event_type: 'tier.limits_updated', entity_type: 'tier', entity_id: null, data });
      await emit(trx, { type: 'tier.limits_updated', entityId: tier, userId: adminId, data });
      return after;
    });
    this.#limits.forget();
    this.#on.redis.publish(limitsChangedChannel, tier).catch((error: unknown) => {
      this.#on.log.warn('tiers.change_late', 'Other replicas hold to the former limits for up to five seconds', { error });
    });
    return { entity: present(row), etag: String(row.row_version) };
  }

  /**
   * Makes sure that one more fits under a standing cap of the account, or throws QUOTA_EXCEEDED. It locks the account's
   * row until the transaction ends, so that two at once cannot both take the last place; `used` counts under that lock.
   */
  async requireRoom(trx: Knex.Transaction, userId: string, limit: LimitName, used: () => Promise<number>): Promise<void> {
    const tier = await this.lockAccount(trx, userId);
    const allowed = (await this.#limits.of(tier))[limit];
    if (allowed === null) return;
    const count = await used();
    if (count >= allowed) throw await this.quotaExceeded(limit, tier, count);
    await emit(trx, ...quotaEvents(userId, { limit, used: count + 1, allowed, tier }));
  }

  /**
   * Locks the account's row for the rest of the transaction and answers its effective tier. FORBIDDEN where the account
   * was suspended since the request came in, AUTH_INVALID where it was deleted: what makes something comes wholly before
   * that or not at all.
   */
  async lockAccount(trx: Knex.Transaction, userId: string): Promise<Tier> {
    const { rows } = await trx.raw<{ rows: { tier: Tier; is_suspended: boolean; is_deleted: boolean }[] }>(
      `select ${effectiveTierSql} as tier, u.suspended_at is not null as is_suspended, u.deleted_at is not null as is_deleted
         from users u where u.id = ? for update`, [userId]);
    const [account] = rows;
    if (account === undefined || account.is_deleted) throw new ServiceError('AUTH_INVALID', 'This account is gone.');
    if (account.is_suspended) throw new ServiceError('FORBIDDEN', 'This account is suspended. Ask support.', { details: { reason: 'suspended' } });
    return account.tier;
  }

  /** What QUOTA_EXCEEDED tells: the limit, what is used, and the cheapest tier that would allow one more. */
  async quotaExceeded(limit: LimitName, tier: Tier, used: number): Promise<ServiceError> {
    const allowed = (await this.#limits.of(tier))[limit];
    const upgrade = (await this.upgrades(tier))(limit, used + 1);
    const advice = upgrade === null ? 'Make room first.' : `Make room, or move to ${upgrade}.`;
    return new ServiceError('QUOTA_EXCEEDED', `Your tier (${tier}) allows ${allowed} for ${limit.replaceAll('_', ' ')}. ${advice}`, {
      details: { limit, allowed, used, tier, upgrade_to: upgrade },
    });
  }

  /** Tells of a limit which larger tier, the cheapest, would allow so much; null where none does. */
  async upgrades(from: Tier): Promise<(limit: LimitName, needed: number) => Tier | null> {
    const rows = await this.#limits.all();
    const larger = ladder.slice(from === 'admin' ? ladder.length : ladder.indexOf(from) + 1);
    return (limit, needed) => larger.find((tier) => {
      const row = rows.find((one) => one.tier === tier);
      const allowed = row?.[limit];
      return allowed === null || (allowed !== undefined && allowed >= needed);
    }) ?? null;
  }
}

const present = (limits: TierLimitRow): TierLimitSet =>
  ({ tier: limits.tier, limits, updated_at: limits.updated_at, updated_by: limits.updated_by });

const pick = (row: TierLimitRow, names: readonly (keyof TierLimits)[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, row[name]]));

import type { Knex } from 'knex';
import type { LimitName, TierLimits, TierLimitSetPage, TierOffer, TierOfferPage } from '#generated/sdk/types.gen.ts';
import type { Call, Tier } from '#platform/call.ts';
import { ServiceError } from '#platform/errors.ts';
import { type PageQuery, pageOfAll } from '#platform/paging.ts';
import { effectiveTierSql } from '../users/accounts.ts';
import { requireAdmin } from '../policy.ts';
import type { TierLimitCache } from './limits.ts';

const ladder = ['free', 'pro', 'premium'] as const;

const offerTexts = {
  free: { name: 'Free', description: 'For trying it out and for small projects of your own.' },
  pro: { name: 'Pro', description: 'For people who work with it every day.' },
  premium: { name: 'Premium', description: 'For teams whose builds come first, with GPU workers where they help.' },
} as const;

export class TierService {
  readonly #limits: TierLimitCache;

  constructor(limits: TierLimitCache) {
    this.#limits = limits;
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
    return pageOfAll(rows.map((limits) => ({ tier: limits.tier, limits, updated_at: limits.updated_at, updated_by: limits.updated_by })), query);
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
  }

  /** Locks the account's row for the rest of the transaction and answers its effective tier. */
  async lockAccount(trx: Knex.Transaction, userId: string): Promise<Tier> {
    const { rows } = await trx.raw<{ rows: { tier: Tier }[] }>(`select ${effectiveTierSql} as tier from users u where u.id = ? for update`, [userId]);
    const [account] = rows;
    if (account === undefined) throw new Error('an account vanished under its own request');
    return account.tier;
  }

  /** What QUOTA_EXCEEDED tells: the limit, what is used, and the cheapest tier that would allow one more. */
  async quotaExceeded(limit: LimitName, tier: Tier, used: number): Promise<ServiceError> {
    const allowed = (await this.#limits.of(tier))[limit];
    const upgrade = await this.#tierWithRoom(limit, used);
    const advice = upgrade === null ? 'Make room first.' : `Make room, or move to ${upgrade}.`;
    return new ServiceError('QUOTA_EXCEEDED', `Your tier (${tier}) allows ${allowed} for ${limit.replaceAll('_', ' ')}. ${advice}`, {
      details: { limit, allowed, used, tier, upgrade_to: upgrade },
    });
  }

  async #tierWithRoom(limit: LimitName, used: number): Promise<Tier | null> {
    for (const tier of ladder) {
      const allowed = (await this.#limits.of(tier))[limit];
      if (allowed === null || allowed > used) return tier;
    }
    return null;
  }
}

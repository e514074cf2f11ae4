/** The rows of `tier_limits`, read through a short cache: an admin's change holds everywhere within its time to live. */
import type { TierLimits } from '#generated/sdk/types.gen.ts';
import type { Tier } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';

export interface TierLimitRow extends TierLimits {
  readonly tier: Tier;
  readonly updated_at: string;
  readonly updated_by: string | null;
}

const timeToLiveMs = 5_000;

export class TierLimitCache {
  readonly #db: Database;
  readonly #clock: Clock;
  #rows: ReadonlyMap<Tier, TierLimitRow> | null = null;
  #readAt = 0;
  #reading: Promise<ReadonlyMap<Tier, TierLimitRow>> | null = null;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** All tiers, cheapest first. One statement per time to live and process, however many ask at once. */
  async all(): Promise<readonly TierLimitRow[]> {
    return [...(await this.#fresh()).values()];
  }

  async of(tier: Tier): Promise<TierLimitRow> {
    const row = (await this.#fresh()).get(tier);
    if (row === undefined) throw new Error(`tier_limits has no row for ${tier}`);
    return row;
  }

  async #fresh(): Promise<ReadonlyMap<Tier, TierLimitRow>> {
    if (this.#rows !== null && this.#clock.now() - this.#readAt < timeToLiveMs) return this.#rows;
    this.#reading ??= this.#read().finally(() => { this.#reading = null; });
    return this.#reading;
  }

  async #read(): Promise<ReadonlyMap<Tier, TierLimitRow>> {
    const rows = await this.#db.named<TierLimitRow>('tiers.all', `
      select * from tier_limits order by array_position(array['free', 'pro', 'premium', 'admin'], tier)`, []);
    this.#rows = new Map(rows.map((row) => [row.tier, row]));
    this.#readAt = this.#clock.now();
    return this.#rows;
  }
}

/** The rows of `tier_limits`, read through a short cache: an admin's change is told to every process, and holds within its time to live where that was lost. */
import type { TierLimits } from '#generated/sdk/types.gen.ts';
import type { Tier } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import type { Subscriber } from '#platform/redis.ts';

export interface TierLimitRow extends TierLimits {
  readonly tier: Tier;
  readonly row_version: number;
  readonly updated_at: string;
  readonly updated_by: string | null;
}

const timeToLiveMs = 5_000;
/** Says that a tier's limits have changed. The message is the tier. */
export const limitsChangedChannel = 'events:tier_limits';

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

  /** What is kept, or being read, may be out of date: the next question reads anew. */
  forget(): void {
    this.#rows = null;
    this.#reading = null;
  }

  /** Forgets whenever another process changed something, and when it may have while we could not hear. */
  hear(subscriber: Pick<Subscriber, 'subscribe' | 'onReconnect'>, log: Logger): void {
    subscriber.onReconnect(() => this.forget());
    subscriber.subscribe(limitsChangedChannel, () => this.forget()).catch((error: unknown) => {
      log.warn('tiers.not_heard', 'Changes of limits are not heard of at once; they hold within five seconds', { error });
    });
  }

  async #fresh(): Promise<ReadonlyMap<Tier, TierLimitRow>> {
    if (this.#rows !== null && this.#clock.now() - this.#readAt < timeToLiveMs) return this.#rows;
    if (this.#reading !== null) return this.#reading;
    const reading = this.#read();
    this.#reading = reading;
    try {
      const rows = await reading;
      // Not where it was told meanwhile to forget: this may be what stood before the change.
      if (this.#reading === reading) {
        this.#rows = rows;
        this.#readAt = this.#clock.now();
      }
      return rows;
    } finally {
      if (this.#reading === reading) this.#reading = null;
    }
  }

  async #read(): Promise<ReadonlyMap<Tier, TierLimitRow>> {
    const rows = await this.#db.named<TierLimitRow>('tiers.all', `
      select * from tier_limits order by array_position(array['free', 'pro', 'premium', 'admin'], tier)`, []);
    return new Map(rows.map((row) => [row.tier, row]));
  }
}

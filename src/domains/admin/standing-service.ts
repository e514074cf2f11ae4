/** What administrators decide about an account: its tier, and whether it may be used at all. */
import type { Knex } from 'knex';
import type { AdminUser, UserSuspension, UserTierUpdate } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';
import { announceAccountChange, clearRevoked } from '#platform/revocations.ts';
import { audit } from '../audit/audit.ts';
import type { SessionService } from '../auth/session-service.ts';
import { requireAdmin, requireRecentSignIn } from '../policy.ts';
import type { PreviewEndingService } from '../previews/ending-service.ts';
import { Administrators } from './administrators.ts';
import { accountSql, lockAccountSql, type LockedAccount } from './queries.ts';
import { presentAccount } from './rows.ts';

export interface StandingDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redis: Redis;
  readonly sessions: SessionService;
  readonly previewEndings: PreviewEndingService;
}

export class StandingService {
  readonly #on: StandingDependencies;
  readonly #administrators: Administrators;

  constructor(dependencies: StandingDependencies) {
    this.#on = dependencies;
    this.#administrators = new Administrators(dependencies.db);
  }

  /** Sets or lifts the tier that stands over the subscription's. CONFLICT where no administrator would be left. */
  async setTier(call: Call, userId: string, body: UserTierUpdate): Promise<AdminUser> {
    requireAdmin(call);
    const adminId = requireRecentSignIn(call, this.#on.clock.now());
    const until = this.#readUntil(body);
    const account = await transact(this.#on.db, null, async (trx) => {
      const before = await this.#lock(trx, userId);
      const fields = { tier_override: body.tier, tier_override_until: until };
      await this.#administrators.change(trx, adminId, () => trx('users').where({ id: userId }).update(fields));
      const data = { old: { tier_override: before.tier_override, tier_override_until: before.tier_override_until }, new: fields, reason: body.reason };
      await audit(trx, call, { event_type: 'user.tier_set', entity_type: 'user', entity_id: userId, data });
      const account = await this.#read(trx, userId);
      await emit(trx, { type: 'user.tier_set', entityId: userId, userId, data: { ...fields, from: before.tier, to: account.tier, changed_at: account.updated_at } });
      return account;
    });
    await this.#announce(userId);
    return account;
  }

  /**
   * Shuts an account out: no request of it is served from here on, in any replica, its streams end, and what it asked for
   * is cancelled. Of one that is suspended only the reason changes.
   */
  async suspend(call: Call, userId: string, { reason }: UserSuspension): Promise<AdminUser> {
    requireAdmin(call);
    const adminId = requireRecentSignIn(call, this.#on.clock.now());
    const done = await transact(this.#on.db, null, async (trx) => {
      const before = await this.#lock(trx, userId);
      if (userId === adminId) throw new ServiceError('CONFLICT', 'Nobody can suspend their own account. Ask another administrator.');
      await this.#administrators.change(trx, adminId, () => trx('users').where({ id: userId }).update({
        suspended_at: trx.raw('coalesce(suspended_at, now())'), suspended_reason: reason,
      }));
      const sessionIds = await this.#on.sessions.end(trx, userId);
      const jobIds = await this.#on.previewEndings.cancelAllOf(trx, userId, call);
      const account = await this.#read(trx, userId);
      const data = {
        old: standingOf(before), new: standingOf(account), sessions_ended: sessionIds.length, jobs_cancelled: jobIds.length,
      };
      await audit(trx, call, { event_type: 'user.suspended', entity_type: 'user', entity_id: userId, data });
      await emit(trx, { type: 'user.suspended', entityId: userId, userId, data: {} });
      return { account, sessionIds, jobIds };
    });
    // The account's own mark has every replica look at the account before it serves anything that is still kept of it.
    await this.#on.sessions.told([userId, ...done.sessionIds]);
    await this.#announce(userId);
    this.#on.previewEndings.told(done.jobIds);
    return done.account;
  }

  /** Lets the account in again; its API keys work, its sessions stay ended. */
  async unsuspend(call: Call, userId: string): Promise<AdminUser> {
    requireAdmin(call);
    requireRecentSignIn(call, this.#on.clock.now());
    const { account, isLifted } = await transact(this.#on.db, null, async (trx) => {
      const before = await this.#lock(trx, userId);
      if (before.suspended_at === null) return { account: await this.#read(trx, userId), isLifted: false };
      await trx('users').where({ id: userId }).update({ suspended_at: null, suspended_reason: null });
      const after = await this.#read(trx, userId);
      const data = { old: standingOf(before), new: standingOf(after) };
      await audit(trx, call, { event_type: 'user.unsuspended', entity_type: 'user', entity_id: userId, data });
      await emit(trx, { type: 'user.unsuspended', entityId: userId, userId, data: {} });
      return { account: after, isLifted: true };
    });
    if (isLifted) {
      await this.#quietly(() => clearRevoked(this.#on.redis, [userId]));
      await this.#announce(userId);
    }
    return account;
  }

  #readUntil({ tier, until }: UserTierUpdate): string | null {
    if (until == null) return null;
    const wrong = tier === null ? 'must be absent or null where the tier is lifted' : Date.parse(until) <= this.#on.clock.now() ? 'must be in the future' : null;
    if (wrong === null) return until;
    throw new ServiceError('VALIDATION_ERROR', 'This is no date for a tier to end.', { details: [{ pointer: '#/body/until', message: wrong, rule: 'until' }] });
  }

  async #lock(trx: Knex.Transaction, userId: string): Promise<LockedAccount> {
    await this.#administrators.lock(trx);
    const [row] = await this.#on.db.namedIn<LockedAccount>(trx, 'admin.lock_account', lockAccountSql, [userId]);
    if (row === undefined) throw notFound();
    return row;
  }

  async #read(trx: Knex.Transaction, userId: string): Promise<AdminUser> {
    const [row] = await this.#on.db.namedIn<AdminUser>(trx, 'admin.account', accountSql, [userId]);
    if (row === undefined) throw notFound();
    return presentAccount(row);
  }

  async #announce(userId: string): Promise<void> {
    await this.#quietly(() => announceAccountChange(this.#on.redis, userId));
  }

  /** Redis away: what replicas keep of the account is three seconds old at most, and they ask PostgreSQL until Redis is back. */
  async #quietly(tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      this.#on.log.warn('admin.change_late', 'Redis could not be told of a changed account', { error });
    }
  }
}

const standingOf = ({ suspended_at, suspended_reason }: Pick<AdminUser, 'suspended_at' | 'suspended_reason'>): Record<string, unknown> =>
  ({ suspended_at, suspended_reason });

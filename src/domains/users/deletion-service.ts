/** The end of an account: everything it could be used by stops working at once, and a job erases what it leaves. */
import type { Knex } from 'knex';
import type { AccountDeletion, AccountDeletionCreate } from '#generated/sdk/types.gen.ts';
import { sendMail } from '#jobs/mail-job.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call, Tier } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { ApiKeyRevocationService } from '../apikeys/revocation-service.ts';
import { audit } from '../audit/audit.ts';
import type { PasswordService } from '../auth/password-service.ts';
import type { SessionService } from '../auth/session-service.ts';
import { requireSelf } from '../policy.ts';
import type { PreviewEndingService } from '../previews/ending-service.ts';
import type { ProjectDepartureService } from '../projects/departure-service.ts';
import type { TeamDepartureService } from '../teams/departure-service.ts';
import { effectiveTierSql } from './accounts.ts';
import type { AccountErasures } from './erasures.ts';
import { accountDeletedMail } from './deletion-mail.ts';

export interface DeletionDependencies {
  readonly db: Database;
  readonly passwords: PasswordService;
  readonly sessions: SessionService;
  readonly apiKeys: ApiKeyRevocationService;
  readonly teams: TeamDepartureService;
  readonly projects: ProjectDepartureService;
  readonly previews: PreviewEndingService;
  readonly erasures: AccountErasures;
  /** Sees to it that an administrator is left. */
  readonly administrators: {
    lock(trx: Knex.Transaction): Promise<void>;
    change(trx: Knex.Transaction, callerId: string, make: () => PromiseLike<unknown>): Promise<void>;
  };
  readonly log: Pick<Logger, 'info'>;
  /** Has every replica read the account anew. */
  readonly announce: (userId: string) => Promise<void>;
}

interface LockedAccount { readonly email: string; readonly username: string; readonly password_hash: string; readonly tier: Tier; readonly deleted_at: string | null }

/** FOR UPDATE, so that whatever is being made for the account waits, and then finds it gone. */
const lockSql = `select u.email, u.username, u.password_hash, ${effectiveTierSql} as tier, u.deleted_at from users u where u.id = $1 for update`;

interface Ended {
  readonly deletion: AccountDeletion;
  readonly credentials: readonly string[];
  readonly jobs: readonly string[];
}

export class AccountDeletionService {
  readonly #on: DeletionDependencies;

  constructor(dependencies: DeletionDependencies) {
    this.#on = dependencies;
  }

  /**
   * Ends the caller's account. CONFLICT while somebody depends on it: a team that would have no Owner, or a deployment
   * that would have no administrator. Subscriptions have no table yet: none can renew.
   */
  async delete(call: Call, { password }: AccountDeletionCreate): Promise<AccountDeletion> {
    const userId = requireSelf(call);
    const proof = await this.#on.passwords.requirePassword(userId, password, 'password');
    const ended = await transact(this.#on.db, null, (trx) => this.#end(trx, call, userId, proof.password_hash));
    // The account's own mark ends what rests on it without a session: preview tokens, streams, what replicas keep of it.
    await this.#on.sessions.told([userId, ...ended.credentials]);
    await this.#on.announce(userId);
    this.#on.previews.told(ended.jobs);
    // Who restores a backup from before finds here which accounts to end anew.
    this.#on.log.info('account.deleted', 'An account was deleted', { user_id: userId });
    return ended.deletion;
  }

  /** Locks in the order that everybody keeps: teams, then accounts. */
  async #end(trx: Knex.Transaction, call: Call, userId: string, passwordHash: string): Promise<Ended> {
    const { sessions, apiKeys, teams, projects, previews, erasures } = this.#on;
    await teams.requireHeirs(trx, userId);
    const account = await this.#markDeleted(trx, userId, passwordHash);
    const sessionIds = await sessions.end(trx, userId);
    const keyIds = await apiKeys.revokeAllOf(trx, userId);
    const { left, handedOver, alone } = await teams.leave(trx, call, userId);
    const hidden = await projects.hideAllOf(trx, call, userId);
    await teams.end(trx, call, alone);
    await projects.leaveAll(trx, call, userId);
    const jobIds = [...await previews.cancelAllOf(trx, userId, call), ...await previews.cancelIn(trx, hidden, call)];
    const { requested_at: requestedAt, erase_by: eraseBy } = await erasures.begin(trx, userId);
    const became = { projects: { erased: hidden.length, handed_over: handedOver }, teams: { erased: alone.length, left } };
    const data = { ...became, sessions_ended: sessionIds.length, api_keys_revoked: keyIds.length, jobs_cancelled: jobIds.length };
    await audit(trx, call, { event_type: 'user.deletion_requested', entity_type: 'user', entity_id: userId, data });
    await emit(trx, { type: 'user.deleted', entityId: userId, userId, data: {} });
    // The address goes along: by the time of a late try its row may be erased. A job's payload is emptied when it ends.
    await sendMail(trx, accountDeletedMail.name, { user_id: userId, to: account.email, username: account.username, erase_by: eraseBy });
    return { deletion: { requested_at: requestedAt, erased_by: eraseBy, ...became }, credentials: [...sessionIds, ...keyIds], jobs: jobIds };
  }

  async #markDeleted(trx: Knex.Transaction, userId: string, passwordHash: string): Promise<LockedAccount> {
    const { db, administrators } = this.#on;
    const [account] = await db.namedIn<LockedAccount>(trx, 'users.lock_to_delete', lockSql, [userId]);
    // Of two deletions at once the second finds it done.
    if (account === undefined || account.deleted_at !== null) throw new ServiceError('AUTH_INVALID', 'This account is gone.');
    // Whoever set another password meanwhile is rid of what was under way with the old one, of this above all.
    if (account.password_hash !== passwordHash) throw new ServiceError('FORBIDDEN', 'The password is wrong.', { details: { field: 'password' } });
    const mark = (): Knex.QueryBuilder => trx('users').where({ id: userId }).update({ deleted_at: trx.fn.now() });
    if (account.tier !== 'admin') {
      await mark();
      return account;
    }
    await administrators.lock(trx);
    try {
      await administrators.change(trx, userId, mark);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'CONFLICT') throw error;
      throw new ServiceError('CONFLICT', 'You are the last administrator, and only an administrator can make another one. Make one first.', {
        details: { last_admin: true }, cause: error,
      });
    }
    return account;
  }
}

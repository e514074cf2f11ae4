/** The erasure of what deleted accounts leave. An account's row stays without anything in it, since what others keep points to it. */
import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { ScheduledJob } from '#jobs/scheduled.ts';
import type { SystemJobKind } from '#jobs/system-jobs.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import { audit } from '../audit/audit.ts';
import type { ErasureStage } from '../personal-data.ts';
import { StagedErasures } from '../staged-erasures.ts';

/**
 * Erasure begins this long after the deletion: longer than a build, the URLs somebody may still upload by (an hour), and
 * the tries of the last mail take.
 */
const delayHours = 3;
/** What the account was told. */
const withinDays = 30;

export class AccountErasures {
  readonly #staged: StagedErasures;

  /** @param stages in the order they run; two of one name are a fault */
  constructor(db: Database, stages: readonly ErasureStage[], log: Logger) {
    this.#staged = new StagedErasures({
      db, table: 'account_erasures', key: 'user_id', kind: 'accounts.erase', roundHours: [delayHours], stages,
      finish: emptyAccount,
      erased: (userId) => log.info('account.erased', 'The data of a deleted account are erased', { user_id: userId }),
      resumed: (userId) => log.warn('account.erasure_resumed', 'An erasure had no job any more and goes on', { user_id: userId }),
      late: (userId) => log.error('account.erasure_late', 'A deleted account should have been erased long ago', { user_id: userId }),
    });
  }

  /** Asks for the erasure, in the transaction that deletes the account. */
  async begin(trx: Knex.Transaction, userId: string): Promise<{ requested_at: string; erase_by: string }> {
    const [erasure] = await trx('account_erasures').insert({
      user_id: userId, run_after: trx.raw(`now() + interval '${delayHours} hours'`), erase_by: trx.raw(`now() + interval '${withinDays} days'`),
    }).returning<{ requested_at: string; erase_by: string }[]>(['requested_at', 'erase_by']);
    if (erasure === undefined) throw new Error('account_erasures answered no row for an insert');
    await this.#staged.ask(trx, [userId]);
    return erasure;
  }

  get kinds(): readonly SystemJobKind[] {
    return this.#staged.kinds;
  }

  get schedules(): readonly ScheduledJob[] {
    return this.#staged.schedules;
  }

  /** Runs the stages that are not done yet, and empties the account's row at last. Any number may do so at once. */
  async erase(userId: string, signal: AbortSignal): Promise<void> {
    await this.#staged.erase(userId, signal);
  }
}

async function emptyAccount(trx: Knex.Transaction, userId: string): Promise<void> {
  // Not made of the id, which others know: nobody can take the name first and so keep an account from being erased.
  const name = `erased-${randomBytes(11).toString('hex')}`;
  await trx('users').where({ id: userId }).update({
    email: `${name}@erased.invalid`, username: name, password_hash: 'erased', pending_email: null, email_verified_at: null, mfa_enabled_at: null,
    last_login: null, suspended_reason: null, tier: 'free', tier_override: null, tier_override_until: null, erased_at: trx.fn.now(),
  });
  await trx('user_profiles').where({ user_id: userId }).delete();
  await audit(trx, null, { event_type: 'user.erased', entity_type: 'user', entity_id: userId });
}

/**
 * Erases what deleted accounts leave, stage by stage, in a job that may be cut off anywhere and goes on where it was. An
 * account's row stays without anything in it, since what others keep points to it.
 */
import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { ScheduledJob } from '#jobs/scheduled.ts';
import { addSystemJob, GivenUp, type SystemJobKind } from '#jobs/system-jobs.ts';
import { type Database, transact } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import { audit } from '../audit/audit.ts';
import { batchSize, type ErasureStage, firstId, inBatches } from '../personal-data.ts';

/**
 * Erasure begins this long after the deletion: longer than a build, the URLs somebody may still upload by (an hour), and
 * the tries of the last mail take.
 */
const delayHours = 3;
/** What the account was told. */
const withinDays = 30;
/** An erasure that is not done this long after it should have begun is worth an operator's look. */
const lateHours = 48;
const timeoutMs = 30 * 60_000;
const netSeconds = 600;

const eraseKindName = 'accounts.erase';
const netKindName = 'accounts.erase_due';

const readSql = 'select stages, completed_at from account_erasures where user_id = $1';
const noteSql = 'update account_erasures set stages = stages || jsonb_build_object($2::text, $3::bigint) where user_id = $1';
const dueSql = `
  select user_id, run_after < now() - interval '${lateHours} hours' as is_late from account_erasures
   where completed_at is null and run_after <= now() and user_id > $1 order by user_id limit ${batchSize}`;

interface Erasure { readonly stages: Readonly<Record<string, number>>; readonly completed_at: string | null }
interface DueErasure { readonly user_id: string; readonly is_late: boolean }

export class AccountErasures {
  readonly #db: Database;
  readonly #stages: readonly ErasureStage[];
  readonly #log: Logger;

  /** @param stages in the order they run; two of one name are a fault */
  constructor(db: Database, stages: readonly ErasureStage[], log: Logger) {
    if (new Set(stages.map(({ name }) => name)).size < stages.length) throw new Error('Two stages of the erasure have one name.');
    this.#db = db;
    this.#stages = stages;
    this.#log = log;
  }

  /** Asks for the erasure, in the transaction that deletes the account. */
  async begin(trx: Knex.Transaction, userId: string): Promise<{ requested_at: string; erase_by: string }> {
    const [erasure] = await trx('account_erasures').insert({
      user_id: userId, run_after: trx.raw(`now() + interval '${delayHours} hours'`), erase_by: trx.raw(`now() + interval '${withinDays} days'`),
    }).returning<{ requested_at: string; erase_by: string }[]>(['requested_at', 'erase_by']);
    if (erasure === undefined) throw new Error('account_erasures answered no row for an insert');
    await this.#ask(trx, userId, delayHours * 3_600_000);
    return erasure;
  }

  /** The job of one erasure, and the net that finds those whose job is gone: given up, or lost with a backup restored. */
  get kinds(): readonly SystemJobKind[] {
    return [
      { kind: eraseKindName, timeoutMs, run: ({ user_id: userId }, { signal }) => this.erase(String(userId), signal) },
      { kind: netKindName, timeoutMs: 60_000, run: (_payload, { signal }) => this.#resumeDue(signal) },
    ];
  }

  get schedules(): readonly ScheduledJob[] {
    return [{ name: netKindName, everySeconds: netSeconds, kind: netKindName }];
  }

  /** Runs the stages that are not done yet, and empties the account's row at last. Any number may do so at once. */
  async erase(userId: string, signal: AbortSignal): Promise<void> {
    const [erasure] = await this.#db.named<Erasure>('erasure.read', readSql, [userId]);
    if (erasure === undefined) throw new GivenUp('There is no such erasure.');
    if (erasure.completed_at !== null) return;
    for (const stage of this.#stages) {
      if (Object.hasOwn(erasure.stages, stage.name)) continue;
      signal.throwIfAborted();
      const erased = await stage.run(userId, signal);
      await this.#db.named('erasure.note', noteSql, [userId, stage.name, erased]);
    }
    await transact(this.#db, null, (trx) => this.#finish(trx, userId));
    this.#log.info('account.erased', 'The data of a deleted account are erased', { user_id: userId });
  }

  async #finish(trx: Knex.Transaction, userId: string): Promise<void> {
    const done = await trx('account_erasures').where({ user_id: userId }).whereNull('completed_at').update({ completed_at: trx.fn.now() });
    if (done === 0) return;
    // Not made of the id, which others know: nobody can take the name first and so keep an account from being erased.
    const name = `erased-${randomBytes(11).toString('hex')}`;
    await trx('users').where({ id: userId }).update({
      email: `${name}@erased.invalid`, username: name, password_hash: 'erased', pending_email: null, email_verified_at: null, mfa_enabled_at: null,
      last_login: null, suspended_reason: null, tier: 'free', tier_override: null, tier_override_until: null, erased_at: trx.fn.now(),
    });
    await trx('user_profiles').where({ user_id: userId }).delete();
    await audit(trx, null, { event_type: 'user.erased', entity_type: 'user', entity_id: userId });
  }

  async #resumeDue(signal: AbortSignal): Promise<void> {
    const due = inBatches<DueErasure>((last) => this.#db.named<DueErasure>('erasure.due', dueSql, [last?.user_id ?? firstId]));
    for await (const { user_id: userId, is_late: isLate } of due) {
      signal.throwIfAborted();
      const asked = await transact(this.#db, null, (trx) => this.#ask(trx, userId, 0));
      if (asked) this.#log.warn('account.erasure_resumed', 'An erasure had no job any more and goes on', { user_id: userId });
      if (isLate) this.#log.error('account.erasure_late', 'A deleted account should have been erased long ago', { user_id: userId });
    }
  }

  /** Whether a job was added: there is one at a time for an account. */
  async #ask(trx: Knex.Transaction, userId: string, delayMs: number): Promise<boolean> {
    const id = await addSystemJob(trx, { kind: eraseKindName, payload: { user_id: userId }, delayMs, dedupeKey: `${eraseKindName}:${userId}` });
    return id !== null;
  }
}

/** Forgotten passwords: what a request asks for, and the job that does it where nobody can measure how long it takes. */
import type { Knex } from 'knex';
import { sendMail } from '#jobs/mail-job.ts';
import { addSystemJob, type JobPayload, type SystemJobKind } from '#jobs/system-jobs.ts';
import type { Call } from '#platform/call.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { type Database, transact } from '#platform/database.ts';
import { audit } from '../audit/audit.ts';
import { lockAccountByEmail } from './locked-account.ts';
import type { MailedTokens } from './mailed-tokens.ts';

const kind = 'auth.password_reset';
/** Mails to one account within an hour; what is asked for beyond them comes to nothing, in silence. */
const mailsPerHour = 3;

const mailedSql = "select count(*) as mailed from password_resets where user_id = $1 and created_at > now() - interval '1 hour'";
const byTokenSql = `
  select r.id, r.user_id, u.email, u.username
    from password_resets r join users u on u.id = r.user_id
   where r.token_hash = $1 and r.used_at is null and r.expires_at > now() and u.suspended_at is null and u.deleted_at is null`;
/** The conditional mark lets one of several at once through. */
const useSql = 'update password_resets set used_at = now() where id = $1 and used_at is null and expires_at > now() returning id';

export interface ResetRow { readonly id: string; readonly user_id: string; readonly email: string; readonly username: string }

export class PasswordResets {
  readonly #db: Database;
  readonly #tokens: MailedTokens;

  constructor(db: Database, tokens: MailedTokens) {
    this.#db = db;
    this.#tokens = tokens;
  }

  /** The same two statements for every address: whether there is an account is looked up by the job. */
  async request(trx: Knex.Transaction, call: Call, email: string): Promise<void> {
    await addSystemJob(trx, {
      kind, payload: { email, ip: call.ip, request_id: call.requestId }, dedupeKey: `${kind}:${sha256Hex(email.toLowerCase())}`,
    });
  }

  /** The job: a token is mailed, those before it are void. Run again it finds its own row and does nothing. */
  kind(): SystemJobKind {
    return { kind, timeoutMs: 10_000, run: (payload, { jobId }) => this.#make(jobId, payload) };
  }

  /** An open reset by its token; undefined for one that does not hold. Only `use` decides. */
  async find(tokenHash: Buffer): Promise<ResetRow | undefined> {
    const [row] = await this.#db.named<ResetRow>('auth.reset_by_token', byTokenSql, [tokenHash]);
    return row;
  }

  async use(trx: Knex.Transaction, id: string): Promise<boolean> {
    return (await this.#db.namedIn(trx, 'auth.use_reset', useSql, [id])).length === 1;
  }

  /** Makes what is open of an account void. */
  async void(trx: Knex.Transaction, userId: string): Promise<void> {
    await trx('password_resets').where({ user_id: userId }).whereNull('used_at').update({ used_at: trx.fn.now() });
  }

  async #make(jobId: string, payload: JobPayload): Promise<void> {
    const [email, ip, requestId] = [String(payload['email']), String(payload['ip']), String(payload['request_id'])];
    await transact(this.#db, null, async (trx) => {
      const account = await lockAccountByEmail(this.#db, trx, email);
      if (account === undefined || account.suspended_at !== null) return;
      const [row] = await this.#db.namedIn<{ mailed: number }>(trx, 'auth.resets_mailed', mailedSql, [account.id]);
      if ((row?.mailed ?? 0) >= mailsPerHour || await trx('password_resets').where({ id: jobId }).first('id') !== undefined) return;
      await this.void(trx, account.id);
      await trx('password_resets').insert({
        id: jobId, user_id: account.id, token_hash: this.#tokens.hashFor('password_reset', jobId), expires_at: trx.raw("now() + interval '1 hour'"),
      });
      await audit(trx, { caller: { kind: 'anonymous' }, ip, requestId }, {
        event_type: 'user.password_reset_requested', entity_type: 'user', entity_id: account.id, user_id: account.id,
      });
      await sendMail(trx, 'auth.password_reset', { reset_id: jobId });
    });
  }
}

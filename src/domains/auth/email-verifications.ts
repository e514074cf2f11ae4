import type { Knex } from 'knex';
import { sendMail } from '#jobs/mail-job.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { MailedTokens } from './mailed-tokens.ts';

/** Mails within an hour, for one account and to one address: nobody fills somebody else's mailbox by way of us. */
const mailsPerHour = 5;

/** The counts that leave no room: of the account's mails, whatever the address, and of the address', whoever asked. */
const fullSql = `
  select ceil(extract(epoch from since + interval '1 hour' - now()))::int as wait_seconds
    from (select count(*) as mailed, min(created_at) as since from email_verifications where user_id = $1 and created_at > now() - interval '1 hour'
          union all
          select count(*), min(created_at) from email_verifications where lower(email) = lower($2) and created_at > now() - interval '1 hour') counts
   where mailed >= $3
   order by wait_seconds desc limit 1`;

/** The conditional mark lets one of several at once through. */
const useSql = 'update email_verifications set used_at = now() where id = $1 and used_at is null and expires_at > now() returning id';

const byTokenSql = 'select id, user_id, email from email_verifications where token_hash = $1';

export interface VerificationRow { readonly id: string; readonly user_id: string; readonly email: string }

/** Addresses that wait to be confirmed, at most one of an account. Every method belongs into a transaction that holds the account's lock. */
export class EmailVerifications {
  readonly #db: Database;
  readonly #tokens: MailedTokens;

  constructor(db: Database, tokens: MailedTokens) {
    this.#db = db;
    this.#tokens = tokens;
  }

  /** Mails a token to the address of a new account. */
  async begin(trx: Knex.Transaction, userId: string, email: string): Promise<void> {
    const id = newId();
    await trx('email_verifications').insert({
      id, user_id: userId, email, token_hash: this.#tokens.hashFor('email_verification', id), expires_at: trx.raw("now() + interval '24 hours'"),
    });
    await sendMail(trx, 'auth.email_verification', { verification_id: id });
  }

  /** Mails a fresh one and makes the older void; RATE_LIMITED where the account or the address had too many. */
  async renew(trx: Knex.Transaction, userId: string, email: string): Promise<void> {
    const [full] = await this.#db.namedIn<{ wait_seconds: number }>(trx, 'auth.verifications_full', fullSql, [userId, email, mailsPerHour]);
    if (full !== undefined) {
      const seconds = Math.max(1, full.wait_seconds);
      throw new ServiceError('RATE_LIMITED', `Several mails went out within the hour. Look for them, also among spam, or try again in ${seconds} s.`, {
        details: { limit: 'email_verification', retry_after: seconds }, retryAfterSeconds: seconds,
      });
    }
    await this.void(trx, userId);
    await this.begin(trx, userId, email);
  }

  /** Makes what waits void: all of it, or where it is named what does not confirm this address. */
  async void(trx: Knex.Transaction, userId: string, exceptFor?: string): Promise<void> {
    const open = trx('email_verifications').where({ user_id: userId }).whereNull('used_at');
    if (exceptFor !== undefined) open.whereRaw('lower(email) <> lower(?)', [exceptFor]);
    await open.update({ used_at: trx.fn.now() });
  }

  /** What a token was mailed for, whether or not it still holds. */
  async find(trx: Knex.Transaction, tokenHash: Buffer): Promise<VerificationRow | undefined> {
    const [row] = await this.#db.namedIn<VerificationRow>(trx, 'auth.verification_by_token', byTokenSql, [tokenHash]);
    return row;
  }

  /** Uses it up; false where it was used, made void, or is too old. */
  async use(trx: Knex.Transaction, id: string): Promise<boolean> {
    return (await this.#db.namedIn(trx, 'auth.use_verification', useSql, [id])).length === 1;
  }
}

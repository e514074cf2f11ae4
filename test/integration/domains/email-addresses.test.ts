import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { redisReady } from '#platform/redis.ts';
import { accountChangedChannel } from '#platform/revocations.ts';
import { type Account, lastMail, login, outcome, outcomes, password, register, tokenIn } from '../../support/accounts.ts';
import { type Reply, useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

describe('email addresses', () => {
  const backend = useBackend({ EMAIL_VERIFICATION: 'required' });
  const post = (path: string, json: unknown, headers: Record<string, string> = {}): Promise<Reply> => backend.current.http('POST', path, { json, headers });
  const me = async ({ headers }: Account): Promise<Reply> => backend.current.http('GET', '/users/me', { headers });
  const verify = (token: string): Promise<Reply> => post('/auth/email/verify', { token });
  const resend = ({ headers }: Account): Promise<Reply> => backend.current.http('POST', '/auth/email/verify/resend', { headers });
  const change = ({ headers }: Account, address: string, word = password): Promise<Reply> => post('/auth/email/change', { new_email: address, password: word }, headers);
  const mailed = async (to: string): Promise<string> => tokenIn(await lastMail(backend.current, to, /Confirm/));
  const freshAddress = (): string => `new-${newId().slice(-10)}@example.com`;
  const audits = (userId: string, event: string): Promise<Record<string, unknown>[]> =>
    backend.current.sql('select data, ip_address from audit_logs where entity_id = ? and event_type = ?', [userId, event]);
  const confirmed = async (): Promise<Account> => {
    const account = await register(backend.current);
    expect(outcome(await verify(await mailed(account.email)))).to.equal('204 ok');
    return account;
  };

  describe('of new accounts', () => {
    it('are mailed a link that confirms them, once', async () => {
      const ada = await register(backend.current);
      const mail = await lastMail(backend.current, ada.email, /Confirm/);
      expect(mail.action).to.equal(`${backend.current.url}/verify-email#token=${tokenIn(mail)}`);
      expect((await me(ada)).data['email_verified_at']).to.equal(null);
      expect(outcome(await verify(tokenIn(mail)))).to.equal('204 ok');
      expect((await me(ada)).data['email_verified_at']).to.be.a('string');
      expect(outcome(await verify(tokenIn(mail)))).to.equal('401 AUTH_INVALID');
      expect(await audits(ada.userId, 'user.email_verified')).to.deep.equal([{ data: {}, ip_address: '127.0.0.1' }]);
    });

    it('are told to every replica the moment they are confirmed', async () => {
      const ada = await register(backend.current);
      const token = await mailed(ada.email);
      const heard: string[] = [];
      const listener = backend.current.redis.redis.duplicate();
      try {
        await redisReady(listener);
        await listener.subscribe(accountChangedChannel);
        listener.on('message', (_channel, userId) => heard.push(userId));
        expect(outcome(await verify(token))).to.equal('204 ok');
        await until('every replica to be told', () => heard.includes(ada.userId));
      } finally {
        listener.disconnect();
      }
    });

    it('are confirmed by one of fifty at once with the same token', async () => {
      const ada = await register(backend.current);
      const token = await mailed(ada.email);
      expect(outcomes(await Promise.all(Array.from({ length: 50 }, () => verify(token))))).to.deep.equal({ '204 ok': 1, '401 AUTH_INVALID': 49 });
      expect(await audits(ada.userId, 'user.email_verified')).to.have.length(1);
    });

    it('are refused in the same words by a token that is unknown, used or too old, and by one of a deleted account', async () => {
      const [used, old, deleted] = [await register(backend.current), await register(backend.current), await register(backend.current)];
      const tokens = [await mailed(used.email), await mailed(old.email), await mailed(deleted.email)];
      await verify(tokens[0] ?? '');
      await backend.current.sql("update email_verifications set expires_at = now() - interval '1 second' where user_id = ?", [old.userId]);
      await backend.current.sql('update users set deleted_at = now() where id = ?', [deleted.userId]);
      const replies = await Promise.all(['A'.repeat(43), ...tokens].map(verify));
      expect(outcomes(replies)).to.deep.equal({ '401 AUTH_INVALID': 4 });
      expect(new Set(replies.map(({ text }) => text)).size).to.equal(1);
      expect((await me(old)).data['email_verified_at']).to.equal(null);
    });

    it('hold their token for a day', async () => {
      const ada = await register(backend.current);
      const [row] = await backend.current.sql("select extract(epoch from expires_at - created_at)::int as seconds from email_verifications where user_id = ?", [ada.userId]);
      expect(row).to.deep.equal({ seconds: 86_400 });
    });
  });

  describe('whose mail is sent again', () => {
    it('hold by the newest token alone', async () => {
      const ada = await register(backend.current);
      const older = await mailed(ada.email);
      expect(outcome(await resend(ada))).to.equal('204 ok');
      const newer = await mailed(ada.email);
      expect(newer).not.to.equal(older);
      expect(outcome(await verify(older))).to.equal('401 AUTH_INVALID');
      expect(outcome(await verify(newer))).to.equal('204 ok');
      expect(await audits(ada.userId, 'user.verification_resent')).to.have.length(1);
    });

    it('wait for nothing once they are confirmed', async () => {
      expect(outcome(await resend(await confirmed()))).to.equal('409 CONFLICT');
    });

    it('get it at the new address while a change is under way', async () => {
      const ada = await register(backend.current);
      const address = freshAddress();
      await change(ada, address);
      const first = await mailed(address);
      expect(outcome(await resend(ada))).to.equal('204 ok');
      expect(await mailed(address)).not.to.equal(first);
    });

    it('get five within an hour, also where many are asked for at once, and are told when there are more', async () => {
      const ada = await register(backend.current);
      const replies = await Promise.all(Array.from({ length: 10 }, () => resend(ada)));
      expect(outcomes(replies)).to.deep.equal({ '204 ok': 4, '429 RATE_LIMITED': 6 });
      const limited = replies.find(({ status }) => status === 429);
      expect(Number(limited?.headers.get('retry-after'))).to.be.within(3_500, 3_600);
      // Only the last of those in flight still holds: the others have nothing to say any more.
      expect(outcome(await verify(await mailed(ada.email)))).to.equal('204 ok');
    });
  });

  describe('changed', () => {
    it('stay what they are until the new one is confirmed; the old one is told before and after', async () => {
      const ada = await confirmed();
      const address = freshAddress();
      const before = await me(ada);
      expect(outcome(await change(ada, address))).to.equal('204 ok');
      const during = await me(ada);
      expect(during.data).to.include({ email: ada.email, pending_email: address });
      expect(during.headers.get('etag')).not.to.equal(before.headers.get('etag'));
      const notice = await lastMail(backend.current, ada.email, /about to get another address/);
      expect(notice.action).to.equal(null);
      expect(outcome(await verify(await mailed(address)))).to.equal('204 ok');
      const after = await me(ada);
      expect(after.data).to.include({ email: address, pending_email: null });
      expect(after.headers.get('etag')).not.to.equal(during.headers.get('etag'));
      await lastMail(backend.current, ada.email, /has another address now/);
      expect(outcome(await login(backend.current, ada))).to.equal('401 AUTH_INVALID');
      expect(outcome(await login(backend.current, { email: address }))).to.equal('200 ok');
    });

    it('are written down without the addresses themselves', async () => {
      const ada = await confirmed();
      const address = freshAddress();
      await change(ada, address);
      await verify(await mailed(address));
      const expected = [{ data: { from: 'a…@example.com', to: 'n…@example.com' }, ip_address: '127.0.0.1' }];
      expect(await audits(ada.userId, 'user.email_change_requested')).to.deep.equal(expected);
      expect((await audits(ada.userId, 'user.email_verified')).slice(1)).to.deep.equal(expected);
    });

    it('take the password: a wrong one is named by its field, and limited', async () => {
      const ada = await register(backend.current);
      const address = freshAddress();
      const reply = await change(ada, address, 'not the password at all');
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { field: 'password' }]);
      expect((await me(ada)).data['pending_email']).to.equal(null);
      const more = await Promise.all(Array.from({ length: 12 }, () => change(ada, address, 'not the password at all')));
      expect(outcomes(more)).to.deep.equal({ '403 FORBIDDEN': 9, '429 RATE_LIMITED': 3 });
    });

    it('are not begun by who knew the password when it was asked for and not any more', async () => {
      const ada = await register(backend.current);
      const address = freshAddress();
      const { knex } = backend.current.database.db;
      // Holds the account as somebody does who sets another password; the request comes to its lock with the old one compared.
      const asked = await knex.transaction(async (trx) => {
        await trx('users').where({ id: ada.userId }).forUpdate().first('id');
        const waiting = change(ada, address);
        await until('the request to wait for the account', async () => (await backend.current.sql(
          "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%for no key update%'")).length > 0);
        await trx('users').where({ id: ada.userId }).update({ password_hash: 'another one' });
        return { waiting };
      });
      const reply = await asked.waiting;
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { field: 'password' }]);
      expect(await backend.current.mails(address)).to.deep.equal([]);
    });

    it('are refused where somebody has the new one, whatever its case, or it is the present one', async () => {
      const [ada, ben] = [await confirmed(), await register(backend.current)];
      for (const address of [ben.email, ben.email.toUpperCase(), ada.email, ada.email.toUpperCase()]) {
        const reply = await change(ada, address);
        expect([outcome(reply), reply.error?.details], address).to.deep.equal(['409 CONFLICT', { field: 'new_email' }]);
      }
      expect((await me(ada)).data['pending_email']).to.equal(null);
    });

    it('are refused at the confirmation where somebody took the new one meanwhile, and nothing changes', async () => {
      const [ada, ben] = [await confirmed(), await confirmed()];
      const address = freshAddress();
      await change(ada, address);
      const token = await mailed(address);
      await change(ben, address);
      expect(outcome(await verify(await mailed(address)))).to.equal('204 ok');
      const reply = await verify(token);
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['409 CONFLICT', { field: 'email' }]);
      expect((await me(ada)).data).to.include({ email: ada.email, pending_email: address });
    });

    it('are not changed while the account is suspended, though the link was mailed before; afterwards it does', async () => {
      const ada = await confirmed();
      const address = freshAddress();
      await change(ada, address);
      const token = await mailed(address);
      const stand = (at: string): Promise<unknown> => backend.current.sql(`update users set suspended_at = ${at} where id = ?`, [ada.userId]);
      await stand('now()');
      const refused = await verify(token);
      expect(outcome(refused)).to.equal('401 AUTH_INVALID');
      expect(refused.error?.message).to.match(/suspended/);
      await stand('null');
      expect(outcome(await verify(token))).to.equal('204 ok');
    });

    it('go to one of many accounts that confirm the same address at once', async () => {
      const people = [await confirmed(), await confirmed(), await confirmed(), await confirmed()];
      const address = freshAddress();
      const tokens: string[] = [];
      for (const one of people) {
        expect(outcome(await change(one, address))).to.equal('204 ok');
        tokens.push(await mailed(address));
      }
      expect(outcomes(await Promise.all(tokens.map(verify)))).to.deep.equal({ '204 ok': 1, '409 CONFLICT': 3 });
      expect(await backend.current.sql('select count(*) as held from users where email = ?', [address])).to.deep.equal([{ held: 1 }]);
    });

    it('hold by the newest request alone', async () => {
      const ada = await confirmed();
      const [first, second] = [freshAddress(), freshAddress()];
      await change(ada, first);
      const older = await mailed(first);
      await change(ada, second);
      expect(outcome(await verify(older))).to.equal('401 AUTH_INVALID');
      expect(outcome(await verify(await mailed(second)))).to.equal('204 ok');
      expect((await me(ada)).data).to.include({ email: second, pending_email: null });
    });

    it('are taken back by asking for the present one; one that was not confirmed yet is mailed anew', async () => {
      for (const ada of [await confirmed(), await register(backend.current)]) {
        const isConfirmed = (await me(ada)).data['email_verified_at'] !== null;
        const address = freshAddress();
        await change(ada, address);
        const token = await mailed(address);
        expect(outcome(await change(ada, ada.email))).to.equal('204 ok');
        expect((await me(ada)).data).to.include({ email: ada.email, pending_email: null });
        expect(outcome(await verify(token))).to.equal('401 AUTH_INVALID');
        if (!isConfirmed) expect(outcome(await verify(await mailed(ada.email)))).to.equal('204 ok');
        expect((await me(ada)).data['email_verified_at']).to.be.a('string');
      }
    });

    it('make resets void that went to the old one', async () => {
      const ada = await confirmed();
      const address = freshAddress();
      await change(ada, address);
      await post('/auth/password/forgot', { email: ada.email });
      const token = tokenIn(await lastMail(backend.current, ada.email, /new password/));
      await verify(await mailed(address));
      expect(outcome(await post('/auth/password/reset', { token, new_password: 'the password of a stranger' }))).to.equal('401 AUTH_INVALID');
    });

    it('fill nobody\'s mailbox: five mails an hour to one address, whoever asks', async () => {
      const address = freshAddress();
      const people = await Promise.all(Array.from({ length: 7 }, () => register(backend.current)));
      const seen: string[] = [];
      for (const one of people) seen.push(outcome(await change(one, address)));
      expect(seen).to.deep.equal([...Array<string>(5).fill('204 ok'), ...Array<string>(2).fill('429 RATE_LIMITED')]);
      expect((await me(people[6] as Account)).data['pending_email'], 'what was refused changed nothing').to.equal(null);
    });
  });
});

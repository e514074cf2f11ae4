import { expect } from 'chai';
import { type Account, bearer, lastMail, login, outcome, outcomes, password, register, tokenIn } from '../../support/accounts.ts';
import { type Reply, useBackend } from '../../support/backend.ts';
import { statementsOf } from '../../support/statements.ts';

const newPassword = 'a hundred wasps in a shed';

describe('passwords', () => {
  const backend = useBackend();
  const post = (path: string, json: unknown, headers: Record<string, string> = {}): Promise<Reply> => backend.current.http('POST', path, { json, headers });
  const me = (headers: Record<string, string>): Promise<Reply> => backend.current.http('GET', '/users/me', { headers });
  const audits = (userId: string, event: string): Promise<Record<string, unknown>[]> =>
    backend.current.sql('select data, ip_address, request_id is not null as has_request from audit_logs where entity_id = ? and event_type = ?', [userId, event]);
  const signIn = async (account: Account, word = password): Promise<{ authorization: string }> => bearer((await login(backend.current, account, word)).data['access_token']);
  const forget = (email: string): Promise<Reply> => post('/auth/password/forgot', { email });
  const reset = (token: string, word = newPassword): Promise<Reply> => post('/auth/password/reset', { token, new_password: word });
  const resetToken = async ({ email }: Account): Promise<string> => {
    expect(outcome(await forget(email))).to.equal('204 ok');
    return tokenIn(await lastMail(backend.current, email, /new password/));
  };

  describe('changed', () => {
    const change = (account: Account, current: string, word = newPassword, headers = account.headers): Promise<Reply> =>
      post('/auth/password/change', { current_password: current, new_password: word }, headers);

    it('end every other session and leave this one, and the new one is what signs in', async () => {
      const ada = await register(backend.current);
      const other = await signIn(ada);
      expect(outcome(await change(ada, password))).to.equal('204 ok');
      expect(outcome(await me(other))).to.equal('401 AUTH_INVALID');
      expect(outcome(await me(ada.headers))).to.equal('200 ok');
      expect(outcome(await post('/auth/refresh', { refresh_token: ada.refreshToken }))).to.equal('200 ok');
      expect(outcome(await login(backend.current, ada))).to.equal('401 AUTH_INVALID');
      expect(outcome(await login(backend.current, ada, newPassword))).to.equal('200 ok');
      expect(await audits(ada.userId, 'user.password_changed')).to.deep.equal([{ data: { sessions_ended: 1 }, ip_address: '127.0.0.1', has_request: true }]);
    });

    it('are told to the account, in a mail that holds neither', async () => {
      const ada = await register(backend.current);
      await change(ada, password);
      const mail = await lastMail(backend.current, ada.email, /password was changed/);
      for (const word of [password, newPassword]) expect(mail.text + mail.html).not.to.contain(word);
      expect(mail.action).to.equal(null);
    });

    it('take the current one: a wrong one is named by its field and changes nothing', async () => {
      const ada = await register(backend.current);
      const reply = await change(ada, 'not the password at all');
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { field: 'current_password' }]);
      expect(outcome(await login(backend.current, ada))).to.equal('200 ok');
    });

    it('may not become one that others would guess', async () => {
      const ada = await register(backend.current);
      for (const weak of ['qwertyuiopas', `${ada.username}2026`]) {
        const reply = await change(ada, password, weak);
        expect([outcome(reply), reply.error?.details], weak).to.deep.equal(
          ['400 VALIDATION_ERROR', [{ pointer: '#/body/new_password', message: 'is a common password', rule: 'common_password' }]]);
      }
      expect(outcome(await login(backend.current, ada))).to.equal('200 ok');
    });

    it('may be guessed ten times an hour for one account, from however many sessions and at once, and for no other account less', async () => {
      const [ada, ben] = [await register(backend.current), await register(backend.current)];
      const sessions = [ada.headers, await signIn(ada)];
      const replies = await Promise.all(Array.from({ length: 50 }, (_, one) => change(ada, 'not the password at all', newPassword, sessions[one % 2])));
      expect(outcomes(replies)).to.deep.equal({ '403 FORBIDDEN': 10, '429 RATE_LIMITED': 40 });
      const limited = await change(ada, password);
      expect([outcome(limited), (limited.error?.details as { limit: string }).limit]).to.deep.equal(['429 RATE_LIMITED', 'guess_password']);
      expect(Number(limited.headers.get('retry-after'))).to.be.within(3_000, 3_600);
      expect(outcome(await change(ben, password))).to.equal('204 ok');
    });

    it('count no right guess as one', async () => {
      const ada = await register(backend.current);
      for (let word = 0; word < 12; word += 1) {
        expect(outcome(await change(ada, word === 0 ? password : `${newPassword} ${word - 1}`, `${newPassword} ${word}`))).to.equal('204 ok');
      }
    });

    it('are changed by one of several at once that know the same old one', async () => {
      const ada = await register(backend.current);
      const replies = await Promise.all(Array.from({ length: 5 }, (_, one) => change(ada, password, `${newPassword} ${one}`)));
      expect(outcomes(replies)).to.deep.equal({ '204 ok': 1, '403 FORBIDDEN': 4 });
      expect(await audits(ada.userId, 'user.password_changed')).to.have.length(1);
    });

    it('make void what a stranger with the old one may have begun: a reset, a change of address', async () => {
      const ada = await register(backend.current);
      const token = await resetToken(ada);
      const address = `eve-${ada.email}`;
      await post('/auth/email/change', { new_email: address, password }, ada.headers);
      const confirmation = tokenIn(await lastMail(backend.current, address, /Confirm/));
      expect(outcome(await change(ada, password))).to.equal('204 ok');
      expect(outcome(await reset(token, 'the password of a stranger'))).to.equal('401 AUTH_INVALID');
      expect(outcome(await post('/auth/email/verify', { token: confirmation }))).to.equal('401 AUTH_INVALID');
      expect((await me(ada.headers)).data).to.include({ email: ada.email, pending_email: null });
    });

    it('leave the confirmation of a new account alone', async () => {
      const ada = await register(backend.current);
      const token = tokenIn(await lastMail(backend.current, ada.email, /Confirm/));
      await change(ada, password);
      expect(outcome(await post('/auth/email/verify', { token }))).to.equal('204 ok');
    });
  });

  describe('forgotten', () => {
    it('are answered alike, and by the same statements, whether or not there is such an account', async () => {
      const [known, suspended, deleted] = [await register(backend.current), await register(backend.current), await register(backend.current)];
      await backend.current.sql('update users set suspended_at = now() where id = ?', [suspended.userId]);
      await backend.current.sql('update users set deleted_at = now() where id = ?', [deleted.userId]);
      const seen: unknown[] = [];
      for (const email of ['nobody-at-all@example.com', known.email, suspended.email, deleted.email]) {
        let reply: Reply | undefined;
        const statements = await statementsOf(async () => { reply = await forget(email); });
        seen.push([reply?.status, reply?.text, [...(reply?.headers.keys() ?? [])].sort(), statements]);
      }
      expect(new Set(seen.map((one) => JSON.stringify(one))).size, JSON.stringify(seen)).to.equal(1);
      expect((seen[0] as unknown[])[3]).to.have.length(2);
    });

    it('are mailed a link whose token stands in no query, no table, no job and no log', async () => {
      const ada = await register(backend.current);
      const token = await resetToken(ada);
      const mail = await lastMail(backend.current, ada.email, /new password/);
      expect(mail.action).to.equal(`${backend.current.url}/reset-password#token=${token}`);
      const tables = await backend.current.sql<{ name: string }>("select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace");
      for (const { name } of tables) {
        const [row] = await backend.current.sql<{ held: boolean }>(`select coalesce(bool_or(t::text like ?), false) as held from ${name} t`, [`%${token}%`]);
        expect(row?.held, name).to.equal(false);
      }
      expect(backend.current.logLines.join('\n')).not.to.contain(token);
    });

    it('are written down with the address that asked, once for each mail', async () => {
      const ada = await register(backend.current);
      await resetToken(ada);
      expect(await audits(ada.userId, 'user.password_reset_requested')).to.deep.equal([{ data: {}, ip_address: '127.0.0.1', has_request: true }]);
    });

    it('bring no mail, no token and no line to who has no account, is suspended, or was deleted', async () => {
      const [suspended, deleted] = [await register(backend.current), await register(backend.current)];
      await backend.current.sql('update users set suspended_at = now() where id = ?', [suspended.userId]);
      await backend.current.sql('update users set deleted_at = now() where id = ?', [deleted.userId]);
      await backend.current.runSystemJobs();
      for (const { email, userId } of [suspended, deleted]) {
        await forget(email);
        expect((await backend.current.runSystemJobs()).map(({ kind, outcome: end }) => `${kind} ${end}`)).to.deep.equal(['auth.password_reset succeeded']);
        expect(await backend.current.sql('select id from password_resets where user_id = ?', [userId])).to.deep.equal([]);
        expect(await audits(userId, 'user.password_reset_requested')).to.deep.equal([]);
      }
      await forget('somebody-else-entirely@example.com');
      expect(await backend.current.mails('somebody-else-entirely@example.com')).to.deep.equal([]);
    });

    it('hold by the newest mail alone', async () => {
      const ada = await register(backend.current);
      const [older, newer] = [await resetToken(ada), await resetToken(ada)];
      expect(newer).not.to.equal(older);
      expect(outcome(await reset(older))).to.equal('401 AUTH_INVALID');
      expect(outcome(await reset(newer))).to.equal('204 ok');
    });

    it('are mailed three times an hour at most, and asking on makes nothing void', async () => {
      const ada = await register(backend.current);
      for (let asked = 0; asked < 5; asked += 1) {
        expect(outcome(await forget(ada.email.toUpperCase()))).to.equal('204 ok');
        await backend.current.runSystemJobs();
      }
      const mails = (await backend.current.mails(ada.email)).filter(({ subject }) => /new password/.test(subject));
      expect(mails).to.have.length(3);
      const last = mails.at(-1);
      if (last !== undefined) expect(outcome(await reset(tokenIn(last)))).to.equal('204 ok');
    });

    it('come to one mail where many ask at once', async () => {
      const ada = await register(backend.current);
      expect(outcomes(await Promise.all(Array.from({ length: 20 }, () => forget(ada.email))))).to.deep.equal({ '204 ok': 20 });
      expect((await backend.current.mails(ada.email)).filter(({ subject }) => /new password/.test(subject))).to.have.length(1);
    });

    it('come to one mail where the job is run again after it was done', async () => {
      const ada = await register(backend.current);
      await forget(ada.email);
      const [job] = await backend.current.sql<{ id: string; payload: Record<string, unknown> }>("select id, payload from system_jobs where kind = 'auth.password_reset' and status = 'queued'");
      const kind = backend.current.services.systemKinds.find((one) => one.kind === 'auth.password_reset');
      if (job === undefined || kind === undefined) throw new Error('There is no such job.');
      for (let attempt = 1; attempt <= 3; attempt += 1) await kind.run(job.payload, { jobId: job.id, attempt, signal: new AbortController().signal });
      expect(await backend.current.sql('select id from password_resets where user_id = ?', [ada.userId])).to.deep.equal([{ id: job.id }]);
      expect((await backend.current.mails(ada.email)).filter(({ subject }) => /new password/.test(subject))).to.have.length(1);
    });
  });

  describe('reset', () => {
    it('end every session, confirm the address, sign nobody in, and are told to the account', async () => {
      const ada = await register(backend.current);
      const other = await signIn(ada);
      const reply = await reset(await resetToken(ada));
      expect([outcome(reply), reply.text]).to.deep.equal(['204 ok', '']);
      for (const headers of [ada.headers, other]) expect(outcome(await me(headers))).to.equal('401 AUTH_INVALID');
      expect(outcome(await post('/auth/refresh', { refresh_token: ada.refreshToken }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await login(backend.current, ada))).to.equal('401 AUTH_INVALID');
      const signedIn = await login(backend.current, ada, newPassword);
      expect((signedIn.data['user'] as Record<string, unknown>)['email_verified_at']).to.be.a('string');
      expect((await lastMail(backend.current, ada.email, /password was changed/)).text).not.to.contain(newPassword);
      expect(await audits(ada.userId, 'user.password_reset')).to.deep.equal([{ data: { sessions_ended: 2 }, ip_address: '127.0.0.1', has_request: true }]);
    });

    it('are set by one of fifty at once with the same token', async () => {
      const ada = await register(backend.current);
      const token = await resetToken(ada);
      const replies = await Promise.all(Array.from({ length: 50 }, (_, one) => reset(token, `${newPassword} ${one}`)));
      expect(outcomes(replies)).to.deep.equal({ '204 ok': 1, '401 AUTH_INVALID': 49 });
      const winner = replies.findIndex(({ status }) => status === 204);
      expect(outcome(await login(backend.current, ada, `${newPassword} ${winner}`))).to.equal('200 ok');
      expect(await audits(ada.userId, 'user.password_reset')).to.have.length(1);
    });

    it('are refused in the same words for a token that is unknown, used or too old', async () => {
      const [used, old] = [await register(backend.current), await register(backend.current)];
      const [usedToken, oldToken] = [await resetToken(used), await resetToken(old)];
      expect(outcome(await reset(usedToken))).to.equal('204 ok');
      await backend.current.sql("update password_resets set expires_at = now() - interval '1 second' where user_id = ?", [old.userId]);
      const replies = [await reset('A'.repeat(43)), await reset(usedToken), await reset(oldToken)];
      expect(outcomes(replies)).to.deep.equal({ '401 AUTH_INVALID': 3 });
      expect(new Set(replies.map(({ text }) => text)).size).to.equal(1);
      expect(outcome(await login(backend.current, old))).to.equal('200 ok');
    });

    it('are refused for one that others would guess, and the token still holds', async () => {
      const ada = await register(backend.current);
      const token = await resetToken(ada);
      for (const weak of ['qwertyuiopas', `${ada.username}2026`]) {
        const reply = await reset(token, weak);
        expect([outcome(reply), (reply.error?.details as { pointer: string }[])[0]?.pointer]).to.deep.equal(['400 VALIDATION_ERROR', '#/body/new_password']);
      }
      expect(outcome(await reset(token))).to.equal('204 ok');
    });

    it('are refused where the account was suspended or deleted after the mail', async () => {
      for (const column of ['suspended_at', 'deleted_at']) {
        const ada = await register(backend.current);
        const token = await resetToken(ada);
        await backend.current.sql(`update users set ${column} = now() where id = ?`, [ada.userId]);
        expect(outcome(await reset(token)), column).to.equal('401 AUTH_INVALID');
      }
    });

    it('are changed and set while Redis is away too, and the sessions that ended are ended', async () => {
      const { redis: { redis } } = backend.current;
      const [ada, ben] = [await register(backend.current), await register(backend.current)];
      const [token, other] = [await resetToken(ada), await signIn(ben)];
      redis.disconnect();
      try {
        expect(outcome(await reset(token))).to.equal('204 ok');
        expect(outcome(await post('/auth/password/change', { current_password: password, new_password: newPassword }, ben.headers))).to.equal('204 ok');
        for (const headers of [ada.headers, other]) expect(outcome(await me(headers))).to.equal('401 AUTH_INVALID');
        expect(outcome(await me(ben.headers))).to.equal('200 ok');
      } finally {
        await redis.connect();
      }
      for (const headers of [ada.headers, other]) expect(outcome(await me(headers))).to.equal('401 AUTH_INVALID');
    });

    it('make void what a stranger in the account began: a change of address', async () => {
      const ada = await register(backend.current);
      const address = `eve-${ada.email}`;
      await post('/auth/email/change', { new_email: address, password }, ada.headers);
      const confirmation = tokenIn(await lastMail(backend.current, address, /Confirm/));
      expect(outcome(await reset(await resetToken(ada)))).to.equal('204 ok');
      expect(outcome(await post('/auth/email/verify', { token: confirmation }))).to.equal('401 AUTH_INVALID');
      expect((await me(await signIn(ada, newPassword))).data).to.include({ email: ada.email, pending_email: null });
    });
  });
});

import { expect } from 'chai';
import { type Account, lastMail, login, outcome, outcomes, password, register } from '../../support/accounts.ts';
import { type Reply, useBackend } from '../../support/backend.ts';
import { type Authenticator, challenged, codeAt, secretBytes, turnOn, wrongCode } from '../../support/second-factor.ts';

const phone = { device_id: 'phone-of-ada', name: 'Ada\'s phone', platform: 'ios' };

describe('the second factor', () => {
  const backend = useBackend();
  const post = (path: string, json: unknown, headers: Record<string, string> = {}): Promise<Reply> => backend.current.http('POST', path, { json, headers });
  const me = (account: Account): Promise<Reply> => backend.current.http('GET', '/users/me', { headers: account.headers });
  const audits = (userId: string, event: string): Promise<Record<string, unknown>[]> =>
    backend.current.sql('select data, ip_address from audit_logs where user_id = ? and event_type = ? order by id', [userId, event]);
  const enroll = (account: Account, word = password, more: Record<string, string> = {}): Promise<Reply> => post('/auth/mfa/totp', { password: word }, { ...account.headers, ...more });
  const confirm = (account: Account, code: string, more: Record<string, string> = {}): Promise<Reply> => post('/auth/mfa/totp/confirm', { code }, { ...account.headers, ...more });
  const codeNow = (secret: unknown): string => codeAt(String(secret), backend.current.clock.now());
  const protectedAccount = async (): Promise<[Account, Authenticator]> => {
    const account = await register(backend.current);
    return [account, await turnOn(backend.current, account)];
  };
  const verify = (challenge: string, answer: { code: string } | { recovery_code: string | undefined }): Promise<Reply> => post('/auth/mfa/verify', { challenge_token: challenge, ...answer });

  describe('turned on', () => {
    it('takes a first code, answers ten recovery codes, is told to the account, and stands in its profile', async () => {
      const ada = await register(backend.current);
      const enrolled = await enroll(ada);
      expect([outcome(enrolled), enrolled.data['expires_in'], enrolled.headers.get('cache-control')]).to.deep.equal(['200 ok', 600, 'no-store']);
      expect(decodeURIComponent(String(enrolled.data['otpauth_url']))).to.contain(`HiveSync:${ada.email}?`).and.to.contain(String(enrolled.data['secret']));
      const before = (await me(ada)).headers.get('etag');
      const confirmed = await confirm(ada, codeNow(enrolled.data['secret']));
      expect([outcome(confirmed), new Set(confirmed.data['recovery_codes'] as string[]).size]).to.deep.equal(['200 ok', 10]);
      const after = await me(ada);
      expect([after.data['mfa_enabled'], after.headers.get('etag') === before]).to.deep.equal([true, false]);
      await lastMail(backend.current, ada.email, /second factor .* is on/);
      for (const event of ['mfa.enrolled', 'mfa.enabled']) expect(await audits(ada.userId, event), event).to.deep.equal([{ data: {}, ip_address: '127.0.0.1' }]);
    });

    it('counts for nothing until its first code came', async () => {
      const ada = await register(backend.current);
      await enroll(ada);
      expect((await login(backend.current, ada)).data['token_type']).to.equal('Bearer');
      expect((await me(ada)).data['mfa_enabled']).to.equal(false);
    });

    it('takes the password, which is named by its field where it is wrong', async () => {
      const reply = await enroll(await register(backend.current), 'not the password at all');
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { field: 'password' }]);
    });

    it('holds by the newest enrolment alone', async () => {
      const ada = await register(backend.current);
      const [older, newer] = [await enroll(ada), await enroll(ada)];
      const reply = await confirm(ada, codeNow(older.data['secret']));
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { field: 'code' }]);
      expect(outcome(await confirm(ada, codeNow(newer.data['secret'])))).to.equal('200 ok');
    });

    it('takes no code of an enrolment that never was or is too old, nor a second enrolment while it is on', async () => {
      const ada = await register(backend.current);
      expect(outcome(await confirm(ada, '123456'))).to.equal('409 CONFLICT');
      const { data } = await enroll(ada);
      await backend.current.sql("update mfa_secrets set expires_at = now() - interval '1 second' where user_id = ?", [ada.userId]);
      expect(outcome(await confirm(ada, codeNow(data['secret'])))).to.equal('409 CONFLICT');
      const [ben, authenticator] = await protectedAccount();
      expect(outcome(await enroll(ben))).to.equal('409 CONFLICT');
      expect(outcome(await confirm(ben, authenticator.next()))).to.equal('409 CONFLICT');
    });

    it('may be guessed ten times an hour, and what was no guess is not counted', async () => {
      const ada = await register(backend.current);
      for (let asked = 0; asked < 12; asked += 1) expect(outcome(await confirm(ada, '123456'))).to.equal('409 CONFLICT');
      const { data } = await enroll(ada);
      const wrong = wrongCode(String(data['secret']), backend.current.clock.now());
      expect(outcomes(await Promise.all(Array.from({ length: 15 }, () => confirm(ada, wrong))))).to.deep.equal({ '403 FORBIDDEN': 10, '429 RATE_LIMITED': 5 });
      expect(outcome(await confirm(ada, codeNow(data['secret'])))).to.equal('429 RATE_LIMITED');
    });

    it('comes on once for fifty at once with the same code', async () => {
      const ada = await register(backend.current);
      const { data } = await enroll(ada);
      const replies = await Promise.all(Array.from({ length: 50 }, () => confirm(ada, codeNow(data['secret']))));
      expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
      expect(await backend.current.sql('select count(*) as codes from recovery_codes where user_id = ?', [ada.userId])).to.deep.equal([{ codes: 10 }]);
      expect(await audits(ada.userId, 'mfa.enabled')).to.have.length(1);
    });

    it('answers a repeat under the same Idempotency-Key with the very same secret and codes', async () => {
      const ada = await register(backend.current);
      const [first, again] = [await enroll(ada, password, { 'idempotency-key': 'enrolment-of-ada' }), await enroll(ada, password, { 'idempotency-key': 'enrolment-of-ada' })];
      expect([again.text, again.headers.get('idempotency-replayed')]).to.deep.equal([first.text, 'true']);
      const code = codeNow(first.data['secret']);
      const [on, onAgain] = [await confirm(ada, code, { 'idempotency-key': 'first-code-of-ada' }), await confirm(ada, code, { 'idempotency-key': 'first-code-of-ada' })];
      expect([outcome(on), onAgain.text, onAgain.headers.get('idempotency-replayed')]).to.deep.equal(['200 ok', on.text, 'true']);
    });

    it('leaves no secret and no code in the database that could be read there', async () => {
      const [ada, { secret, recoveryCodes }] = await protectedAccount();
      const tables = await backend.current.sql<{ name: string }>("select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace");
      const hex = secretBytes(secret).toString('hex');
      for (const { name } of tables) {
        for (const plain of [secret, hex, recoveryCodes[0] ?? '']) {
          const [row] = await backend.current.sql<{ held: boolean }>(`select coalesce(bool_or(t::text like ?), false) as held from ${name} t`, [`%${plain}%`]);
          expect(row?.held, name).to.equal(false);
        }
      }
      const guessed = await backend.current.sql('select id from recovery_codes where user_id = ? and code_hash in (sha256(?), sha256(?))',
        [ada.userId, Buffer.from(recoveryCodes[0] ?? ''), Buffer.from(`${ada.userId}${recoveryCodes[0] ?? ''}`)]);
      expect(guessed).to.deep.equal([]);
    });
  });

  describe('asked for at a sign-in', () => {
    it('comes between the right password and the session: until then there is none, and no sign-in', async () => {
      const [ada] = await protectedAccount();
      const [before] = await backend.current.sql('select last_login, (select count(*) from sessions s where s.user_id = u.id) as sessions from users u where id = ?', [ada.userId]);
      const reply = await login(backend.current, ada);
      expect(reply.data).to.include({ mfa_required: true, token_type: 'Challenge', expires_in: 300 }).and.to.deep.include({ methods: ['totp', 'recovery_code'] });
      expect(reply.data['challenge_token']).to.match(/^[A-Za-z0-9_-]{43}$/);
      expect(await backend.current.sql('select last_login, (select count(*) from sessions s where s.user_id = u.id) as sessions from users u where id = ?', [ada.userId])).to.deep.equal([before]);
      expect(await audits(ada.userId, 'user.signed_in')).to.deep.equal([]);
      expect(outcome(await backend.current.http('GET', '/users/me', { headers: { authorization: `Bearer ${String(reply.data['challenge_token'])}` } }))).to.equal('401 AUTH_INVALID');
    });

    it('is not told to who does not know the password', async () => {
      const [ada] = await protectedAccount();
      const [withOne, without] = [await login(backend.current, ada, 'not the password at all'), await login(backend.current, await register(backend.current), 'not the password at all')];
      expect([withOne.status, withOne.text]).to.deep.equal([without.status, without.text]);
    });

    it('opens a session on the device of the login, signed in now, when the code is right', async () => {
      const [ada, authenticator] = await protectedAccount();
      const challenge = await challenged(backend.current, ada, password, { device: phone });
      const code = authenticator.next();
      const reply = await verify(challenge, { code });
      expect([outcome(reply), reply.data['token_type'], reply.headers.get('cache-control')]).to.deep.equal(['200 ok', 'Bearer', 'no-store']);
      const [session] = await backend.current.sql<{ device_name: string; authenticated_at: string; stamped: boolean }>(
        `select d.device_name, s.authenticated_at, u.last_login >= s.created_at as stamped
           from sessions s join device_sessions d on d.id = s.device_session_id join users u on u.id = s.user_id where s.id = ?`, [reply.data['session_id']]);
      expect([session?.device_name, session?.stamped]).to.deep.equal(['Ada\'s phone', true]);
      expect(backend.current.clock.now() - Date.parse(session?.authenticated_at ?? '')).to.be.within(0, 5_000);
      expect(await audits(ada.userId, 'user.signed_in')).to.deep.equal([{ data: { second_factor: 'totp' }, ip_address: '127.0.0.1' }]);
      expect(outcome(await backend.current.http('GET', '/users/me', { headers: { authorization: `Bearer ${String(reply.data['access_token'])}` } }))).to.equal('200 ok');
    });

    it('takes a recovery code in place of the authenticator, each once, and says when none is left', async () => {
      const [ada, { recoveryCodes }] = await protectedAccount();
      for (const code of recoveryCodes) expect(outcome(await verify(await challenged(backend.current, ada), { recovery_code: code })), code).to.equal('200 ok');
      expect((await login(backend.current, ada)).data).to.deep.include({ methods: ['totp'] });
      expect(outcome(await verify(await challenged(backend.current, ada), { recovery_code: recoveryCodes[3] }))).to.equal('401 AUTH_INVALID');
      expect(await audits(ada.userId, 'user.signed_in')).to.deep.include({ data: { second_factor: 'recovery_code' }, ip_address: '127.0.0.1' }).and.to.have.length(10);
    });

    it('takes nobody else\'s recovery code', async () => {
      const [[ada], [, { recoveryCodes }]] = [await protectedAccount(), await protectedAccount()];
      expect(outcome(await verify(await challenged(backend.current, ada), { recovery_code: recoveryCodes[0] }))).to.equal('401 AUTH_INVALID');
    });

    it('takes a code once: not after the enrolment, not in another sign-in, and none from before it', async () => {
      const [ada, authenticator] = await protectedAccount();
      expect(outcome(await verify(await challenged(backend.current, ada), { code: authenticator.firstCode })), 'the enrolment\'s').to.equal('401 AUTH_INVALID');
      const older = authenticator.next();
      const code = authenticator.next();
      expect(outcome(await verify(await challenged(backend.current, ada), { code }))).to.equal('200 ok');
      expect(outcome(await verify(await challenged(backend.current, ada), { code })), 'again').to.equal('401 AUTH_INVALID');
      expect(outcome(await verify(await challenged(backend.current, ada), { code: older })), 'from before').to.equal('401 AUTH_INVALID');
      expect(outcome(await verify(await challenged(backend.current, ada), { code: authenticator.next() }))).to.equal('200 ok');
    });

    it('lets one of fifty at once in by the same code', async () => {
      const [ada, authenticator] = await protectedAccount();
      const challenges: string[] = [];
      for (let one = 0; one < 50; one += 1) challenges.push(await challenged(backend.current, ada));
      const code = authenticator.next();
      expectOne(await Promise.all(challenges.map((challenge) => verify(challenge, { code }))));
      expect(await audits(ada.userId, 'user.signed_in')).to.have.length(1);
    });

    it('lets one of fifty at once in by the same recovery code', async () => {
      const [ada, { recoveryCodes }] = await protectedAccount();
      const challenges: string[] = [];
      for (let one = 0; one < 50; one += 1) challenges.push(await challenged(backend.current, ada));
      expectOne(await Promise.all(challenges.map((challenge) => verify(challenge, { recovery_code: recoveryCodes[0] }))));
      expect(await backend.current.sql('select count(*) as used from recovery_codes where user_id = ? and used_at is not null', [ada.userId])).to.deep.equal([{ used: 1 }]);
    });

    it('lets one of fifty at once in by the same challenge, and no other code is used up', async () => {
      const [ada, { recoveryCodes }] = await protectedAccount();
      const challenge = await challenged(backend.current, ada);
      expectOne(await Promise.all(Array.from({ length: 50 }, (_, one) => verify(challenge, { recovery_code: recoveryCodes[one % 10] }))));
      expect(await backend.current.sql('select count(*) as used from recovery_codes where user_id = ? and used_at is not null', [ada.userId])).to.deep.equal([{ used: 1 }]);
      expect(await audits(ada.userId, 'user.signed_in')).to.have.length(1);
    });

    it('ends after five wrong codes, also for the right one, and writes down that somebody knew the password', async () => {
      const [ada, authenticator] = await protectedAccount();
      const challenge = await challenged(backend.current, ada);
      for (let wrong = 0; wrong < 5; wrong += 1) expect(outcome(await verify(challenge, { code: authenticator.wrong }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await verify(challenge, { code: authenticator.next() }))).to.equal('401 AUTH_INVALID');
      expect(await audits(ada.userId, 'user.second_factor_failed')).to.deep.equal([{ data: {}, ip_address: '127.0.0.1' }]);
      expect(outcome(await verify(await challenged(backend.current, ada), { code: authenticator.next() })), 'the next sign-in').to.equal('200 ok');
    });

    it('may be guessed twenty times an hour for one account, whatever the challenge, and for no other account less', async () => {
      const [[ada, authenticator], [ben, other]] = [await protectedAccount(), await protectedAccount()];
      for (let challenge = 0; challenge < 4; challenge += 1) {
        const token = await challenged(backend.current, ada);
        for (let wrong = 0; wrong < 5; wrong += 1) expect(outcome(await verify(token, { code: authenticator.wrong }))).to.equal('401 AUTH_INVALID');
      }
      const limited = await verify(await challenged(backend.current, ada), { code: authenticator.next() });
      expect([outcome(limited), (limited.error?.details as { limit: string }).limit]).to.deep.equal(['429 RATE_LIMITED', 'guess_second_factor']);
      expect(Number(limited.headers.get('retry-after'))).to.be.within(3_000, 3_600);
      expect(outcome(await verify(await challenged(backend.current, ben), { code: other.next() }))).to.equal('200 ok');
    });

    it('marks a session that came after many wrong tries, of the password and of the code together', async () => {
      const [ada, authenticator] = await protectedAccount();
      for (let wrong = 0; wrong < 3; wrong += 1) await login(backend.current, ada, 'not the password at all');
      const challenge = await challenged(backend.current, ada);
      for (let wrong = 0; wrong < 2; wrong += 1) await verify(challenge, { code: authenticator.wrong });
      const reply = await verify(challenge, { code: authenticator.next() });
      expect(await backend.current.sql('select suspicious from sessions where id = ?', [reply.data['session_id']])).to.deep.equal([{ suspicious: true }]);
    });

    it('is refused for a challenge that is unknown or used, and told apart where it came too late', async () => {
      const [ada, authenticator] = await protectedAccount();
      expect(outcome(await verify('A'.repeat(43), { code: authenticator.next() }))).to.equal('401 AUTH_INVALID');
      const challenge = await challenged(backend.current, ada);
      expect(outcome(await verify(challenge, { code: authenticator.code }))).to.equal('200 ok');
      expect(outcome(await verify(challenge, { code: authenticator.next() }))).to.equal('401 AUTH_INVALID');
      const old = await challenged(backend.current, ada);
      await backend.current.sql("update mfa_challenges set expires_at = now() - interval '1 second' where user_id = ? and used_at is null", [ada.userId]);
      expect(outcome(await verify(old, { code: authenticator.next() }))).to.equal('401 AUTH_EXPIRED');
      expect(outcome(await verify(await challenged(backend.current, ada), { code: authenticator.code })), 'the code was not used up').to.equal('200 ok');
    });

    it('is refused where the account was suspended, deleted, got another password or lost its second factor after the password', async () => {
      const cases = [
        ['403 FORBIDDEN', 'update users set suspended_at = now() where id = ?'],
        ['401 AUTH_INVALID', 'update users set deleted_at = now() where id = ?'],
        ['401 AUTH_INVALID', 'update users set mfa_enabled_at = null where id = ?'],
      ] as const;
      for (const [expected, change] of cases) {
        const [ada, authenticator] = await protectedAccount();
        const challenge = await challenged(backend.current, ada);
        await backend.current.sql(change, [ada.userId]);
        expect(outcome(await verify(challenge, { code: authenticator.next() })), change).to.equal(expected);
      }
      const [ada, authenticator] = await protectedAccount();
      const challenge = await challenged(backend.current, ada);
      await post('/auth/password/change', { current_password: password, new_password: 'a hundred wasps in a shed' }, ada.headers);
      expect(outcome(await verify(challenge, { code: authenticator.next() }))).to.equal('401 AUTH_INVALID');
    });

    it('stays on when the password is reset', async () => {
      const [ada, authenticator] = await protectedAccount();
      await post('/auth/password/forgot', { email: ada.email });
      const { action } = await lastMail(backend.current, ada.email, /new password/);
      await post('/auth/password/reset', { token: action?.split('#token=')[1], new_password: 'a hundred wasps in a shed' });
      expect(outcome(await verify(await challenged(backend.current, ada, 'a hundred wasps in a shed'), { code: authenticator.next() }))).to.equal('200 ok');
    });
  });

  /** Of all that asked at once one is let in; the others are told that it is wrong or used, or that they guess too often. */
  function expectOne(replies: readonly Reply[]): void {
    const { '200 ok': let_in, '401 AUTH_INVALID': refused = 0, '429 RATE_LIMITED': limited = 0, ...other } = outcomes(replies);
    expect([let_in, refused + limited, other]).to.deep.equal([1, replies.length - 1, {}]);
    expect(refused, 'some of them raced').to.be.greaterThan(5);
  }
});

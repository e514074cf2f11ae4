import { expect } from 'chai';
import { Secret } from '#config/secret.ts';
import { RecoveryCodes } from '#domains/auth/recovery-codes.ts';
import { createVault, deriveKey } from '#platform/crypto.ts';
import { newId } from '#platform/ids.ts';
import { type Account, bearer, lastMail, login, outcome, outcomes, password, register } from '../../support/accounts.ts';
import { type Reply, useBackend } from '../../support/backend.ts';
import { type Authenticator, challenged, secretBytes, turnOn } from '../../support/second-factor.ts';

/** The key before a rotation, and the one that seals now. */
const formerKey = Buffer.alloc(32, 1).toString('base64');
const presentKey = Buffer.alloc(32, 2).toString('base64');

describe('the second factor that is on', () => {
  const backend = useBackend({ ENCRYPTION_KEY: presentKey, ENCRYPTION_KEY_PREVIOUS: formerKey });
  const post = (path: string, json: unknown, headers: Record<string, string> = {}): Promise<Reply> => backend.current.http('POST', path, { json, headers });
  const disable = (headers: Account['headers']): Promise<Reply> => backend.current.http('DELETE', '/auth/mfa/totp', { headers });
  const renew = (account: Account, code: string, more: Record<string, string> = {}): Promise<Reply> => post('/auth/mfa/recovery-codes', { code }, { ...account.headers, ...more });
  const verify = (challenge: string, answer: { code: string } | { recovery_code: string | undefined }): Promise<Reply> => post('/auth/mfa/verify', { challenge_token: challenge, ...answer });
  const audits = (userId: string, event: string): Promise<Record<string, unknown>[]> =>
    backend.current.sql('select data, ip_address from audit_logs where entity_id = ? and event_type = ?', [userId, event]);
  const protectedAccount = async (): Promise<[Account, Authenticator]> => {
    const account = await register(backend.current);
    return [account, await turnOn(backend.current, account)];
  };
  /** A session whose sign-in took the second factor. */
  const signIn = async (account: Account, authenticator: Authenticator): Promise<Reply> => verify(await challenged(backend.current, account), { code: authenticator.next() });

  describe('is turned off', () => {
    it('by a fresh sign-in that took it: secret, codes and waiting sign-ins are gone, the account is told', async () => {
      const [ada, authenticator] = await protectedAccount();
      const waiting = await challenged(backend.current, ada);
      const { data } = await signIn(ada, authenticator);
      expect(outcome(await disable(bearer(data['access_token'])))).to.equal('204 ok');
      for (const table of ['mfa_secrets', 'recovery_codes']) {
        expect(await backend.current.sql(`select count(*) as "left" from ${table} where user_id = ?`, [ada.userId]), table).to.deep.equal([{ left: 0 }]);
      }
      expect(outcome(await verify(waiting, { code: authenticator.next() }))).to.equal('401 AUTH_INVALID');
      expect((await login(backend.current, ada)).data['token_type']).to.equal('Bearer');
      await lastMail(backend.current, ada.email, /second factor .* is off/);
      expect(await audits(ada.userId, 'mfa.disabled')).to.deep.equal([{ data: {}, ip_address: '127.0.0.1' }]);
    });

    it('and can be turned on again, with another secret and other codes', async () => {
      const [ada, authenticator] = await protectedAccount();
      const { data } = await signIn(ada, authenticator);
      const headers = bearer(data['access_token']);
      await disable(headers);
      const again = await turnOn(backend.current, { ...ada, headers });
      expect(again.secret).not.to.equal(authenticator.secret);
      expect(outcome(await verify(await challenged(backend.current, ada), { code: authenticator.next() }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await verify(await challenged(backend.current, ada), { recovery_code: authenticator.recoveryCodes[0] }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await verify(await challenged(backend.current, ada), { code: again.next() }))).to.equal('200 ok');
    });

    it('by no session that did not take it, however young: one from before it was on', async () => {
      const [ada] = await protectedAccount();
      const reply = await disable(ada.headers);
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { reason: 'recent_sign_in_required' }]);
    });

    it('by no sign-in older than 15 minutes, also when it was refreshed since', async () => {
      const [ada, authenticator] = await protectedAccount();
      const { data } = await signIn(ada, authenticator);
      backend.current.clock.advance(15 * 60_000 + 1_000);
      const refreshed = await post('/auth/refresh', { refresh_token: data['refresh_token'] });
      const reply = await disable(bearer(refreshed.data['access_token']));
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { reason: 'recent_sign_in_required' }]);
      expect(await backend.current.sql('select count(*) as kept from mfa_secrets where user_id = ?', [ada.userId])).to.deep.equal([{ kept: 1 }]);
    });

    it('by nobody where it is off', async () => {
      expect(outcome(await disable((await register(backend.current)).headers))).to.equal('404 NOT_FOUND');
    });
  });

  describe('gets new recovery codes', () => {
    it('for a current code, which is used up; the old ones are void and the account is told', async () => {
      const [ada, authenticator] = await protectedAccount();
      const code = authenticator.next();
      const reply = await renew(ada, code, { 'idempotency-key': 'new-codes-of-ada' });
      const codes = reply.data['recovery_codes'] as string[];
      expect([outcome(reply), new Set([...codes, ...authenticator.recoveryCodes]).size]).to.deep.equal(['200 ok', 20]);
      expect((await renew(ada, code, { 'idempotency-key': 'new-codes-of-ada' })).text, 'repeated').to.equal(reply.text);
      expect(outcome(await renew(ada, code)), 'used up').to.equal('403 FORBIDDEN');
      expect(outcome(await verify(await challenged(backend.current, ada), { recovery_code: authenticator.recoveryCodes[0] }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await verify(await challenged(backend.current, ada), { recovery_code: codes[0] }))).to.equal('200 ok');
      await lastMail(backend.current, ada.email, /New recovery codes/);
      expect(await audits(ada.userId, 'mfa.recovery_codes_regenerated')).to.have.length(1);
    });

    it('for no wrong code, which is named by its field and limited, and not while it is off', async () => {
      const [ada, authenticator] = await protectedAccount();
      const reply = await renew(ada, authenticator.wrong);
      expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { field: 'code' }]);
      expect(outcomes(await Promise.all(Array.from({ length: 12 }, () => renew(ada, authenticator.wrong))))).to.deep.equal({ '403 FORBIDDEN': 9, '429 RATE_LIMITED': 3 });
      expect(outcome(await renew(await register(backend.current), '123456'))).to.equal('409 CONFLICT');
    });

    it('once for fifty at once with the same code', async () => {
      const [ada, authenticator] = await protectedAccount();
      const code = authenticator.next();
      const replies = await Promise.all(Array.from({ length: 50 }, () => renew(ada, code)));
      expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
      expect(await backend.current.sql('select count(*) as codes from recovery_codes where user_id = ?', [ada.userId])).to.deep.equal([{ codes: 10 }]);
    });
  });

  describe('outlives a rotation of ENCRYPTION_KEY', () => {
    const former = new Secret(formerKey);

    it('opened with the former key and sealed with the present one as soon as it is used', async () => {
      const [ada, authenticator] = await protectedAccount();
      const sealed = createVault(former).seal(secretBytes(authenticator.secret), `mfa_secrets.secret:${ada.userId}`);
      await backend.current.sql('update mfa_secrets set secret = ?, key_id = ? where user_id = ?', [sealed.data, sealed.keyId, ada.userId]);
      expect(outcome(await signIn(ada, authenticator))).to.equal('200 ok');
      const [row] = await backend.current.sql<{ secret: Buffer; key_id: string }>('select secret, key_id from mfa_secrets where user_id = ?', [ada.userId]);
      const present = createVault(new Secret(presentKey));
      expect(row?.key_id).to.equal(present.keyId);
      if (row !== undefined) expect(present.open({ keyId: row.key_id, data: row.secret }, `mfa_secrets.secret:${ada.userId}`)).to.deep.equal(secretBytes(authenticator.secret));
      expect(outcome(await signIn(ada, authenticator))).to.equal('200 ok');
    });

    it('with the recovery codes that were shown under the former one', async () => {
      const [ada] = await protectedAccount();
      const { database: { db } } = backend.current;
      const codes = await db.knex.transaction((trx) => new RecoveryCodes(db, deriveKey(former, 'recovery codes'), null).renew(trx, ada.userId));
      expect(outcome(await verify(await challenged(backend.current, ada), { recovery_code: codes[0] }))).to.equal('200 ok');
    });
  });

  it('what its sign-ins and enrolments left behind is swept a day after its time, and nothing else', async () => {
    const [ada] = await protectedAccount();
    const [ben] = [await register(backend.current)];
    await post('/auth/mfa/totp', { password }, ben.headers);
    await challenged(backend.current, ada);
    for (const email of [ada.email, ben.email]) await post('/auth/password/forgot', { email });
    await backend.current.runSystemJobs();
    const hash = (): Buffer => Buffer.from(newId().replaceAll('-', '').padEnd(64, '0'), 'hex');
    for (const hours of [23, 25]) {
      const past = backend.current.database.db.knex.raw(`now() - interval '${hours} hours'`);
      const row = { user_id: ada.userId, expires_at: past, used_at: past };
      await backend.current.database.db.knex('password_resets').insert({ ...row, id: newId(), token_hash: hash() });
      await backend.current.database.db.knex('email_verifications').insert({ ...row, id: newId(), token_hash: hash(), email: ada.email });
      await backend.current.database.db.knex('mfa_challenges').insert({ ...row, id: newId(), token_hash: hash(), failures_before: 0 });
    }
    const count = async (): Promise<unknown> => (await backend.current.sql(`
      select (select count(*) from password_resets) as resets, (select count(*) from email_verifications) as verifications,
             (select count(*) from mfa_challenges) as challenges, (select count(*) from mfa_secrets) as secrets`))[0];
    const sweep = backend.current.services.systemKinds.find(({ kind }) => kind === 'sweep.credentials');
    expect(backend.current.services.schedules.map(({ kind }) => kind)).to.include('sweep.credentials');
    const run = async (): Promise<void> => sweep?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
    const before = await count() as Record<string, number>;
    await run();
    expect(await count()).to.deep.equal({
      resets: (before['resets'] ?? 0) - 1, verifications: (before['verifications'] ?? 0) - 1, challenges: (before['challenges'] ?? 0) - 1, secrets: before['secrets'],
    });
    await backend.current.sql("update mfa_secrets set expires_at = now() - interval '1 second' where expires_at is not null");
    await run();
    expect(await backend.current.sql('select user_id from mfa_secrets where user_id in (?, ?)', [ada.userId, ben.userId])).to.deep.equal([{ user_id: ada.userId }]);
  });
});

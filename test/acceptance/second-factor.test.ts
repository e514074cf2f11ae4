import { expect } from 'chai';
import type { HiveSync, MfaChallenge } from '#sdk/index.ts';
import { failureOf } from '../support/failures.ts';
import { codeAt } from '../support/second-factor.ts';
import { type Person, useSystem } from '../support/system.ts';

describe('the second factor over the wire', () => {
  const system = useSystem({ apis: 2 });
  const secrets: string[] = [];

  /** Turns it on by the code of now; answers the secret and the recovery codes. */
  const turnOn = async ({ hive, password }: Person): Promise<{ secret: string; codes: readonly string[] }> => {
    const { secret } = await hive.api.enrollTotp({ body: { password } });
    const { recovery_codes: codes } = await hive.api.confirmTotp({ body: { code: codeAt(secret, Date.now()) } });
    secrets.push(secret, ...codes);
    return { secret, codes };
  };
  const challenged = async ({ tokens, password }: Person): Promise<MfaChallenge> => {
    const answer = await system.current.anonymous().api.loginUser({ body: { email: tokens.user.email, password } });
    if (answer.token_type !== 'Challenge') throw new Error('A second factor is on.');
    return answer;
  };
  const byRecoveryCode = async (person: Person, code: string | undefined): Promise<HiveSync> => {
    const { challenge_token: token } = await challenged(person);
    const pair = await system.current.anonymous().api.verifyMfa({ body: { challenge_token: token, recovery_code: code ?? '' } });
    return system.current.anonymous({ baseUrl: system.current.urlOf(1), accessToken: pair.access_token });
  };

  it('stands between the password and the session, and each code opens one', async () => {
    const ada = await system.current.person();
    const { secret } = await turnOn(ada);
    const { challenge_token: token, methods } = await challenged(ada);
    expect(methods).to.deep.equal(['totp', 'recovery_code']);
    // The enrolment took the code of now; that of the next 30 seconds is taken as well.
    const code = codeAt(secret, Date.now() + 30_000);
    const { api } = system.current.anonymous();
    const pair = await api.verifyMfa({ body: { challenge_token: token, code } });
    expect(pair.user).to.include({ id: ada.tokens.user.id, mfa_enabled: true });
    expect((await system.current.anonymous({ accessToken: pair.access_token }).api.getMe({})).id).to.equal(ada.tokens.user.id);
    const again = await challenged(ada);
    expect(await failureOf(api.verifyMfa({ body: { challenge_token: again.challenge_token, code } }))).to.include({ code: 'AUTH_INVALID', status: 401 });
    await system.current.mail(ada.tokens.user.email, /second factor .* is on/);
  });

  it('is replaced by a recovery code, whose like can be made anew, and turned off by who signed in with it', async () => {
    const ada = await system.current.person();
    const { secret, codes } = await turnOn(ada);
    expect(await failureOf(ada.hive.api.disableTotp({})), 'a session that did not take it')
      .to.deep.include({ code: 'FORBIDDEN', details: { reason: 'recent_sign_in_required' } });
    const hive = await byRecoveryCode(ada, codes[0]);
    const { recovery_codes: renewed } = await hive.api.regenerateRecoveryCodes({ body: { code: codeAt(secret, Date.now() + 30_000) } });
    secrets.push(...renewed);
    expect(await failureOf(byRecoveryCode(ada, codes[1])), 'an old one').to.include({ code: 'AUTH_INVALID', status: 401 });
    await (await byRecoveryCode(ada, renewed[0])).api.disableTotp({});
    expect(await failureOf(hive.api.disableTotp({}))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect((await ada.hive.api.getMe({})).mfa_enabled).to.equal(false);
    await system.current.mail(ada.tokens.user.email, /second factor .* is off/);
  });

  it('leaves no secret and no code in a log', () => {
    expect(secrets.length).to.be.at.least(30);
    const logs = system.current.logs().join('\n');
    for (const secret of secrets) expect(logs.includes(secret)).to.equal(false);
  });
});

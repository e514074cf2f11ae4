import { expect } from 'chai';
import type { HiveSync } from '#sdk/index.ts';
import { failureOf } from '../support/failures.ts';
import { tokenIn } from '../support/accounts.ts';
import { until, useSystem } from '../support/system.ts';

const newPassword = 'another test of the whole system';

describe('passwords and addresses over the wire', () => {
  const system = useSystem({ apis: 2, variables: { EMAIL_VERIFICATION: 'required' } });
  const tokens: string[] = [];
  const mailedToken = async (to: string, about: RegExp): Promise<string> => {
    const token = tokenIn(await system.current.mail(to, about));
    tokens.push(token);
    return token;
  };
  const inReplica = (accessToken: string, replica: number): HiveSync => system.current.anonymous({ baseUrl: system.current.urlOf(replica), accessToken });

  it('an address is confirmed by the link that was mailed, and that holds in every replica at once', async () => {
    const { hive, tokens: { user, access_token: accessToken } } = await system.current.person();
    const replicas = [0, 1].map((one) => inReplica(accessToken, one));
    const makeKey = ({ api }: HiveSync): Promise<unknown> => api.createApiKey({ body: { name: 'CI', scopes: ['projects:read'] } });
    for (const replica of replicas) {
      expect(await failureOf(makeKey(replica))).to.deep.include({ code: 'FORBIDDEN', details: { reason: 'email_not_verified' } });
    }
    const first = await mailedToken(user.email, /Confirm/);
    await hive.api.resendVerification({});
    await until('the mail to come again', () => system.current.mails(user.email).length === 2);
    const { api } = system.current.anonymous();
    expect(await failureOf(api.verifyEmail({ body: { token: first } })), 'the older one').to.include({ code: 'AUTH_INVALID', status: 401 });
    await api.verifyEmail({ body: { token: await mailedToken(user.email, /Confirm/) } });
    // What a replica keeps of an account ages in three seconds: it has to be told.
    for (const replica of replicas) await until('the replica to know', () => makeKey(replica).then(() => true, () => false), 1_000);
    expect(await failureOf(hive.api.resendVerification({}))).to.include({ code: 'CONFLICT', status: 409 });
  });

  it('an address is changed when the new one is confirmed, and the old one hears of it', async () => {
    const { hive, tokens: { user }, password } = await system.current.person();
    const address = `new-${user.email}`;
    expect(await failureOf(hive.api.requestEmailChange({ body: { new_email: address, password: newPassword } })))
      .to.deep.include({ code: 'FORBIDDEN', details: { field: 'password' } });
    await hive.api.requestEmailChange({ body: { new_email: address, password } });
    expect(await hive.api.getMe({})).to.include({ email: user.email, pending_email: address });
    await system.current.mail(user.email, /about to get another address/);
    await system.current.anonymous().api.verifyEmail({ body: { token: await mailedToken(address, /Confirm/) } });
    expect(await hive.api.getMe({})).to.include({ email: address, pending_email: null });
    await system.current.mail(user.email, /has another address now/);
  });

  it('a password is changed by who knows it, and every other session ends in every replica', async () => {
    const { hive, tokens: { user }, password } = await system.current.person();
    const { api } = system.current.anonymous();
    const other = await api.loginUser({ body: { email: user.email, password } });
    if (other.token_type !== 'Bearer') throw new Error('no second factor is set');
    expect(await failureOf(hive.api.changePassword({ body: { current_password: newPassword, new_password: newPassword } })))
      .to.deep.include({ code: 'FORBIDDEN', details: { field: 'current_password' } });
    await hive.api.changePassword({ body: { current_password: password, new_password: newPassword } });
    for (const replica of [0, 1]) expect(await failureOf(inReplica(other.access_token, replica).api.getMe({}))).to.include({ code: 'AUTH_INVALID' });
    expect((await hive.api.getMe({})).id).to.equal(user.id);
    await system.current.mail(user.email, /password was changed/);
    expect((await api.loginUser({ body: { email: user.email, password: newPassword } })).token_type).to.equal('Bearer');
  });

  it('a forgotten password is set by the link that was mailed, once, and an unknown address is answered alike', async () => {
    const { hive, tokens: { user } } = await system.current.person();
    const { api } = system.current.anonymous();
    await api.forgotPassword({ body: { email: 'nobody@example.com' } });
    await api.forgotPassword({ body: { email: user.email } });
    const token = await mailedToken(user.email, /Set a new password/);
    await api.resetPassword({ body: { token, new_password: newPassword } });
    expect(await failureOf(hive.api.getMe({}))).to.include({ code: 'AUTH_INVALID', status: 401 });
    expect(await failureOf(api.resetPassword({ body: { token, new_password: newPassword } }))).to.include({ code: 'AUTH_INVALID', status: 401 });
    expect((await api.loginUser({ body: { email: user.email, password: newPassword } })).token_type).to.equal('Bearer');
    expect(system.current.mails('nobody@example.com')).to.deep.equal([]);
  });

  it('no token of a mail and no password stands in a log', () => {
    expect(tokens.length).to.be.at.least(4);
    const logs = system.current.logs().join('\n');
    for (const secret of [...tokens, newPassword]) expect(logs.includes(secret)).to.equal(false);
  });
});

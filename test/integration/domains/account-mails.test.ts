import { createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import { MailedTokens } from '#domains/auth/mailed-tokens.ts';
import { authMails } from '#domains/auth/mails.ts';
import type { MailTemplate } from '#jobs/mail-job.ts';
import { newId } from '#platform/ids.ts';
import { type Account, register } from '../../support/accounts.ts';
import { useBackend } from '../../support/backend.ts';

const key = (byte: number): ReturnType<typeof createSecretKey> => createSecretKey(Buffer.alloc(32, byte));
const notices = [
  'auth.password_changed', 'auth.email_change_requested', 'auth.email_changed', 'auth.second_factor_on', 'auth.second_factor_off',
  'auth.recovery_codes_regenerated',
];

describe('mails about an account', () => {
  const backend = useBackend();
  const baseUrl = 'https://hivesync.example.com';
  const tokens = new MailedTokens(key(1), null);
  const template = (name: string, made: MailedTokens = tokens): MailTemplate => {
    const found = authMails(backend.current.database.db, made, baseUrl).find((one) => one.name === name);
    if (found === undefined) throw new Error(`There is no template ${name}.`);
    return found;
  };
  /** Something that waits for its token, made under the first key; the ways it is asked for. */
  const waiting = async ({ userId, email }: Account): Promise<{ name: string; table: string; id: string; render(made?: MailedTokens): ReturnType<MailTemplate['render']> }[]> => {
    const { knex } = backend.current.database.db;
    const made = [];
    for (const [name, table, field, purpose, more] of [
      ['auth.email_verification', 'email_verifications', 'verification_id', 'email_verification', { email }],
      ['auth.password_reset', 'password_resets', 'reset_id', 'password_reset', {}],
    ] as const) {
      const id = newId();
      await knex(table).where({ user_id: userId }).whereNull('used_at').update({ used_at: knex.fn.now() });
      await knex(table).insert({ id, user_id: userId, token_hash: tokens.hashFor(purpose, id), expires_at: knex.raw("now() + interval '1 hour'"), ...more });
      made.push({ name, table, id, render: (by: MailedTokens = tokens) => template(name, by).render({ [field]: id }) });
    }
    return made;
  };

  it('carry their token behind the sign that no server gets to see, and are addressed to who asked', async () => {
    const ada = await register(backend.current);
    for (const { name, render } of await waiting(ada)) {
      const mail = await render();
      expect(mail?.to, name).to.equal(ada.email);
      expect(mail?.content.action?.url, name).to.match(/^https:\/\/hivesync\.example\.com\/(verify-email|reset-password)#token=[A-Za-z0-9_-]{43}$/);
    }
  });

  it('are not sent any more once their token was used or made void, is too old, or its account is gone', async () => {
    for (const end of ['update $ set used_at = now() where user_id = ?', "update $ set expires_at = now() - interval '1 second' where user_id = ?", 'update users set deleted_at = now() where id = ?']) {
      const ada = await register(backend.current);
      for (const { name, table, render } of await waiting(ada)) {
        await backend.current.sql(end.replace('$', table), [ada.userId]);
        expect(await render(), `${name}: ${end}`).to.equal(null);
      }
    }
  });

  it('that wait while JWT_SECRET is rotated carry the token that was stored, and none that never could hold', async () => {
    const ada = await register(backend.current);
    for (const { name, render } of await waiting(ada)) {
      const before = await render();
      expect((await render(new MailedTokens(key(2), key(1))))?.content.action, name).to.deep.equal(before?.content.action);
      expect(await render(new MailedTokens(key(2), null)), name).to.equal(null);
    }
  });

  it('say what to do where it was somebody else', async () => {
    const ada = await register(backend.current);
    for (const { name, render } of await waiting(ada)) expect((await render())?.content.footer, name).to.match(/need not do anything/);
    for (const name of notices) {
      const mail = await template(name).render({ user_id: ada.userId });
      expect(mail?.content.footer, name).to.match(/^If this was not you, /);
      expect(mail?.content.action, `${name} has nothing to click on`).to.equal(undefined);
      expect(mail?.content.paragraphs.join(' '), name).to.contain(ada.username);
    }
  });

  it('go to the address that a change began at, wherever the account is by then, and to nobody once the account is gone', async () => {
    const ada = await register(backend.current);
    for (const name of notices) {
      expect((await template(name).render({ user_id: ada.userId, to: 'before@example.com' }))?.to, name).to.equal('before@example.com');
      expect((await template(name).render({ user_id: ada.userId }))?.to, name).to.equal(ada.email);
      expect(await template(name).render({ user_id: newId() }), name).to.equal(null);
    }
  });
});

/** What accounts are written to: tokens to act on, and notices of what was changed. None ever holds a password. */
import type { MailContent, MailTemplate, RenderedMail } from '#jobs/mail-job.ts';
import type { Database } from '#platform/database.ts';
import type { MailedTokens } from './mailed-tokens.ts';

const verificationSql = `
  select v.id, v.email, v.token_hash, u.username, u.email as present_email
    from email_verifications v join users u on u.id = v.user_id
   where v.id = $1 and v.used_at is null and v.expires_at > now() and u.deleted_at is null`;
const resetSql = `
  select r.id, r.token_hash, u.email, u.username
    from password_resets r join users u on u.id = r.user_id
   where r.id = $1 and r.used_at is null and r.expires_at > now() and u.deleted_at is null and u.suspended_at is null`;
const accountSql = 'select email, username from users where id = $1 and deleted_at is null';

interface Account { readonly email: string; readonly username: string }
type TokenRow = Account & { readonly id: string; readonly token_hash: Buffer };

const notYou = 'If this was not you, somebody may know your password: choose “Forgot your password?” on the sign-in page and set a new one. That signs everybody out.';

/** Notices: who is told, and what. */
const notices: Readonly<Record<string, (account: Account) => MailContent>> = {
  'auth.password_changed': ({ username }) => ({
    subject: 'Your HiveSync password was changed',
    title: 'Your password was changed',
    paragraphs: [`The password of your account ${username} is a new one. Everywhere else you were signed in, you are signed out now.`],
    footer: notYou,
  }),
  'auth.email_change_requested': ({ username }) => ({
    subject: 'Your HiveSync account is about to get another address',
    title: 'Another email address was asked for',
    paragraphs: [
      `Somebody who knows your password asked to change the email address of your account ${username}. It changes as soon as the new address is confirmed.`,
      'If it was you, there is nothing to do here: the link is in the mail to the new address.',
    ],
    footer: 'If this was not you, set a new password now: that calls the change off. “Forgot your password?” on the sign-in page does it, too.',
  }),
  'auth.email_changed': ({ username }) => ({
    subject: 'Your HiveSync account has another address now',
    title: 'The email address was changed',
    paragraphs: [`Your account ${username} goes by its new email address from now on. This is the last mail to this one.`],
    footer: 'If this was not you, somebody else holds your account: write to the support of your HiveSync at once, from this address.',
  }),
  'auth.second_factor_on': ({ username }) => ({
    subject: 'The second factor of your HiveSync account is on',
    title: 'The second factor is on',
    paragraphs: [
      `Signing in to your account ${username} now asks for a code of your authenticator app.`,
      'Keep the ten recovery codes where you find them without your phone. Each of them stands in for the app once.',
    ],
    footer: notYou,
  }),
  'auth.second_factor_off': ({ username }) => ({
    subject: 'The second factor of your HiveSync account is off',
    title: 'The second factor is off',
    paragraphs: [`Signing in to your account ${username} takes only the password from now on. The recovery codes are void.`],
    footer: `${notYou} Then turn the second factor on again.`,
  }),
  'auth.recovery_codes_regenerated': ({ username }) => ({
    subject: 'New recovery codes for your HiveSync account',
    title: 'There are new recovery codes',
    paragraphs: [`Ten new recovery codes were made for your account ${username}. The old ones are void.`],
    footer: `${notYou} Then make new codes.`,
  }),
};

/** Every template of this domain. Links carry their token behind the `#`: no server on the way gets to see or log it. */
export function authMails(db: Database, tokens: MailedTokens, baseUrl: string): readonly MailTemplate[] {
  const verification: MailTemplate = {
    name: 'auth.email_verification',
    async render({ verification_id: id }) {
      const [row] = await db.named<TokenRow & { present_email: string }>('auth.verification_to_mail', verificationSql, [String(id)]);
      const token = row === undefined ? null : tokens.tokenOf('email_verification', row.id, row.token_hash);
      if (row === undefined || token === null) return null;
      const isChange = row.email.toLowerCase() !== row.present_email.toLowerCase();
      return { to: row.email, content: verificationMail(row.username, isChange, `${baseUrl}/verify-email#token=${token}`) };
    },
  };
  const reset: MailTemplate = {
    name: 'auth.password_reset',
    async render({ reset_id: id }) {
      const [row] = await db.named<TokenRow>('auth.reset_to_mail', resetSql, [String(id)]);
      const token = row === undefined ? null : tokens.tokenOf('password_reset', row.id, row.token_hash);
      return row === undefined || token === null ? null : { to: row.email, content: resetMail(row.username, `${baseUrl}/reset-password#token=${token}`) };
    },
  };
  const told = Object.entries(notices).map(([name, content]): MailTemplate => ({
    name,
    async render({ user_id: id, to }): Promise<RenderedMail | null> {
      const [account] = await db.named<Account>('auth.account_to_mail', accountSql, [String(id)]);
      if (account === undefined) return null;
      // A notice of a change of address goes where the account was reached before it.
      return { to: typeof to === 'string' ? to : account.email, content: content(account) };
    },
  }));
  return [verification, reset, ...told];
}

function verificationMail(username: string, isChange: boolean, url: string): MailContent {
  return {
    subject: isChange ? 'Confirm your new address for HiveSync' : 'Confirm your address for HiveSync',
    title: isChange ? 'Confirm your new email address' : `Welcome to HiveSync, ${username}`,
    paragraphs: [
      isChange
        ? `Your account ${username} is about to change to this address. Confirm it, and it does.`
        : 'Please confirm that this is your email address: then you can invite and share.',
      'The link is good once, for 24 hours.',
    ],
    action: { label: 'Confirm this address', url },
    footer: 'If you have no account at HiveSync, somebody mistyped an address. You need not do anything: without this link it comes to nothing.',
  };
}

function resetMail(username: string, url: string): MailContent {
  return {
    subject: 'Set a new password for HiveSync',
    title: 'Set a new password',
    paragraphs: [`Somebody, most likely you, forgot the password of the account ${username}. Here you choose a new one.`, 'The link is good once, for an hour.'],
    action: { label: 'Choose a new password', url },
    footer: 'If it was not you, you need not do anything: your password stays as it is, and this link ends by itself.',
  };
}

/** What accounts are written to about their end. */
import type { MailTemplate } from '#jobs/mail-job.ts';

/** The last mail to an address. It reads no row: the account may be erased when it is sent. */
export const accountDeletedMail: MailTemplate = {
  name: 'users.account_deleted',
  render({ to, username, erase_by: eraseBy }) {
    if (typeof to !== 'string' || typeof username !== 'string' || typeof eraseBy !== 'string') return Promise.resolve(null);
    return Promise.resolve({
      to,
      content: {
        subject: 'Your HiveSync account was deleted',
        title: 'Your account was deleted',
        paragraphs: [
          `Your account ${username} was deleted with its password just now. Nobody can sign in to it any more, its API keys and previews stopped working, and its projects are gone.`,
          `What is still kept of it is erased by ${eraseBy.slice(0, 10)} at the latest. It cannot be taken back.`,
          'This is the last mail to this address.',
        ],
        footer: 'If this was not you, write to the support of your HiveSync at once, from this address.',
      },
    });
  },
};

/** What the mail of an invitation says, and that of its decline. The one invited is told only what the inviter gave away: names. */
import type { MailTemplate } from '#jobs/mail-job.ts';
import type { Database } from '#platform/database.ts';
import { nameInMail } from '#platform/mail/names.ts';
import type { MailedTokens } from '#platform/tokens/mailed-tokens.ts';

const invitedSql = `
  select i.id, i.email, i.token_hash, coalesce(t.name, p.name) as target_name, case when t.id is null then 'project' else 'team' end as target_type,
         bp.display_name, b.username
    from invitations i
    left join teams t on t.id = i.team_id
    left join projects p on p.id = i.project_id and p.deleted_at is null
    join users b on b.id = i.invited_by and b.deleted_at is null and b.suspended_at is null
    left join user_profiles bp on bp.user_id = b.id
   where i.id = $1 and i.status = 'pending' and i.expires_at > now() and i.email is not null and (t.id is not null or p.id is not null)`;

/** The person is named as the inviter named it: an account behind an address is not given away. */
const declinedSql = `
  select b.email, i.email as address, wp.display_name, w.username, i.role, coalesce(t.name, p.name) as target_name,
         case when t.id is null then 'project' else 'team' end as target_type
    from invitations i
    left join teams t on t.id = i.team_id
    left join projects p on p.id = i.project_id and p.deleted_at is null
    join users b on b.id = i.invited_by and b.deleted_at is null and b.suspended_at is null
    left join users w on w.id = i.user_id
    left join user_profiles wp on wp.user_id = w.id
   where i.id = $1 and i.status = 'declined' and (t.id is not null or p.id is not null)`;

interface Named { readonly display_name: string | null; readonly username: string }
interface ToMail { readonly email: string; readonly target_name: string; readonly target_type: 'team' | 'project' }

/** Every template of this domain. The link carries its token behind the `#`: no server on the way gets to see or log it. */
export function invitationMails(db: Database, tokens: MailedTokens, baseUrl: string): readonly MailTemplate[] {
  const invited: MailTemplate = {
    name: 'invitations.invited',
    async render({ invitation_id: id }) {
      const [row] = await db.named<ToMail & Named & { id: string; token_hash: Buffer }>('invitations.to_mail', invitedSql, [String(id)]);
      const token = row === undefined ? null : tokens.tokenOf('invitation', row.id, row.token_hash);
      if (row === undefined || token === null) return null;
      const { email, target_type: type } = row;
      const inviter = nameInMail(row.display_name ?? '', row.username);
      const name = nameInMail(row.target_name, '');
      const [there, target] = name === '' ? [`a ${type}`, `a ${type}`] : [name, `the ${type} ${name}`];
      return {
        to: email,
        content: {
          subject: `${inviter} invites you to ${there} on HiveSync`,
          title: `You are invited to ${there}`,
          paragraphs: [
            `${inviter} asks you to join ${target} on HiveSync, where React Native apps are previewed on a phone and talked about in one place.`,
            'Sign in, or register first, and accept. The link is good once, for seven days, for whoever opens it: do not pass this mail on.',
          ],
          action: { label: 'See the invitation', url: `${baseUrl}/invitations#token=${token}` },
          footer: 'If you do not know who this is, you need not do anything: the invitation ends by itself.',
        },
      };
    },
  };
  const declined: MailTemplate = {
    name: 'invitations.declined',
    async render({ invitation_id: id }) {
      const [row] = await db.named<ToMail & Named & { address: string | null; role: string }>('invitations.declined_to_mail', declinedSql, [String(id)]);
      if (row === undefined) return null;
      const name = nameInMail(row.target_name, '');
      const target = name === '' ? `a ${row.target_type}` : `the ${row.target_type} ${name}`;
      const person = row.address ?? nameInMail(row.display_name ?? '', row.username);
      return {
        to: row.email,
        content: {
          subject: `Your invitation to ${name === '' ? target : name} was declined`,
          title: 'Your invitation was declined',
          paragraphs: [`You asked ${person} to ${row.role === 'owner' ? 'take over' : 'join'} ${target}. The answer is no.`, 'Nothing has changed. You may ask somebody else.'],
        },
      };
    },
  };
  return [invited, declined];
}

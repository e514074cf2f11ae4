/** What the mail of an invitation says, and that of its decline. The one invited is told only what the inviter gave away: names. */
import type { MailTemplate } from '#jobs/mail-job.ts';
import type { Database } from '#platform/database.ts';
import type { MailedTokens } from '#platform/tokens/mailed-tokens.ts';

const invitedSql = `
  select i.id, i.email, i.token_hash, coalesce(t.name, p.name) as target_name, case when t.id is null then 'project' else 'team' end as target_type,
         coalesce(bp.display_name, b.username) as inviter
    from invitations i
    left join teams t on t.id = i.team_id
    left join projects p on p.id = i.project_id and p.deleted_at is null
    join users b on b.id = i.invited_by and b.deleted_at is null and b.suspended_at is null
    left join user_profiles bp on bp.user_id = b.id
   where i.id = $1 and i.status = 'pending' and i.expires_at > now() and i.email is not null and (t.id is not null or p.id is not null)`;

/** The person is named as the inviter named it: an account behind an address is not given away. */
const declinedSql = `
  select b.email, coalesce(i.email, wp.display_name, w.username) as person, i.role, coalesce(t.name, p.name) as target_name,
         case when t.id is null then 'project' else 'team' end as target_type
    from invitations i
    left join teams t on t.id = i.team_id
    left join projects p on p.id = i.project_id and p.deleted_at is null
    join users b on b.id = i.invited_by and b.deleted_at is null and b.suspended_at is null
    left join users w on w.id = i.user_id
    left join user_profiles wp on wp.user_id = w.id
   where i.id = $1 and i.status = 'declined' and (t.id is not null or p.id is not null)`;

interface ToMail { readonly email: string; readonly target_name: string; readonly target_type: 'team' | 'project' }

/** Every template of this domain. The link carries its token behind the `#`: no server on the way gets to see or log it. */
export function invitationMails(db: Database, tokens: MailedTokens, baseUrl: string): readonly MailTemplate[] {
  const invited: MailTemplate = {
    name: 'invitations.invited',
    async render({ invitation_id: id }) {
      const [row] = await db.named<ToMail & { id: string; token_hash: Buffer; inviter: string }>('invitations.to_mail', invitedSql, [String(id)]);
      const token = row === undefined ? null : tokens.tokenOf('invitation', row.id, row.token_hash);
      if (row === undefined || token === null) return null;
      const { email, inviter, target_name: name, target_type: type } = row;
      return {
        to: email,
        content: {
          subject: `${inviter} invites you to ${name} on HiveSync`,
          title: `You are invited to ${name}`,
          paragraphs: [
            `${inviter} asks you to join the ${type} ${name} on HiveSync, where React Native apps are previewed on a phone and talked about in one place.`,
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
      const [row] = await db.named<ToMail & { person: string; role: string }>('invitations.declined_to_mail', declinedSql, [String(id)]);
      if (row === undefined) return null;
      const asked = row.role === 'owner' ? `take over the project ${row.target_name}` : `join the ${row.target_type} ${row.target_name}`;
      return {
        to: row.email,
        content: {
          subject: `Your invitation to ${row.target_name} was declined`,
          title: 'Your invitation was declined',
          paragraphs: [`You asked ${row.person} to ${asked}. The answer is no.`, 'Nothing has changed. You may ask somebody else.'],
        },
      };
    },
  };
  return [invited, declined];
}

import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { InvitationService } from './service.ts';

type Operations =
  | 'createInvitation' | 'listMyInvitations' | 'listProjectInvitations' | 'listTeamInvitations'
  | 'revokeInvitation' | 'acceptInvitation' | 'declineInvitation' | 'acceptInvitationByToken';

export const invitationHandlers = (invitations: InvitationService): Pick<Handlers, Operations> => ({
  createInvitation: async ({ body }, call) => {
    const invitation = await invitations.create(call, body);
    return { status: 201, body: invitation, headers: { Location: `/api/v1/invitations/${invitation.id}` } };
  },
  listMyInvitations: async ({ query }, call) => ({ status: 200, body: await invitations.listMine(call, query) }),
  listProjectInvitations: async ({ path, query }, call) => ({ status: 200, body: await invitations.listOfProject(call, path.project_id, query) }),
  listTeamInvitations: async ({ path, query }, call) => ({ status: 200, body: await invitations.listOfTeam(call, path.team_id, query) }),
  revokeInvitation: async ({ path }, call) => {
    await invitations.revoke(call, path.invitation_id);
    return { status: 204 };
  },
  acceptInvitation: async ({ path }, call) => ({ status: 200, body: await invitations.accept(call, path.invitation_id) }),
  declineInvitation: async ({ path }, call) => ({ status: 200, body: await invitations.decline(call, path.invitation_id) }),
  acceptInvitationByToken: async ({ body }, call) => ({ status: 200, body: await invitations.acceptByToken(call, body) }),
});

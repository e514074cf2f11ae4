import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { TeamMemberService } from './members-service.ts';
import type { TeamService } from './service.ts';

type Operations =
  | 'listTeams' | 'createTeam' | 'getTeam' | 'updateTeam' | 'deleteTeam'
  | 'listTeamMembers' | 'addTeamMember' | 'updateTeamMember' | 'removeTeamMember';

export const teamHandlers = (teams: TeamService, members: TeamMemberService): Pick<Handlers, Operations> => ({
  listTeams: async ({ query }, call) => ({ status: 200, body: await teams.list(call, query) }),
  createTeam: async ({ body }, call) => {
    const { entity, etag } = await teams.create(call, body);
    return { status: 201, body: entity, etag, headers: { Location: `/api/v1/teams/${entity.id}` } };
  },
  getTeam: async ({ path }, call) => {
    const { entity, etag } = await teams.get(call, path.team_id);
    return { status: 200, body: entity, etag };
  },
  updateTeam: async ({ path, body }, call) => {
    const { entity, etag } = await teams.update(call, path.team_id, body);
    return { status: 200, body: entity, etag };
  },
  deleteTeam: async ({ path }, call) => {
    await teams.remove(call, path.team_id);
    return { status: 204 };
  },
  listTeamMembers: async ({ path, query }, call) => ({ status: 200, body: await members.list(call, path.team_id, query) }),
  addTeamMember: async ({ path, body }, call) => {
    const { entity, etag } = await members.add(call, path.team_id, body);
    return { status: 201, body: entity, etag, headers: { Location: `/api/v1/teams/${path.team_id}/members/${entity.user_id}` } };
  },
  updateTeamMember: async ({ path, body }, call) => {
    const { entity, etag } = await members.update(call, path.team_id, path.user_id, body);
    return { status: 200, body: entity, etag };
  },
  removeTeamMember: async ({ path }, call) => {
    await members.remove(call, path.team_id, path.user_id);
    return { status: 204 };
  },
});

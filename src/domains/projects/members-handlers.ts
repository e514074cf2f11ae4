import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { ProjectMemberService } from './members-service.ts';
import type { TransferService } from './transfer-service.ts';

type Operations = 'listProjectMembers' | 'addProjectMember' | 'removeProjectMember' | 'transferProject';

export const projectMemberHandlers = (members: ProjectMemberService, transfers: TransferService): Pick<Handlers, Operations> => ({
  listProjectMembers: async ({ path, query }, call) => ({ status: 200, body: await members.list(call, path.project_id, query) }),
  addProjectMember: async ({ path, body }, call) => {
    const member = await members.add(call, path.project_id, body);
    return { status: 201, body: member, headers: { Location: `/api/v1/projects/${path.project_id}/members/${member.user_id}` } };
  },
  removeProjectMember: async ({ path }, call) => {
    await members.remove(call, path.project_id, path.user_id);
    return { status: 204 };
  },
  transferProject: async ({ path, body }, call) => ({ status: 200, body: await transfers.transfer(call, path.project_id, body) }),
});

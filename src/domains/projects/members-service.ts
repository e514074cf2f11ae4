import type { ProjectMember, ProjectMemberAdd, ProjectMemberPage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import type { InvitingService } from '../invitations/inviting-service.ts';
import type { OpenInvitationService } from '../invitations/open-service.ts';
import { requireRoleOn, requireRoleStill, requireSelf, requireVerified } from '../policy.ts';
import { countProjectMembersSql, projectMemberSql, projectMembersSql } from './members-queries.ts';
import type { ProjectMembershipService } from './membership-service.ts';

export interface ProjectMemberDependencies {
  readonly db: Database;
  readonly memberships: ProjectMembershipService;
  readonly inviting: InvitingService;
  readonly invitations: OpenInvitationService;
}

/** A cursor's key: whether owner or not, then the username in lower case. */
const isKey = (text: string): boolean => /^[om]:[a-z0-9][a-z0-9_-]{2,29}$/.test(text);
const keyOf = (member: ProjectMember): { at: string; id: string } =>
  ({ at: `${member.role === 'owner' ? 'o' : 'm'}:${member.username.toLowerCase()}`, id: member.user_id });

export class ProjectMemberService {
  readonly #on: ProjectMemberDependencies;

  constructor(dependencies: ProjectMemberDependencies) {
    this.#on = dependencies;
  }

  /** Owners first, then by username. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, projectId: string, query: PageQuery & Pick<Partial<ProjectMember>, 'status'>): Promise<ProjectMemberPage> {
    await requireRoleOn(this.#on.db, call, 'project', projectId);
    const status = query.status ?? null;
    const filters = { project_id: projectId, status };
    const after = readCursor(query, filters, isKey);
    const [rank, username] = after?.at.split(':') ?? [];
    const rows = await this.#on.db.named<ProjectMember>('projects.members', projectMembersSql, [
      projectId, status, rank === 'm', username ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [count] = after === null
      ? await this.#on.db.named<{ total: number }>('projects.count_members', countProjectMembersSql, [projectId, status, countBound + 1])
      : [];
    return pageOf(rows, query, filters, count?.total ?? null, keyOf);
  }

  /** Makes a member of status invited, who has no access before accepting. */
  async add(call: Call, projectId: string, body: ProjectMemberAdd): Promise<ProjectMember> {
    await requireRoleOn(this.#on.db, call, 'project', projectId);
    requireVerified(call);
    return transact(this.#on.db, call, async (trx) => {
      const { userId, invitationId } = await this.#on.inviting.invite(trx, call, { type: 'project', id: projectId }, { by: 'user_id', value: body.user_id }, 'member');
      const data = { user_id: userId, role: 'member', invitation_id: invitationId };
      await audit(trx, call, { event_type: 'project.member_invited', entity_type: 'project', entity_id: projectId, project_id: projectId, data });
      const [member] = await this.#on.db.namedIn<ProjectMember>(trx, 'projects.member', projectMemberSql, [projectId, userId]);
      if (member === undefined) throw notFound();
      return member;
    });
  }

  /** Ends a membership of the project's own, or takes an invitation back. */
  async remove(call: Call, projectId: string, userId: string): Promise<void> {
    const { db, memberships, invitations } = this.#on;
    await requireRoleOn(db, call, 'project', projectId);
    await transact(db, null, async (trx) => {
      const project = await memberships.lock(trx, projectId);
      if (project === undefined) throw notFound();
      const { role } = await requireRoleStill(db, trx, call, 'project', projectId);
      const isSelf = requireSelf(call) === userId.toLowerCase();
      if (!isSelf && role === 'member') throw new ServiceError('FORBIDDEN', 'Only the project owner ends the membership of others.');
      if (project.owner_id === userId.toLowerCase()) throw new ServiceError('CONFLICT', 'This is the owner: transfer the project first.', { details: { reason: 'owner' } });
      if (await memberships.isThroughTeam(trx, project, userId)) {
        throw new ServiceError('CONFLICT', 'This person has the project through its team: remove it from the team.', { details: { reason: 'team_member' } });
      }
      const [member] = await db.namedIn<ProjectMember>(trx, 'projects.member', projectMemberSql, [projectId, userId]);
      if (member === undefined) throw notFound();
      await invitations.revokeOf(trx, { type: 'project', id: project.id }, member.user_id);
      if (member.status === 'active') await invitations.revokeMailedTo(trx, { type: 'project', id: project.id }, member.user_id);
      await trx('project_members').where({ project_id: project.id, user_id: member.user_id }).delete();
      const data = { user_id: member.user_id, role: member.role, status: member.status };
      await audit(trx, call, { event_type: 'project.member_removed', entity_type: 'project', entity_id: project.id, project_id: project.id, data });
      if (member.status === 'active') await memberships.tell(trx, call, 'member.removed', project.id, [member]);
    });
  }
}

import type { Knex } from 'knex';
import type { TeamMember, TeamMemberAdd, TeamMemberPage, TeamMemberUpdate } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import type { InvitingService } from '../invitations/inviting-service.ts';
import type { OpenInvitationService } from '../invitations/open-service.ts';
import { storedRole } from '../memberships.ts';
import { requireRoleOn, requireSelf, requireVerified } from '../policy.ts';
import type { LockedTeam, TeamMembershipService } from './membership-service.ts';
import { countTeamMembersSql, teamMemberSql, teamMembersSql } from './queries.ts';

interface MemberRow extends TeamMember { readonly id: string; readonly row_version: number }
interface Held { readonly user_id: string; readonly role: 'Owner' | 'Admin' | 'Member'; readonly status: 'invited' | 'active'; readonly row_version: number }

export interface TeamMemberDependencies {
  readonly db: Database;
  readonly memberships: TeamMembershipService;
  readonly inviting: InvitingService;
  readonly invitations: OpenInvitationService;
}

const lastOwner = (): ServiceError =>
  new ServiceError('CONFLICT', 'A team keeps an owner: make somebody else one first, or delete the team.', { details: { reason: 'last_owner' } });

/** Who is in a team, and as what. Every change begins with the team's lock and judges by what it reads under it. */
export class TeamMemberService {
  readonly #on: TeamMemberDependencies;

  constructor(dependencies: TeamMemberDependencies) {
    this.#on = dependencies;
  }

  /** Oldest first. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, teamId: string, query: PageQuery & Pick<Partial<TeamMember>, 'status' | 'role'>): Promise<TeamMemberPage> {
    await requireRoleOn(this.#on.db, call, 'team', teamId);
    const { status = null, role = null } = query;
    const filters = { team_id: teamId, status, role };
    const after = readCursor(query, filters);
    const rows = await this.#on.db.named<MemberRow>('teams.members', teamMembersSql, [
      teamId, status, role, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const total = after === null ? await this.#count(teamId, status, role) : null;
    return pageOf(rows, query, filters, total, (row) => ({ at: row.created_at, id: row.id }));
  }

  /** Makes a member of status invited, who has no access before accepting. */
  async add(call: Call, teamId: string, body: TeamMemberAdd): Promise<{ entity: TeamMember; etag: string }> {
    await requireRoleOn(this.#on.db, call, 'team', teamId);
    requireVerified(call);
    const role = body.role ?? 'member';
    const entity = await transact(this.#on.db, call, async (trx) => {
      const { userId, invitationId } = await this.#on.inviting.invite(trx, call, { type: 'team', id: teamId }, { by: 'user_id', value: body.user_id }, role);
      const data = { user_id: userId, role, invitation_id: invitationId };
      await audit(trx, call, { event_type: 'team.member_invited', entity_type: 'team', entity_id: teamId, data });
      return this.#read(trx, teamId, body.user_id);
    }, versionOf);
    return { entity, etag: versionOf(entity) };
  }

  /** Changes a role; CONFLICT where the team would have no owner any more. */
  async update(call: Call, teamId: string, userId: string, { role }: TeamMemberUpdate): Promise<{ entity: TeamMember; etag: string }> {
    await requireRoleOn(this.#on.db, call, 'team', teamId);
    const entity = await transact(this.#on.db, null, async (trx) => {
      const { team, self, other } = await this.#lock(trx, call, teamId, userId);
      if (self.role === 'Member') throw new ServiceError('FORBIDDEN', 'This takes the role admin in the team.');
      if (other === undefined) throw notFound();
      if ((other.role === 'Owner' || role === 'owner') && self.role !== 'Owner') {
        throw new ServiceError('FORBIDDEN', 'Only an owner makes an owner, or takes that from one.');
      }
      if (call.ifMatch !== null && call.ifMatch !== String(other.row_version)) {
        throw new ServiceError('PRECONDITION_FAILED', 'Somebody changed this since you read it. Read it again.');
      }
      if (role === 'owner' && other.status === 'invited') {
        throw new ServiceError('CONFLICT', 'Only who has accepted becomes an owner.', { details: { status: 'invited' } });
      }
      if (other.role === 'Owner' && role !== 'owner' && !(await this.#hasOtherOwner(trx, teamId, userId))) throw lastOwner();
      if (other.status === 'invited') await this.#on.invitations.changeRole(trx, { type: 'team', id: teamId }, userId, role);
      await trx('team_members').where({ team_id: teamId, user_id: userId }).update({ role: storedRole(role) });
      if (role !== 'owner' && team.owner_id === other.user_id) await this.#on.memberships.replaceOwner(trx, call, team);
      const data = { user_id: other.user_id, from: other.role.toLowerCase(), to: role };
      await audit(trx, call, { event_type: 'team.member_updated', entity_type: 'team', entity_id: teamId, data });
      return this.#read(trx, teamId, userId);
    });
    return { entity, etag: versionOf(entity) };
  }

  /** Takes a person out of the team and its projects, or takes an invitation back. */
  async remove(call: Call, teamId: string, userId: string): Promise<void> {
    await requireRoleOn(this.#on.db, call, 'team', teamId);
    await transact(this.#on.db, null, async (trx) => {
      const { team, self, other } = await this.#lock(trx, call, teamId, userId);
      if (self !== other && (self.role === 'Member' || (other?.role === 'Owner' && self.role !== 'Owner'))) {
        throw new ServiceError('FORBIDDEN', 'An admin removes admins and members, an owner anybody, and everybody itself.');
      }
      if (other === undefined) throw notFound();
      if (other.role === 'Owner' && !(await this.#hasOtherOwner(trx, teamId, userId))) throw lastOwner();
      const handedOver = await this.#on.memberships.leave(trx, call, team, other.user_id);
      const data = { user_id: other.user_id, role: other.role.toLowerCase(), status: other.status, projects_handed_over: handedOver };
      await audit(trx, call, { event_type: 'team.member_removed', entity_type: 'team', entity_id: teamId, data });
    });
  }

  /** Locks the team, and reads under the lock what the caller and the other are in it: either may have changed since the policy was asked. */
  async #lock(trx: Knex.Transaction, call: Call, teamId: string, userId: string): Promise<{ team: LockedTeam; self: Held; other: Held | undefined }> {
    const callerId = requireSelf(call);
    const team = await this.#on.memberships.lock(trx, teamId);
    const held = await this.#on.db.namedIn<Held>(trx, 'teams.held_by', `
      select m.user_id, m.role, m.status, m.row_version from team_members m join users u on u.id = m.user_id and u.deleted_at is null
       where m.team_id = $1 and m.user_id in ($2, $3)`, [teamId, callerId, userId]);
    const self = held.find((one) => one.user_id === callerId && one.status === 'active');
    if (team === undefined || self === undefined) throw notFound();
    return { team, self, other: held.find((one) => one.user_id === userId.toLowerCase()) };
  }

  async #hasOtherOwner(trx: Knex.Transaction, teamId: string, userId: string): Promise<boolean> {
    const rows = await this.#on.db.namedIn(trx, 'teams.other_owner', `
      select 1 from team_members m join users u on u.id = m.user_id and u.deleted_at is null
       where m.team_id = $1 and m.user_id <> $2 and m.role = 'Owner' and m.status = 'active' limit 1`, [teamId, userId]);
    return rows.length > 0;
  }

  async #read(trx: Knex.Transaction, teamId: string, userId: string): Promise<MemberRow> {
    const [row] = await this.#on.db.namedIn<MemberRow>(trx, 'teams.member', teamMemberSql, [teamId, userId]);
    if (row === undefined) throw notFound();
    return row;
  }

  async #count(teamId: string, status: string | null, role: string | null): Promise<number> {
    const [row] = await this.#on.db.named<{ total: number }>('teams.count_members', countTeamMembersSql, [teamId, status, role, countBound + 1]);
    return row?.total ?? 0;
  }
}

const versionOf = (member: TeamMember): string => String((member as MemberRow).row_version);

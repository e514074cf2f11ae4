import type { Knex } from 'knex';
import type { ProjectTransfer, ProjectTransferRequest } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call, Tier } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { audit } from '../audit/audit.ts';
import type { InvitingService } from '../invitations/inviting-service.ts';
import type { OpenInvitationService } from '../invitations/open-service.ts';
import { requireRoleOn, requireRoleStill, requireSelf, requireVerified } from '../policy.ts';
import type { TierService } from '../tiers/service.ts';
import { effectiveTierSql } from '../users/accounts.ts';
import { countOwnedSql } from './members-queries.ts';
import type { LockedProject, ProjectMembershipService, ProjectPerson } from './membership-service.ts';

export interface TransferDependencies {
  readonly db: Database;
  readonly tiers: TierService;
  readonly memberships: ProjectMembershipService;
  readonly inviting: InvitingService;
  readonly invitations: OpenInvitationService;
}

/** Whose a project becomes: a team's, with the team's owner, or a person's alone. */
interface Receiver { readonly ownerId: string; readonly teamId: string | null }

const ownedAlready = (): ServiceError => new ServiceError('CONFLICT', 'The receiver owns it already.', { details: { reason: 'owner' } });

/** Projects that change hands. */
export class TransferService {
  readonly #on: TransferDependencies;

  constructor(dependencies: TransferDependencies) {
    this.#on = dependencies;
  }

  /** A team has it at once; a person is asked. A transfer that waits is replaced. */
  async transfer(call: Call, projectId: string, { user_id: userId, team_id: teamId }: ProjectTransferRequest): Promise<ProjectTransfer> {
    await requireRoleOn(this.#on.db, call, 'project', projectId);
    if (teamId !== undefined) return this.#toTeam(call, projectId, teamId);
    if (userId === undefined) throw new Error('the contract takes a transfer to somebody only');
    requireVerified(call);
    return this.#toPerson(call, projectId, userId);
  }

  /** Makes who accepted a transfer the owner, in the transaction that holds the project's lock; who asked stays as a member. */
  async takeOver(trx: Knex.Transaction, call: Call, projectId: string, userId: string, askedBy: string | null): Promise<void> {
    const project = await this.#on.memberships.lock(trx, projectId);
    if (project === undefined) throw notFound();
    await this.#hand(trx, call, project, { ownerId: userId, teamId: null }, askedBy);
    await this.#on.memberships.addActive(trx, project.id, userId);
  }

  async #toTeam(call: Call, projectId: string, teamId: string): Promise<ProjectTransfer> {
    await requireRoleOn(this.#on.db, call, 'team', teamId, 'admin');
    return transact(this.#on.db, call, async (trx) => {
      // The team cannot be deleted, nor its owner change, before the project is in it.
      const [team] = await this.#on.db.namedIn<{ id: string; owner_id: string }>(trx, 'projects.receiving_team', 'select id, owner_id from teams where id = $1 for share', [teamId]);
      if (team === undefined) throw notFound();
      await requireRoleStill(this.#on.db, trx, call, 'team', team.id, 'admin');
      const project = await this.#lock(trx, call, projectId);
      if (project.team_id === team.id) throw ownedAlready();
      await this.#on.invitations.revokeTransfersOf(trx, [project.id]);
      await this.#hand(trx, call, project, { ownerId: team.owner_id, teamId: team.id }, null);
      await this.#audit(trx, call, project, { to_user_id: team.owner_id, to_team_id: team.id, status: 'completed' });
      return { status: 'completed', project_id: project.id, user_id: null, team_id: team.id, invitation_id: null, expires_at: null } as const;
    });
  }

  async #toPerson(call: Call, projectId: string, personId: string): Promise<ProjectTransfer> {
    return transact(this.#on.db, call, async (trx) => {
      const project = await this.#lock(trx, call, projectId);
      if (project.owner_id === personId.toLowerCase() && project.team_id === null) throw ownedAlready();
      const { userId, invitationId } = await this.#on.inviting.askNewOwner(trx, call, project, personId);
      const { expires_at: expiresAt } = await trx('invitations').where({ id: invitationId }).first<{ expires_at: string }>('expires_at');
      await this.#audit(trx, call, project, { to_user_id: userId, to_team_id: null, status: 'pending' });
      return { status: 'pending', project_id: project.id, user_id: userId, team_id: null, invitation_id: invitationId, expires_at: expiresAt } as const;
    });
  }

  /** Locks the project, and asks again: of two transfers at once, the second may find the project somebody else's. */
  async #lock(trx: Knex.Transaction, call: Call, projectId: string): Promise<LockedProject> {
    const project = await this.#on.memberships.lock(trx, projectId);
    if (project === undefined) throw notFound();
    await requireRoleStill(this.#on.db, trx, call, 'project', project.id);
    return project;
  }

  /**
   * Who owned it stays as a member, and so does a team's Owner who asked; unless the receiving team brings them in anyway.
   * Everybody who gets or loses access by this is told of.
   */
  async #hand(trx: Knex.Transaction, call: Call, project: LockedProject, to: Receiver, askedBy: string | null): Promise<void> {
    const { memberships } = this.#on;
    if (to.ownerId !== project.owner_id) await this.#requireRoom(trx, call, to.ownerId);
    const before = await memberships.people(trx, project.id);
    await trx('projects').where({ id: project.id }).update({ owner_id: to.ownerId, team_id: to.teamId });
    for (const { user_id: userId } of before.filter((one) => one.user_id === project.owner_id || one.user_id === askedBy)) {
      const isIn = userId === to.ownerId || (await memberships.isThroughTeam(trx, { team_id: to.teamId }, userId));
      if (!isIn) await memberships.addActive(trx, project.id, userId);
    }
    const after = await memberships.people(trx, project.id);
    await memberships.tell(trx, call, 'member.removed', project.id, missingIn(after, before));
    await memberships.tell(trx, call, 'member.added', project.id, missingIn(before, after));
    const fields = [...(to.ownerId === project.owner_id ? [] : ['owner_id']), ...(to.teamId === project.team_id ? [] : ['team_id'])];
    const about = { entityId: project.id, projectId: project.id, userId: requireSelf(call) };
    await emit(trx,
      { ...about, type: 'project.updated', data: { fields } },
      { ...about, type: 'project.transferred', data: { transfer_id: newId(), asked_by: askedBy, project_id: project.id, name: project.name, from_user_id: project.owner_id, to_user_id: to.ownerId, to_team_id: to.teamId } });
  }

  /** Under the new owner's lock, as when a project is made. Not by TierService.requireRoom: that refuses a suspended caller, which the owner of a team need not be. */
  async #requireRoom(trx: Knex.Transaction, call: Call, ownerId: string): Promise<void> {
    const { db, tiers } = this.#on;
    const [owner] = await db.namedIn<{ tier: Tier }>(trx, 'projects.new_owner', `select ${effectiveTierSql} as tier from users u where u.id = $1 and u.deleted_at is null for update`, [ownerId]);
    if (owner === undefined) throw notFound();
    const { projects: allowed } = await tiers.limitsOf(owner.tier);
    if (allowed === null) return;
    const [owned] = await db.namedIn<{ used: number }>(trx, 'projects.count_owned', countOwnedSql, [ownerId]);
    const used = owned?.used ?? 0;
    if (used < allowed) return;
    const refusal = await tiers.quotaExceeded('projects', owner.tier, used);
    if (ownerId === requireSelf(call)) throw refusal;
    throw new ServiceError('QUOTA_EXCEEDED', `The tier of the team's owner (${owner.tier}) allows ${allowed} projects, and there are as many.`, { details: refusal.details });
  }

  async #audit(trx: Knex.Transaction, call: Call, project: LockedProject, to: Readonly<Record<string, string | null>>): Promise<void> {
    await audit(trx, call, {
      event_type: 'project.transferred', entity_type: 'project', entity_id: project.id, project_id: project.id,
      data: { from_user_id: project.owner_id, from_team_id: project.team_id, ...to },
    });
  }
}

/** Those of `people` who are not among `others`. */
function missingIn(others: readonly ProjectPerson[], people: readonly ProjectPerson[]): ProjectPerson[] {
  const known = new Set(others.map((one) => one.user_id));
  return people.filter((one) => !known.has(one.user_id));
}

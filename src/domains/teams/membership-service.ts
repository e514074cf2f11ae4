import type { Knex } from 'knex';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { OpenInvitationService } from '../invitations/open-service.ts';
import { type LockedTarget, type Memberships, storedRole } from '../memberships.ts';
import type { Role } from '../policy.ts';
import { joinTeamSql, successorSql } from './queries.ts';

export interface LockedTeam extends LockedTarget { readonly owner_id: string; readonly row_version: number }

/** What became of the teams of an account that ends. */
export interface LeftTeams {
  /** Teams that go on without it. */
  readonly left: number;
  /** Projects of theirs that another Owner has now. */
  readonly handedOver: number;
  /** Teams that have no other active member: the account is still in them. */
  readonly alone: readonly string[];
}

const peopleSql = `
  select (select count(*) from team_members where team_id = $1)
       + (select count(*) from invitations where team_id = $1 and status = 'pending' and email is not null) as people`;

/** Who belongs to teams, for whoever changes it inside a transaction. */
export class TeamMembershipService implements Memberships {
  readonly #db: Database;
  readonly #invitations: OpenInvitationService;
  readonly #asksVerification: boolean;

  /** @param asksVerification addresses count as somebody's only once they are confirmed */
  constructor(db: Database, invitations: OpenInvitationService, asksVerification: boolean) {
    this.#db = db;
    this.#invitations = invitations;
    this.#asksVerification = asksVerification;
  }

  async lock(trx: Knex.Transaction, id: string): Promise<LockedTeam | undefined> {
    const [team] = await this.#db.namedIn<LockedTeam>(trx, 'teams.lock', `
      select id, name, owner_id, owner_id as payer_id, row_version from teams where id = $1 for no key update`, [id]);
    return team;
  }

  async standingOf(trx: Knex.Transaction, id: string, userId: string): Promise<'active' | 'invited' | null> {
    const row = await trx('team_members').where({ team_id: id, user_id: userId }).first<{ status: 'active' | 'invited' } | undefined>('status');
    return row?.status ?? null;
  }

  async hasAddress(trx: Knex.Transaction, id: string, email: string): Promise<boolean> {
    const rows = await this.#db.namedIn(trx, 'teams.has_address', `
      select 1 from users u join team_members m on m.user_id = u.id and m.team_id = $1 and m.status = 'active'
       where lower(u.email) = lower($2) and (u.email_verified_at is not null or not $3)`, [id, email, this.#asksVerification]);
    return rows.length > 0;
  }

  async countPeople(trx: Knex.Transaction, id: string): Promise<number> {
    const [row] = await this.#db.namedIn<{ people: number }>(trx, 'teams.count_people', peopleSql, [id]);
    return row?.people ?? 0;
  }

  async addInvited(trx: Knex.Transaction, id: string, userId: string, role: Role): Promise<void> {
    await trx('team_members').insert({ id: newId(), team_id: id, user_id: userId, role: storedRole(role), status: 'invited' });
  }

  async join(trx: Knex.Transaction, call: Call, id: string, userId: string, role: Role): Promise<void> {
    const before = await this.standingOf(trx, id, userId);
    const [member] = await this.#db.namedIn<{ role: Role }>(trx, 'teams.join', joinTeamSql, [newId(), id, userId, storedRole(role)]);
    if (member !== undefined && before !== 'active') await tell(trx, call, 'member.added', id, { user_id: userId, ...member });
  }

  async dropInvited(trx: Knex.Transaction, id: string, userIds: readonly string[]): Promise<void> {
    if (userIds.length > 0) await trx('team_members').where({ team_id: id, status: 'invited' }).whereIn('user_id', userIds).delete();
  }

  /**
   * Takes a person out of a locked team, and with that out of its projects: what the person owned there is the team's
   * owner's. An invitation that waited for the person is revoked. Whether an Owner stays is the caller's to ask before;
   * where none does, the member of highest role and longest standing becomes one. Answers how many projects changed hands.
   */
  async leave(trx: Knex.Transaction, call: Call | null, team: LockedTeam, userId: string): Promise<number> {
    await this.#invitations.revokeOf(trx, { type: 'team', id: team.id }, userId);
    const [gone] = await trx('team_members').where({ team_id: team.id, user_id: userId }).delete().returning<{ role: string; status: string }[]>(['role', 'status']);
    if (gone === undefined || gone.status === 'invited') return 0;
    const handedOver = await this.#handOver(trx, call, team, userId, team.owner_id === userId);
    await this.#invitations.revokeMailedTo(trx, { type: 'team', id: team.id }, userId);
    await this.#invitations.revokeInProjectsOf(trx, team.id, userId);
    await trx('project_members').where({ user_id: userId }).whereIn('project_id', trx('projects').where({ team_id: team.id }).select('id')).delete();
    await tell(trx, call, 'member.removed', team.id, { user_id: userId, role: gone.role.toLowerCase() });
    return handedOver;
  }

  /** Whose tier the team's limits came from is no Owner any more: another one is. Answers how many projects changed hands. */
  async replaceOwner(trx: Knex.Transaction, call: Call | null, team: LockedTeam): Promise<number> {
    return this.#handOver(trx, call, team, team.owner_id, true);
  }

  /** Takes an account out of every team that has other active members, and takes back every invitation to it. */
  async leaveAll(trx: Knex.Transaction, call: Call | null, userId: string): Promise<LeftTeams> {
    const memberships = trx('team_members').where({ user_id: userId }).select('team_id');
    // In one order, so that two accounts that end at once do not lock each other out.
    const ids = await trx('teams').whereIn('id', memberships).orderBy('id').select<{ id: string }[]>('id');
    const alone: string[] = [];
    let [left, handedOver] = [0, 0];
    for (const { id } of ids) {
      const team = await this.lock(trx, id);
      if (team === undefined) continue;
      const isActive = (await this.standingOf(trx, id, userId)) === 'active';
      if (isActive && (await this.#successorOf(trx, id, userId)) === undefined) {
        alone.push(id);
        continue;
      }
      handedOver += await this.leave(trx, call, team, userId);
      if (isActive) left += 1;
    }
    await this.#invitations.revokeAllOf(trx, userId);
    return { left, handedOver, alone };
  }

  /** Gives the team's projects that a person owns to the team's owner, after finding another one where the person was it. */
  async #handOver(trx: Knex.Transaction, call: Call | null, team: LockedTeam, userId: string, isOwner: boolean): Promise<number> {
    let owner = team.owner_id;
    if (isOwner) {
      const successor = await this.#successorOf(trx, team.id, userId);
      if (successor === undefined) throw new Error('a team was about to be left without a member');
      owner = successor.user_id;
      if (successor.role !== 'Owner') await trx('team_members').where({ team_id: team.id, user_id: owner }).update({ role: 'Owner' });
      await trx('teams').where({ id: team.id }).update({ owner_id: owner });
    }
    const rows = await trx('projects').where({ team_id: team.id, owner_id: userId }).whereNull('deleted_at').update({ owner_id: owner }).returning<{ id: string }[]>('id');
    const ids = rows.map((row) => row.id);
    await this.#invitations.revokeTransfersOf(trx, ids);
    await emit(trx, ...ids.map((projectId) => ({ type: 'project.updated', entityId: projectId, projectId, userId: actorOf(call), data: { fields: ['owner_id'] } })));
    return ids.length;
  }

  async #successorOf(trx: Knex.Transaction, teamId: string, userId: string): Promise<{ user_id: string; role: string } | undefined> {
    const [row] = await this.#db.namedIn<{ user_id: string; role: string }>(trx, 'teams.successor', successorSql, [teamId, userId]);
    return row;
  }
}

const actorOf = (call: Call | null): string | null => (call !== null && 'userId' in call.caller ? call.caller.userId : null);

/** Of a team's member every project of the team is told; which those are, and the person's name, is read when it is sent. */
const tell = (trx: Knex.Transaction, call: Call | null, type: 'member.added' | 'member.removed', teamId: string, member: { user_id: string; role: string }): Promise<void> =>
  emit(trx, { type, entityId: member.user_id, userId: actorOf(call), data: { team_id: teamId, ...member, source: 'team', changed_by: actorOf(call) } });

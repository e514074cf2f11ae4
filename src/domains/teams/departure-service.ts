/** What becomes of somebody's teams when the account ends. */
import type { Knex } from 'knex';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import type { LeftTeams, TeamMembershipService } from './membership-service.ts';

/** The teams of $1 in one order, locked until the commit: who belongs to them does not change meanwhile. */
const lockTeamsSql = `
  select t.id from teams t
   where exists (select 1 from team_members m where m.team_id = t.id and m.user_id = $1 and m.status = 'active')
   order by t.id for no key update`;

/** Of these teams, those that have other active members, and no Owner among them, while $1 is one. */
const onlyOwnerSql = `
  select m.team_id as id
    from team_members m
   where m.team_id = any($2::uuid[]) and m.user_id = $1 and m.status = 'active' and m.role = 'Owner'
     and exists (select 1 from team_members o where o.team_id = m.team_id and o.user_id <> $1 and o.status = 'active')
     and not exists (select 1 from team_members o where o.team_id = m.team_id and o.user_id <> $1 and o.status = 'active' and o.role = 'Owner')
   order by m.team_id`;

export class TeamDepartureService {
  readonly #db: Database;
  readonly #memberships: TeamMembershipService;

  constructor(db: Database, memberships: TeamMembershipService) {
    this.#db = db;
    this.#memberships = memberships;
  }

  /**
   * Locks the account's teams; before its own row is. CONFLICT names those that would be left without an Owner. Who is only
   * invited is no member yet, and keeps nobody: a team with nobody but the account and people invited goes with it.
   */
  async requireHeirs(trx: Knex.Transaction, userId: string): Promise<void> {
    const teams = await this.#db.namedIn<{ id: string }>(trx, 'teams.lock_all_of', lockTeamsSql, [userId]);
    const held = await this.#db.namedIn<{ id: string }>(trx, 'teams.only_owner', onlyOwnerSql, [userId, teams.map(({ id }) => id)]);
    if (held.length === 0) return;
    throw new ServiceError('CONFLICT', 'You are the only owner of a team that has other members. Make one of them an owner first, or delete the team.', {
      details: { team_ids: held.map(({ id }) => id) },
    });
  }

  /** Leaves every team that has other active members; what the account owns there is an Owner's then. */
  async leave(trx: Knex.Transaction, call: Call, userId: string): Promise<LeftTeams> {
    return this.#memberships.leaveAll(trx, call, userId);
  }

  /** Ends teams that nobody is in but the account, with who was invited; projects in them are in no team any more. */
  async end(trx: Knex.Transaction, call: Call, teamIds: readonly string[]): Promise<void> {
    if (teamIds.length === 0) return;
    await trx('projects').whereIn('team_id', teamIds).update({ team_id: null });
    await trx('teams').whereIn('id', teamIds).delete();
    for (const id of teamIds) await audit(trx, call, { event_type: 'team.deleted', entity_type: 'team', entity_id: id });
    await emit(trx, ...teamIds.map((id) => ({ type: 'team.deleted', entityId: id, data: {} })));
  }
}

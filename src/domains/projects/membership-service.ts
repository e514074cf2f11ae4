import type { Knex } from 'knex';
import { type DomainEvent, emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import { type LockedTarget, type Memberships, storedRole } from '../memberships.ts';
import { requireSelf, type Role } from '../policy.ts';
import { activeAmongSql, activeMembersSql, countProjectPeopleSql, joinProjectSql, lockProjectSql, projectPeopleSql } from './members-queries.ts';

export interface LockedProject extends LockedTarget {
  readonly owner_id: string;
  readonly team_id: string | null;
  readonly created_at: string;
}

/** Somebody with access, and how it came by it. */
export interface ProjectPerson { readonly user_id: string; readonly role: Role; readonly source: 'project' | 'team' }

/** Somebody, and a project. */
interface Pair { readonly projectId: string; readonly userId: string }
const keyOf = ({ projectId, userId }: Pair): string => `${projectId}:${userId}`;

/** Who belongs to projects, for whoever changes it inside a transaction. */
export class ProjectMembershipService implements Memberships {
  readonly #db: Database;
  readonly #asksVerification: boolean;

  /** @param asksVerification addresses count as somebody's only once they are confirmed */
  constructor(db: Database, asksVerification: boolean) {
    this.#db = db;
    this.#asksVerification = asksVerification;
  }

  async lock(trx: Knex.Transaction, id: string): Promise<LockedProject | undefined> {
    const [project] = await this.#db.namedIn<LockedProject>(trx, 'projects.lock', lockProjectSql, [id]);
    return project;
  }

  /** Whoever has it through its team is in it, as is its owner. */
  async standingOf(trx: Knex.Transaction, id: string, userId: string): Promise<'active' | 'invited' | null> {
    const [row] = await this.#db.namedIn<{ status: 'active' | 'invited' }>(trx, 'projects.standing', `
      select 'active' as status from projects p
       where p.id = $1 and (p.owner_id = $2 or exists (select 1 from team_members tm where tm.team_id = p.team_id and tm.user_id = $2 and tm.status = 'active'))
      union all
      select status from project_members where project_id = $1 and user_id = $2
       order by status limit 1`, [id, userId]);
    return row?.status ?? null;
  }

  async hasAddress(trx: Knex.Transaction, id: string, email: string): Promise<boolean> {
    const [account] = await this.#db.namedIn<{ id: string }>(trx, 'projects.has_address', `
      select id from users where lower(email) = lower($1) and deleted_at is null and (email_verified_at is not null or not $2)`, [email, this.#asksVerification]);
    return account !== undefined && (await this.standingOf(trx, id, account.id)) === 'active';
  }

  async countPeople(trx: Knex.Transaction, id: string): Promise<number> {
    const [row] = await this.#db.namedIn<{ people: number }>(trx, 'projects.count_people', countProjectPeopleSql, [id]);
    return row?.people ?? 0;
  }

  async addInvited(trx: Knex.Transaction, id: string, userId: string, role: Role): Promise<void> {
    await trx('project_members').insert({ id: newId(), project_id: id, user_id: userId, role: storedRole(role), status: 'invited' });
  }

  async join(trx: Knex.Transaction, call: Call, id: string, userId: string, role: Role): Promise<void> {
    const before = await this.standingOf(trx, id, userId);
    await this.addActive(trx, id, userId);
    if (before !== 'active') await this.tell(trx, call, 'member.added', id, [{ user_id: userId, role, source: 'project' }]);
  }

  async dropInvited(trx: Knex.Transaction, id: string, userIds: readonly string[]): Promise<void> {
    if (userIds.length > 0) await trx('project_members').where({ project_id: id, status: 'invited' }).whereIn('user_id', userIds).delete();
  }

  /** Gives a person a membership of its own; who has one keeps it. */
  async addActive(trx: Knex.Transaction, id: string, userId: string): Promise<void> {
    await this.#db.namedIn(trx, 'projects.join', joinProjectSql, [newId(), id, userId]);
  }

  /** Whether a person has the project by being in its team, whatever it has beside that. */
  async isThroughTeam(trx: Knex.Transaction, { team_id: teamId }: Pick<LockedProject, 'team_id'>, userId: string): Promise<boolean> {
    if (teamId === null) return false;
    return (await trx('team_members').where({ team_id: teamId, user_id: userId, status: 'active' }).first('id')) !== undefined;
  }

  /** Which of these people have access now, by whatever way: for what names somebody of the project. One statement. */
  async activeMembers(projectId: string, userIds: readonly string[], trx: Knex.Transaction | null = null): Promise<Set<string>> {
    const values = [projectId, userIds] as const;
    const rows = trx === null
      ? await this.#db.named<{ id: string }>('projects.active_members', activeMembersSql, values)
      : await this.#db.namedIn<{ id: string }>(trx, 'projects.active_members', activeMembersSql, values);
    return new Set(rows.map(({ id }) => id));
  }

  /** The same of many projects, each with one person: answers who of them has access now. One statement. */
  async activeAmong(trx: Knex.Transaction, pairs: readonly Pair[]): Promise<(pair: Pair) => boolean> {
    if (pairs.length === 0) return () => false;
    const rows = await this.#db.namedIn<{ nth: number }>(trx, 'projects.active_among', activeAmongSql, [pairs.map(({ projectId }) => projectId), pairs.map(({ userId }) => userId)]);
    const active = new Set(rows.flatMap(({ nth }) => { const pair = pairs[nth - 1]; return pair === undefined ? [] : [keyOf(pair)]; }));
    return (pair) => active.has(keyOf(pair));
  }

  /** Everybody with access, by whatever way. */
  async people(trx: Knex.Transaction, id: string): Promise<readonly ProjectPerson[]> {
    return this.#db.namedIn<ProjectPerson>(trx, 'projects.people', projectPeopleSql, [id]);
  }

  async tell(trx: Knex.Transaction, call: Call, type: 'member.added' | 'member.removed', id: string, people: readonly ProjectPerson[]): Promise<void> {
    const changedBy = requireSelf(call);
    await emit(trx, ...people.map(({ user_id: userId, role, source }): DomainEvent => ({
      type, entityId: userId, projectId: id, userId: changedBy, data: { user_id: userId, role, source, changed_by: changedBy },
    })));
  }
}

import { createHash } from 'node:crypto';
import type { Team, TeamCreate, TeamPage, TeamUpdate } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireRoleStill, requireSelf } from '../policy.ts';
import { countTeamsSql, teamByIdSql, teamsOfSql } from './queries.ts';

interface TeamRow extends Team { readonly row_version: number }

/** A team with the strong validator of what this caller sees of it. */
export interface VersionedTeam { readonly entity: Team; readonly etag: string }

const moved = (): ServiceError => new ServiceError('PRECONDITION_FAILED', 'Somebody changed this since you read it. Read it again.');

export class TeamService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The caller's teams, newest first. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery): Promise<TeamPage> {
    const userId = requireSelf(call);
    const after = readCursor(query, {});
    const rows = await this.#db.named<TeamRow>('teams.of_user', teamsOfSql, [
      userId, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [count] = after === null ? await this.#db.named<{ total: number }>('teams.count_of_user', countTeamsSql, [userId, countBound + 1]) : [];
    return pageOf(rows, query, {}, count?.total ?? null, (row) => ({ at: row.created_at, id: row.id }));
  }

  /** Makes the caller the owner of a new team. */
  async create(call: Call, { name }: TeamCreate): Promise<VersionedTeam> {
    const userId = requireSelf(call);
    const entity = await transact(this.#db, call, async (trx) => {
      // An account that is being deleted leaves its teams first: one made meanwhile would be nobody's.
      const [account] = await this.#db.namedIn(trx, 'teams.maker', 'select 1 from users where id = $1 and deleted_at is null for key share', [userId]);
      if (account === undefined) throw new ServiceError('AUTH_INVALID', 'This account is gone.');
      const [row] = await trx('teams').insert({ id: newId(), owner_id: userId, name }).returning<Omit<TeamRow, 'role' | 'member_count' | 'project_count'>[]>('*');
      if (row === undefined) throw new Error('a new team has a row');
      await trx('team_members').insert({ id: newId(), team_id: row.id, user_id: userId, role: 'Owner', status: 'active', joined_at: trx.fn.now() });
      await audit(trx, call, { event_type: 'team.created', entity_type: 'team', entity_id: row.id, data: { name } });
      return { ...row, role: 'owner' as const, member_count: 1, project_count: 0 };
    }, etagOf);
    return { entity, etag: etagOf(entity) };
  }

  async get(call: Call, teamId: string): Promise<VersionedTeam> {
    const { role } = await requireRoleOn(this.#db, call, 'team', teamId);
    return this.#read(teamId, role);
  }

  async update(call: Call, teamId: string, body: TeamUpdate): Promise<VersionedTeam> {
    const { role } = await requireRoleOn(this.#db, call, 'team', teamId);
    await transact(this.#db, null, async (trx) => {
      const before = await trx('teams').where({ id: teamId }).forNoKeyUpdate().first<{ name: string; row_version: number } | undefined>('name', 'row_version');
      if (before === undefined) throw notFound();
      if (call.ifMatch !== null && versionIn(call.ifMatch) !== before.row_version) throw moved();
      await trx('teams').where({ id: teamId }).update(body);
      await audit(trx, call, { event_type: 'team.updated', entity_type: 'team', entity_id: teamId, data: { from: { name: before.name }, to: { ...body } } });
    });
    return this.#read(teamId, role);
  }

  /** Ends memberships and invitations with the team; CONFLICT while it has projects. */
  async remove(call: Call, teamId: string): Promise<void> {
    await requireRoleOn(this.#db, call, 'team', teamId);
    await transact(this.#db, null, async (trx) => {
      // The hardest lock: a project that is being made or moved into the team comes before, and is counted, or after, and finds no team.
      const team = await trx('teams').where({ id: teamId }).forUpdate().first<{ name: string; row_version: number } | undefined>('name', 'row_version');
      if (team === undefined) throw notFound();
      await requireRoleStill(this.#db, trx, call, 'team', teamId);
      if (call.ifMatch !== null && versionIn(call.ifMatch) !== team.row_version) throw moved();
      const [projects] = await trx('projects').where({ team_id: teamId }).whereNull('deleted_at').count({ total: '*' });
      const projectCount = Number(projects?.['total'] ?? 0);
      if (projectCount > 0) {
        throw new ServiceError('CONFLICT', 'The team has projects, archived ones counted: move or delete them first.', { details: { project_count: projectCount } });
      }
      // Deleted ones wait for their erasure and belong to nobody until then.
      await trx('projects').where({ team_id: teamId }).update({ team_id: null });
      await trx('teams').where({ id: teamId }).delete();
      await audit(trx, call, { event_type: 'team.deleted', entity_type: 'team', entity_id: teamId, data: { name: team.name } });
    });
  }

  async #read(teamId: string, role: Team['role']): Promise<VersionedTeam> {
    const [row] = await this.#db.named<TeamRow>('teams.by_id', teamByIdSql, [teamId]);
    if (row === undefined) throw notFound();
    const entity = { ...row, role };
    return { entity, etag: etagOf(entity) };
  }
}

/** The row's version, and a digest of what changes without it: the caller's role and the counts. */
function etagOf(team: Team): string {
  const seen = JSON.stringify([team.role, team.member_count, team.project_count]);
  return `${(team as TeamRow).row_version}-${createHash('sha256').update(seen).digest('base64url').slice(0, 8)}`;
}

/** A change is judged by the row alone: somebody who joined is no lost update. NaN equals no version. */
const versionIn = (etag: string): number => Number(etag.split('-', 1)[0]);

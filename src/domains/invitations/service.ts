import type { Knex } from 'knex';
import type { Invitation, InvitationCreate, InvitationPage, InvitationTokenAcceptance } from '#generated/sdk/types.gen.ts';
import { sendMail } from '#jobs/mail-job.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { hashOfToken } from '#platform/tokens/mailed-tokens.ts';
import { audit } from '../audit/audit.ts';
import type { LockedTarget, Memberships, Target, TargetType } from '../memberships.ts';
import { requireInvitation, requireRoleOn, requireSelf, requireVerified, type Role } from '../policy.ts';
import type { TransferService } from '../projects/transfer-service.ts';
import type { InvitingService } from './inviting-service.ts';
import { countSql, invitationByIdSql, inviterStandsSql, listSql, lockSql, targetOfSql, type Whose } from './queries.ts';

interface Found { readonly id: string; readonly type: TargetType; readonly target_id: string }
interface Locked {
  readonly id: string;
  readonly user_id: string | null;
  readonly email: string | null;
  readonly role: Role;
  readonly invited_by: string | null;
  readonly status: Invitation['status'];
}
/** An invitation and what it is to, both locked until the commit. */
interface Held { readonly target: Target; readonly held: LockedTarget; readonly row: Locked }
type StatusFilter = { readonly status?: Invitation['status'] | undefined };

export interface InvitationDependencies {
  readonly db: Database;
  readonly inviting: InvitingService;
  readonly transfers: TransferService;
  readonly memberships: Readonly<Record<TargetType, Memberships>>;
}

const gone = (status: string): ServiceError =>
  new ServiceError('GONE', status === 'expired' ? 'This invitation was open for seven days, which are over. Ask for a new one.' : 'This invitation was taken back.', { details: { status } });
const answered = (status: string, message: string): ServiceError => new ServiceError('CONFLICT', message, { details: { status } });

/** Invitations as the inviter and the person invited have to do with them. */
export class InvitationService {
  readonly #on: InvitationDependencies;

  constructor(dependencies: InvitationDependencies) {
    this.#on = dependencies;
  }

  async create(call: Call, body: InvitationCreate): Promise<Invitation> {
    const target: Target = { type: body.target_type, id: body.target_id };
    await requireRoleOn(this.#on.db, call, target.type, target.id, 'admin');
    requireVerified(call);
    if (target.type === 'project' && body.role !== 'member') {
      throw new ServiceError('VALIDATION_ERROR', 'Into a project people are invited as members.', {
        details: [{ pointer: '#/body/role', message: 'must be member for a project', rule: 'role' }],
      });
    }
    const named = 'email' in body ? { by: 'email', value: body.email } as const : { by: 'username', value: body.username } as const;
    return transact(this.#on.db, call, async (trx) => {
      const { invitationId, userId } = await this.#on.inviting.invite(trx, call, target, named, body.role);
      await audit(trx, call, {
        ...about(target, invitationId), event_type: 'invitation.created',
        data: { ...target, role: body.role, user_id: userId, email: named.by === 'email' ? masked(named.value) : null },
      });
      return this.#read(trx, invitationId);
    });
  }

  /** Those to the caller, by account or by confirmed address. Two statements under an offset, one under a cursor. */
  async listMine(call: Call, query: PageQuery & StatusFilter): Promise<InvitationPage> {
    const userId = requireSelf(call);
    const [account] = await this.#on.db.named<{ email: string }>('invitations.address', 'select email from users where id = $1', [userId]);
    const isConfirmed = 'isVerified' in call.caller && call.caller.isVerified;
    return this.#list('user', userId, query, [isConfirmed && account !== undefined ? account.email : null]);
  }

  async listOfProject(call: Call, projectId: string, query: PageQuery & StatusFilter): Promise<InvitationPage> {
    await requireRoleOn(this.#on.db, call, 'project', projectId);
    return this.#list('project', projectId, query, []);
  }

  async listOfTeam(call: Call, teamId: string, query: PageQuery & StatusFilter): Promise<InvitationPage> {
    await requireRoleOn(this.#on.db, call, 'team', teamId);
    return this.#list('team', teamId, query, []);
  }

  /** Takes it back; what has ended by itself stays as it ended. */
  async revoke(call: Call, id: string): Promise<void> {
    await requireInvitation(this.#on.db, call, id, 'inviter');
    await transact(this.#on.db, null, async (trx) => {
      const { target, row } = await this.#hold(trx, 'id', id);
      if (row.status === 'accepted') throw answered('accepted', 'It was accepted: remove the member instead.');
      if (row.status !== 'pending') return;
      await this.#end(trx, target, row, 'revoked');
      await audit(trx, call, { ...about(target, row.id), event_type: 'invitation.revoked', data: { ...target, role: row.role } });
    });
  }

  /** Makes the caller a member, or the owner; once, whoever else tries at the same moment. */
  async accept(call: Call, id: string): Promise<Invitation> {
    await requireInvitation(this.#on.db, call, id, 'invited');
    return transact(this.#on.db, null, async (trx) => this.#accept(trx, call, await this.#hold(trx, 'id', id)));
  }

  /** The same for whoever holds the token of the mail, whatever address the account has. */
  async acceptByToken(call: Call, { token }: InvitationTokenAcceptance): Promise<Invitation> {
    requireSelf(call);
    return transact(this.#on.db, null, async (trx) => this.#accept(trx, call, await this.#hold(trx, 'token_hash', hashOfToken(token))));
  }

  /** Declines it, and tells the inviter. */
  async decline(call: Call, id: string): Promise<Invitation> {
    await requireInvitation(this.#on.db, call, id, 'invited');
    const userId = requireSelf(call);
    return transact(this.#on.db, null, async (trx) => {
      const { target, held, row } = await this.#hold(trx, 'id', id);
      if (row.status === 'accepted') throw answered('accepted', 'It was accepted: leave instead.');
      if (row.status === 'revoked' || row.status === 'expired') throw gone(row.status);
      if (row.status === 'pending') {
        await this.#end(trx, target, row, 'declined');
        await audit(trx, call, { ...about(target, row.id), event_type: 'invitation.declined', data: { ...target, role: row.role } });
        await emit(trx, told('invitation.declined', target, held, row, userId));
        await sendMail(trx, 'invitations.declined', { invitation_id: row.id });
      }
      return this.#read(trx, row.id);
    });
  }

  async #accept(trx: Knex.Transaction, call: Call, { target, held, row }: Held): Promise<Invitation> {
    const userId = requireSelf(call);
    if (row.status === 'declined') throw answered('declined', 'It was declined. Ask for a new one.');
    if (row.status === 'accepted' && row.user_id !== userId) throw answered('accepted', 'Somebody else accepted it.');
    if (row.status === 'revoked' || row.status === 'expired') throw gone(row.status);
    if (row.status === 'pending') {
      await this.#requireInviter(trx, target, row);
      if (row.role === 'owner') await this.#on.transfers.takeOver(trx, call, held.id, userId, row.invited_by);
      else await this.#on.memberships[target.type].join(trx, call, held.id, userId, row.role);
      await trx('invitations').where({ id: row.id }).update({ status: 'accepted', user_id: userId, responded_at: trx.fn.now() });
      await audit(trx, call, { ...about(target, row.id), event_type: 'invitation.accepted', data: { ...target, role: row.role } });
      await emit(trx, told('invitation.accepted', target, held, row, userId));
    }
    return this.#read(trx, row.id);
  }

  /** Behind the target's lock, under which roles change: an invitation holds as long as who sent it could send it again. */
  async #requireInviter(trx: Knex.Transaction, target: Target, row: Locked): Promise<void> {
    const standing = row.invited_by === null
      ? []
      : await this.#on.db.namedIn(trx, 'invitations.inviter_stands', inviterStandsSql, [row.invited_by, target.type, target.id, row.role]);
    if (standing.length === 0) throw gone('revoked');
  }

  /** Locks what it is to, then the invitation itself. NOT_FOUND where either is gone. */
  async #hold(trx: Knex.Transaction, by: 'id' | 'token_hash', value: string | Buffer): Promise<Held> {
    const { db, memberships } = this.#on;
    const [found] = await db.namedIn<Found>(trx, `invitations.target_by_${by}`, `${targetOfSql} where ${by} = $1`, [value]);
    const held = found === undefined ? undefined : await memberships[found.type].lock(trx, found.target_id);
    const [row] = found === undefined || held === undefined ? [] : await db.namedIn<Locked>(trx, 'invitations.lock', lockSql, [found.id]);
    if (found === undefined || held === undefined || row === undefined) throw notFound();
    return { target: { type: found.type, id: held.id }, held, row };
  }

  async #end(trx: Knex.Transaction, target: Target, row: Locked, status: 'revoked' | 'declined'): Promise<void> {
    await trx('invitations').where({ id: row.id }).update({ status, responded_at: trx.fn.now() });
    if (row.user_id !== null && row.role !== 'owner') await this.#on.memberships[target.type].dropInvited(trx, target.id, [row.user_id]);
  }

  async #list(whom: Whose, id: string, query: PageQuery & StatusFilter, more: readonly (string | null)[]): Promise<InvitationPage> {
    const { db } = this.#on;
    const status = query.status ?? null;
    const filters = { whom, id, status };
    const after = readCursor(query, filters);
    const rows = await db.named<Invitation>(`invitations.of_${whom}`, listSql(whom), [
      id, status, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0, ...more,
    ]);
    const [count] = after === null ? await db.named<{ total: number }>(`invitations.count_of_${whom}`, countSql(whom), [id, status, countBound + 1, ...more]) : [];
    return pageOf(rows, query, filters, count?.total ?? null, (row) => ({ at: row.created_at, id: row.id }));
  }

  async #read(trx: Knex.Transaction, id: string): Promise<Invitation> {
    const [row] = await this.#on.db.namedIn<Invitation>(trx, 'invitations.by_id', invitationByIdSql, [id]);
    if (row === undefined) throw notFound();
    return row;
  }
}

const about = ({ type, id }: Target, invitationId: string): { entity_type: string; entity_id: string; project_id: string | null } =>
  ({ entity_type: 'invitation', entity_id: invitationId, project_id: type === 'project' ? id : null });

/** For the inviter, whom these tell. */
const told = (type: string, target: Target, held: LockedTarget, row: Locked, userId: string): Parameters<typeof emit>[1] => ({
  type, entityId: row.id, projectId: target.type === 'project' ? target.id : null, userId,
  data: { invitation_id: row.id, target_type: target.type, target_id: target.id, target_name: held.name, role: row.role, user_id: row.invited_by, actor_id: userId },
});

/** `c…@example.com`: enough to follow what happened by, and no address in a log that outlives the invitation. */
const masked = (email: string): string => `${email.slice(0, 1)}…${email.slice(email.lastIndexOf('@'))}`;

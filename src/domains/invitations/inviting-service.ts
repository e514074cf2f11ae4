import type { Knex } from 'knex';
import { sendMail } from '#jobs/mail-job.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call, Tier } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import type { LockedTarget, Memberships, Target, TargetType } from '../memberships.ts';
import { requireSelf, type Role } from '../policy.ts';
import type { TierService } from '../tiers/service.ts';
import { effectiveTierSql } from '../users/accounts.ts';
import type { OpenInvitationService } from './open-service.ts';
import { askedSql, mailedSql } from './queries.ts';

/** How the inviter names somebody: the field of the request that a refusal tells of. */
export interface Named { readonly by: 'user_id' | 'username' | 'email'; readonly value: string }
export interface Invited { readonly invitationId: string; readonly userId: string | null }

export interface InvitingDependencies {
  readonly db: Database;
  readonly tiers: TierService;
  readonly invitations: OpenInvitationService;
  readonly memberships: Readonly<Record<TargetType, Memberships>>;
}

/** Mails within an hour: nobody fills somebody else's mailbox by way of us, or mails the world. */
const mailsPerHour = { to_address: 5, by_inviter: 200 } as const;
/** Invitations and questions of one person to another within an hour: each is told and mailed, also where the one before was taken back. */
const asksPerHour = 20;

const personSql = {
  user_id: 'select id from users where id = $1 and deleted_at is null',
  username: 'select id from users where lower(username) = lower($1) and deleted_at is null',
} as const;

/** Invites people into teams and projects, for those who asked the policy whether the caller may. */
export class InvitingService {
  readonly #on: InvitingDependencies;

  constructor(dependencies: InvitingDependencies) {
    this.#on = dependencies;
  }

  /**
   * Writes the invitation, and for somebody who is named a member of status invited; tells and mails. NOT_FOUND where there
   * is nothing to invite to, or nobody of that name; CONFLICT where the person is in it already; QUOTA_EXCEEDED where no
   * more fit, which the lock makes true however many ask at once.
   */
  async invite(trx: Knex.Transaction, call: Call, target: Target, named: Named, role: Role): Promise<Invited & { readonly userId: string }>;
  async invite(trx: Knex.Transaction, call: Call, target: Target, named: Named, role: Role): Promise<Invited>;
  async invite(trx: Knex.Transaction, call: Call, target: Target, named: Named, role: Role): Promise<Invited> {
    const inviterId = requireSelf(call);
    const memberships = this.#on.memberships[target.type];
    const held = await memberships.lock(trx, target.id);
    if (held === undefined) throw notFound();
    await memberships.dropInvited(trx, held.id, await this.#on.invitations.lapse(trx, target));
    const userId = named.by === 'email' ? null : await this.#person(trx, named.by, named.value);
    await (userId === null ? this.#refuseKnownAddress(trx, target, named.value) : this.#refuseKnown(trx, target, userId, named));
    await this.#requireRoom(trx, call, memberships, held);
    await (userId === null ? this.#refuseManyMails(trx, named.value, inviterId) : this.#refuseManyAsks(trx, userId, inviterId));
    const id = await this.#on.invitations.add(trx, target, userId === null ? { email: named.value } : { userId }, role, inviterId);
    if (userId === null) await sendMail(trx, 'invitations.invited', { invitation_id: id });
    else await memberships.addInvited(trx, held.id, userId, role);
    await this.#tell(trx, target, held, { id, userId, role, inviterId });
    return { invitationId: id, userId };
  }

  /** Asks a person to take a locked project over; replaces the question to another. */
  async askNewOwner(trx: Knex.Transaction, call: Call, project: LockedTarget, personId: string): Promise<Invited & { readonly userId: string }> {
    const [inviterId, userId] = [requireSelf(call), await this.#person(trx, 'user_id', personId)];
    const target: Target = { type: 'project', id: project.id };
    await this.#refuseManyAsks(trx, userId, inviterId);
    await this.#on.invitations.revokeTransfersOf(trx, [project.id]);
    const id = await this.#on.invitations.add(trx, target, { userId }, 'owner', inviterId);
    await this.#tell(trx, target, project, { id, userId, role: 'owner', inviterId });
    return { invitationId: id, userId };
  }

  /** The person of this id or name; NOT_FOUND where there is none. */
  async #person(trx: Knex.Transaction, by: 'user_id' | 'username', value: string): Promise<string> {
    const [person] = await this.#on.db.namedIn<{ id: string }>(trx, `invitations.person_by_${by}`, personSql[by], [value]);
    if (person === undefined) throw notFound();
    return person.id;
  }

  async #refuseKnown(trx: Knex.Transaction, { type, id }: Target, userId: string, { by }: Named): Promise<void> {
    const standing = await this.#on.memberships[type].standingOf(trx, id, userId);
    if (standing !== null) throw known(standing, by);
  }

  /**
   * An address is not looked up among accounts, with one exception: who accepted to be a member is one, by whatever name.
   * Somebody who was only invited never agreed to be found by an address.
   */
  async #refuseKnownAddress(trx: Knex.Transaction, { type, id }: Target, email: string): Promise<void> {
    const open = await trx('invitations').where({ [type === 'team' ? 'team_id' : 'project_id']: id, status: 'pending' }).whereRaw('lower(email) = lower(?)', [email]).first('id');
    if (open !== undefined) throw known('invited', 'email');
    if (await this.#on.memberships[type].hasAddress(trx, id, email)) throw known('active', 'email');
  }

  async #requireRoom(trx: Knex.Transaction, call: Call, memberships: Memberships, held: LockedTarget): Promise<void> {
    const [payer] = await this.#on.db.namedIn<{ tier: Tier }>(trx, 'invitations.payer', `select ${effectiveTierSql} as tier from users u where u.id = $1`, [held.payer_id]);
    const tier = payer?.tier ?? 'free';
    const { team_members: allowed } = await this.#on.tiers.limitsOf(tier);
    if (allowed === null) return;
    const used = await memberships.countPeople(trx, held.id);
    if (used < allowed) return;
    const refusal = await this.#on.tiers.quotaExceeded('team_members', tier, used);
    if (held.payer_id === requireSelf(call)) throw refusal;
    throw new ServiceError('QUOTA_EXCEEDED', `The owner's tier (${tier}) allows ${allowed} people here. Make room, or ask the owner.`, { details: refusal.details });
  }

  async #refuseManyMails(trx: Knex.Transaction, email: string, inviterId: string): Promise<void> {
    const [mailed] = await this.#on.db.namedIn<Record<keyof typeof mailsPerHour, number>>(trx, 'invitations.mailed', mailedSql, [email, inviterId]);
    if (mailed === undefined || (mailed.to_address < mailsPerHour.to_address && mailed.by_inviter < mailsPerHour.by_inviter)) return;
    throw tooMany('Many invitations were mailed within the hour. Try again later.');
  }

  async #refuseManyAsks(trx: Knex.Transaction, userId: string, inviterId: string): Promise<void> {
    const [row] = await this.#on.db.namedIn<{ asked: number }>(trx, 'invitations.asked', askedSql, [userId, inviterId]);
    if ((row?.asked ?? 0) >= asksPerHour) throw tooMany('You asked this person many times within the hour. Try again later.');
  }

  /** Never the address: who hangs on the event reads the row. */
  async #tell(trx: Knex.Transaction, target: Target, held: LockedTarget, made: { id: string; userId: string | null; role: Role; inviterId: string }): Promise<void> {
    await emit(trx, {
      type: 'invitation.created', entityId: made.id, projectId: target.type === 'project' ? held.id : null, userId: made.inviterId,
      data: { invitation_id: made.id, target_type: target.type, target_id: held.id, target_name: held.name, role: made.role, user_id: made.userId, actor_id: made.inviterId },
    });
  }
}

const tooMany = (message: string): ServiceError =>
  new ServiceError('RATE_LIMITED', message, { details: { limit: 'invitation_mails', retry_after: 3600 }, retryAfterSeconds: 3600 });

const known = (standing: 'active' | 'invited', field: Named['by']): ServiceError =>
  new ServiceError('CONFLICT', standing === 'active' ? 'That is a member already.' : 'That person is invited already.', { details: { field } });

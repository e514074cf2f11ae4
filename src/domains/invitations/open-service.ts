import type { Knex } from 'knex';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { MailedTokens } from '#platform/tokens/mailed-tokens.ts';
import type { Target } from '../memberships.ts';
import type { Role } from '../policy.ts';

/** Whom an invitation names. */
export type Invitee = { readonly userId: string } | { readonly email: string };

const column = { team: 'team_id', project: 'project_id' } as const;

/** The rows of open invitations. Every method belongs into a transaction that holds the lock of what they are to. */
export class OpenInvitationService {
  readonly #db: Database;
  readonly #tokens: MailedTokens;
  readonly #asksVerification: boolean;

  /** @param asksVerification addresses count as somebody's only once they are confirmed */
  constructor(db: Database, tokens: MailedTokens, asksVerification: boolean) {
    this.#db = db;
    this.#tokens = tokens;
    this.#asksVerification = asksVerification;
  }

  /** Writes one, open for seven days; answers its id. */
  async add(trx: Knex.Transaction, target: Target, invitee: Invitee, role: Role, invitedBy: string): Promise<string> {
    const id = newId();
    await trx('invitations').insert({
      id, [column[target.type]]: target.id, role, invited_by: invitedBy, expires_at: trx.raw("now() + interval '7 days'"),
      ...('email' in invitee ? { email: invitee.email, token_hash: this.#tokens.hashFor('invitation', id) } : { user_id: invitee.userId }),
    });
    return id;
  }

  /** Ends those whose time is over; answers whom they named as members, where they named a person. */
  async lapse(trx: Knex.Transaction, target: Target): Promise<string[]> {
    const rows = await this.#db.namedIn<{ user_id: string | null; role: Role }>(trx, `invitations.lapse_of_${target.type}`, `
      update invitations set status = 'expired'
       where ${column[target.type]} = $1 and status = 'pending' and expires_at <= now() returning user_id, role`, [target.id]);
    return rows.flatMap(({ user_id: userId, role }) => (role === 'owner' ? [] : userId ?? []));
  }

  /** Takes back those that name a person, a transfer to the person among them. */
  async revokeOf(trx: Knex.Transaction, target: Target, userId: string): Promise<void> {
    await revoke(trx, trx('invitations').where({ [column[target.type]]: target.id, user_id: userId }));
  }

  /**
   * Takes back what was mailed to the address of a member who leaves: whoever is out does not come back by a link from
   * before. Of members alone: taking back an invitation tells nobody whose an address is.
   */
  async revokeMailedTo(trx: Knex.Transaction, target: Target, userId: string): Promise<void> {
    await revoke(trx, trx('invitations').where({ [column[target.type]]: target.id }).whereRaw(...this.#isAddressOf(userId)));
  }

  /** Takes back every open one that names a person, whatever it is to. */
  async revokeAllOf(trx: Knex.Transaction, userId: string): Promise<void> {
    await revoke(trx, trx('invitations').where({ user_id: userId }));
  }

  /** Takes back those to a member who leaves, by name or address, that are to a project of the team. */
  async revokeInProjectsOf(trx: Knex.Transaction, teamId: string, userId: string): Promise<void> {
    const ofPerson: Knex.QueryCallback = (to) => void to.where({ user_id: userId }).orWhereRaw(...this.#isAddressOf(userId));
    await revoke(trx, trx('invitations').where(ofPerson).whereIn('project_id', trx('projects').where({ team_id: teamId }).select('id')));
  }

  /** Takes back the transfers of these projects: who asked for them owns them no more, or asks anew. */
  async revokeTransfersOf(trx: Knex.Transaction, projectIds: readonly string[]): Promise<void> {
    if (projectIds.length > 0) await revoke(trx, trx('invitations').whereIn('project_id', projectIds).where({ role: 'owner' }));
  }

  /** Lets the open one that names a person promise another role. */
  async changeRole(trx: Knex.Transaction, target: Target, userId: string, role: Role): Promise<void> {
    await trx('invitations').where({ [column[target.type]]: target.id, user_id: userId, status: 'pending' }).update({ role });
  }

  #isAddressOf(userId: string): [string, [string, boolean]] {
    return ['lower(email) = (select lower(u.email) from users u where u.id = ? and (u.email_verified_at is not null or not ?::boolean))', [userId, this.#asksVerification]];
  }
}

const revoke = (trx: Knex.Transaction, which: Knex.QueryBuilder): Promise<unknown> =>
  which.where({ status: 'pending' }).update({ status: 'revoked', responded_at: trx.fn.now() });

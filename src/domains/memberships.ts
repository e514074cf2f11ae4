/**
 * What people are invited into and belong to: teams and projects, each with members in a table of its own. Whoever changes
 * who belongs to one locks it first, so that all such changes of one come one after the other: the order of locks is the
 * team's or project's row, its invitations, its members, accounts.
 */
import type { Knex } from 'knex';
import type { Call } from '#platform/call.ts';
import type { Role } from './policy.ts';

export type TargetType = 'team' | 'project';
export interface Target { readonly type: TargetType; readonly id: string }

/** A team or project whose row is locked until the commit. */
export interface LockedTarget {
  readonly id: string;
  readonly name: string;
  /** Whose tier says how many may belong to it. */
  readonly payer_id: string;
}

export interface Memberships {
  /** Locks it; undefined where it is gone. */
  lock(trx: Knex.Transaction, id: string): Promise<LockedTarget | undefined>;
  /** What this person is in it; null for a stranger. */
  standingOf(trx: Knex.Transaction, id: string, userId: string): Promise<'active' | 'invited' | null>;
  /** Whether one of its active members has this address; only confirmed ones count where addresses have to be. */
  hasAddress(trx: Knex.Transaction, id: string, email: string): Promise<boolean>;
  /** How many people are in it, invited ones counted. */
  countPeople(trx: Knex.Transaction, id: string): Promise<number>;
  /** Makes a member without access, until the person accepts. */
  addInvited(trx: Knex.Transaction, id: string, userId: string, role: Role): Promise<void>;
  /** Makes an active member, or of an active one what is more of the two roles. */
  join(trx: Knex.Transaction, call: Call, id: string, userId: string, role: Role): Promise<void>;
  /** Forgets members who were only invited. */
  dropInvited(trx: Knex.Transaction, id: string, userIds: readonly string[]): Promise<void>;
}

/** Team and project members keep their roles as the requirements write them: `Owner`. */
export const storedRole = (role: Role): 'Owner' | 'Admin' | 'Member' => ({ owner: 'Owner', admin: 'Admin', member: 'Member' } as const)[role];

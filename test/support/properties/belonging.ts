/** Teams, people and invitations for the property tests: stand-ins to draw with, and the real things, each made anew for its request. */
import { randomUUID } from 'node:crypto';
import type { Person, System } from '../system.ts';

const standIns = {
  team: '00000000-0000-4000-8000-00000000f001',
  user: '00000000-0000-4000-8000-00000000f002',
  invitation: '00000000-0000-4000-8000-00000000f003',
} as const;

/** What a request may name, by the field it stands in. */
export const existingBelonging = { team_id: standIns.team, target_id: standIns.team, user_id: standIns.user, invitation_id: standIns.invitation } as const;

/** Of the invitations that are asked about, one in so many has ended in each of these ways. */
const statuses = ['pending', 'pending', 'accepted', 'declined', 'revoked', 'expired'] as const;
let made = 0;

export class BelongingThings {
  readonly #system: System;
  readonly #owner: Person;
  readonly #other: Person;

  /** @param owner sends the requests; @param other is whose invitations the owner answers */
  constructor(system: System, owner: Person, other: Person) {
    this.#system = system;
    this.#owner = owner;
    this.#other = other;
  }

  /** Makes the person whom the contract's examples invite. */
  async open(): Promise<void> {
    await this.#account('01920000-0000-7000-8000-000000000002', 'ben');
  }

  /** The real things for the stand-ins that a request holds: a team of the owner's, somebody who is in it and in the project named, an invitation. */
  async realFor(request: string, method: string, projectId: string | undefined): Promise<Map<string, string>> {
    const real = new Map<string, string>();
    if (request.includes(standIns.user)) real.set(standIns.user, await this.#somebody());
    if (request.includes(standIns.team)) real.set(standIns.team, await this.#team(this.#owner));
    const [user, team] = [real.get(standIns.user), real.get(standIns.team)];
    if (user !== undefined && team !== undefined && method !== 'post') await this.#join('team_members', 'team_id', team, user, 'Member');
    if (user !== undefined && projectId !== undefined && method === 'delete') await this.#join('project_members', 'project_id', projectId, user, 'Member');
    if (request.includes(standIns.invitation)) real.set(standIns.invitation, await this.#invitation(method === 'delete'));
    return real;
  }

  #somebody(): Promise<string> {
    return this.#account(randomUUID(), `s${randomUUID().slice(0, 12)}`);
  }

  /** An account that nobody signs in to. */
  async #account(id: string, username: string): Promise<string> {
    await this.#system.sql("insert into users (id, email, username, password_hash) values ($1, $2, $3, 'none')", [id, `${username}@example.com`, username]);
    await this.#system.sql('insert into user_profiles (user_id) values ($1)', [id]);
    return id;
  }

  async #team({ tokens }: Person): Promise<string> {
    const id = randomUUID();
    await this.#system.sql('insert into teams (id, owner_id, name) values ($1, $2, $3)', [id, tokens.user.id, 'Made for one request']);
    await this.#join('team_members', 'team_id', id, tokens.user.id, 'Owner');
    return id;
  }

  #join(table: string, column: string, id: string, userId: string, role: string): Promise<unknown> {
    return this.#system.sql(`insert into ${table} (id, ${column}, user_id, role) values ($1, $2, $3, $4)`, [randomUUID(), id, userId, role]);
  }

  /** One the owner sent, or one it got. */
  async #invitation(isSent: boolean): Promise<string> {
    made += 1;
    const status = statuses[made % statuses.length] ?? 'pending';
    const [by, to] = isSent ? [this.#owner.tokens.user.id, await this.#somebody()] : [this.#other.tokens.user.id, this.#owner.tokens.user.id];
    const id = randomUUID();
    await this.#system.sql(`
      insert into invitations (id, team_id, user_id, role, invited_by, status, expires_at, responded_at)
      values ($1, $2, $3, 'member', $4, $5, now() + case $5 when 'expired' then interval '-1 day' else interval '7 days' end, case when $5 in ('accepted', 'declined', 'revoked') then now() end)`,
    [id, await this.#team(isSent ? this.#owner : this.#other), to, by, status]);
    return id;
  }
}

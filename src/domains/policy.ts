/**
 * Who may do what, in one place. A service method's first line asks here, on a set of ids, with one query; the answer
 * marks the call, and the pipeline sends no answer of a call that was never marked.
 *
 * | caller                         | role in a project                              | role in a team                       |
 * | ------------------------------ | ---------------------------------------------- | ------------------------------------ |
 * | the project's owner            | owner                                          | -                                    |
 * | active member of the team      | Owner → owner, Admin → admin, Member → member  | Owner → owner, Admin → admin, Member → member |
 * | active project member          | Owner → owner, Member → member                 | -                                    |
 * | somebody invited               | none until it is accepted                      | none until it is accepted            |
 * | API key                        | its owner's                                    | its owner's                          |
 * | API key for certain projects   | its owner's in those, none in others           | none                                 |
 * | anybody else                   | none: the project does not exist for them      | none: the team does not exist for them |
 *
 * The higher counts where somebody has two. A platform admin has no role in what is other people's. An archived project
 * is its members' as before; a deleted one is nobody's.
 */
import type { Knex } from 'knex';
import type { Call, PolicyMark } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';

/** Lowest first. */
export const roles = ['member', 'admin', 'owner'] as const;
export type Role = (typeof roles)[number];
export type ProjectRole = Role;

/** What a role is held in: the first word of `x-roles`. */
export type Realm = 'project' | 'team';

export interface TeamAccess {
  readonly id: string;
  readonly teamId: string;
  readonly ownerId: string;
  readonly role: Role;
}
export interface ProjectAccess {
  readonly id: string;
  readonly projectId: string;
  readonly ownerId: string;
  readonly role: Role;
}

/**
 * How each kind of thing leads to what its roles are held in: the table its id lives in, hidden rows left out. `names`
 * are the parameters by which the contract's `x-resource` names one, in the part of the API whose paths begin with `below`.
 */
export const resources = {
  project: {
    realm: 'project', names: ['path.project_id', 'body.project_id'], below: '/',
    held: 'select id, id as held_in from projects where id = any($1::uuid[])',
  },
  preview_job: {
    realm: 'project', names: ['path.job_id', 'body.job_id'], below: '/preview/',
    held: 'select id, project_id as held_in from preview_jobs where id = any($1::uuid[]) and deleted_at is null',
  },
  live_session: {
    realm: 'project', names: ['path.live_id'], below: '/preview/',
    held: 'select id, project_id as held_in from live_sessions where id = any($1::uuid[])',
  },
  preview_share: {
    realm: 'project', names: ['path.share_id'], below: '/preview/',
    held: `select s.id, s.project_id as held_in from preview_shares s join preview_jobs j on j.id = s.job_id and j.deleted_at is null
            where s.id = any($1::uuid[]) and s.revoked_at is null`,
  },
  task: {
    realm: 'project', names: ['path.task_id'], below: '/',
    held: 'select id, project_id as held_in from tasks where id = any($1::uuid[])',
  },
  comment: {
    realm: 'project', names: ['path.comment_id'], below: '/',
    held: 'select id, project_id as held_in from comments where id = any($1::uuid[])',
  },
  label: {
    realm: 'project', names: ['path.label_id'], below: '/',
    held: 'select id, project_id as held_in from task_labels where id = any($1::uuid[])',
  },
  attachment: {
    realm: 'project', names: ['path.attachment_id'], below: '/',
    held: 'select id, (select t.project_id from tasks t where t.id = task_id) as held_in from task_attachments where id = any($1::uuid[])',
  },
  webhook: {
    realm: 'project', names: ['path.webhook_id'], below: '/',
    held: 'select id, project_id as held_in from webhook_endpoints where id = any($1::uuid[]) and deleted_at is null',
  },
  webhook_delivery: {
    realm: 'project', names: ['path.delivery_id'], below: '/',
    held: `select d.id, e.project_id as held_in from webhook_deliveries d join webhook_endpoints e on e.id = d.webhook_id and e.deleted_at is null
            where d.id = any($1::uuid[])`,
  },
  team: {
    realm: 'team', names: ['path.team_id'], below: '/',
    held: 'select id, id as held_in from teams where id = any($1::uuid[])',
  },
  // What an invitation is to decides its realm. Whoever may invite there has to do with it, and the person it is to: requireInvitation.
  project_invitation: {
    realm: 'project', names: ['path.invitation_id'], below: '/invitations/',
    held: 'select id, project_id as held_in from invitations where id = any($1::uuid[])',
  },
  team_invitation: {
    realm: 'team', names: ['path.invitation_id'], below: '/invitations/',
    held: 'select id, team_id as held_in from invitations where id = any($1::uuid[])',
  },
} as const satisfies Readonly<Record<string, {
  readonly realm: Realm; readonly names: readonly string[]; readonly below: string; readonly held: string;
}>>;
export type Resource = keyof typeof resources;
/** What a call on a resource is told: of teams their id, of everything in a project the project's. */
export type AccessTo<R extends Resource> = (typeof resources)[R]['realm'] extends 'team' ? TeamAccess : ProjectAccess;

/** Rows of (id, held_in, owner_id, rank of the caller's role) for what is there; $1 the ids, $2 the person. */
const accessSql: Readonly<Record<Realm, (held: string) => string>> = {
  project: (held) => `
    select r.id, p.id as held_in, p.owner_id,
           greatest(
             case when p.owner_id = $2 then 3 end,
             case tm.role when 'Owner' then 3 when 'Admin' then 2 when 'Member' then 1 end,
             case pm.role when 'Owner' then 3 when 'Member' then 1 end) as rank
      from (${held}) r
      join projects p on p.id = r.held_in and p.deleted_at is null
      left join team_members tm on tm.team_id = p.team_id and tm.user_id = $2 and tm.status = 'active'
      left join project_members pm on pm.project_id = p.id and pm.user_id = $2 and pm.status = 'active'`,
  team: (held) => `
    select r.id, t.id as held_in, t.owner_id,
           case tm.role when 'Owner' then 3 when 'Admin' then 2 when 'Member' then 1 end as rank
      from (${held}) r
      join teams t on t.id = r.held_in
      left join team_members tm on tm.team_id = t.id and tm.user_id = $2 and tm.status = 'active'`,
};

interface AccessRow { readonly id: string; readonly held_in: string; readonly owner_id: string; readonly rank: 1 | 2 | 3 | null }

/** What the pipeline wants to see of an operation on a thing: that somebody asked about that thing. */
const onResource: PolicyMark = { allowed: true, onResource: true };

const rankOf = (role: Role): number => roles.indexOf(role) + 1;

/** The id of the person behind the call; AUTH_INVALID where nobody is. For operations on the caller's own things. */
export function requireSelf(call: Call): string {
  if (call.caller.kind !== 'user' && call.caller.kind !== 'api_key') {
    throw new ServiceError('AUTH_INVALID', 'Sign in first.');
  }
  call.policy.allowed = true;
  return call.caller.userId;
}

/** A platform admin, read from the account by the pipeline at this request; FORBIDDEN for everybody else. */
export function requireAdmin(call: Call): string {
  if (call.caller.kind !== 'user' || call.caller.tier !== 'admin') {
    throw new ServiceError('FORBIDDEN', 'This is for administrators.');
  }
  call.policy.allowed = true;
  return call.caller.userId;
}

/** How long a sign-in counts as recent: for what would help a thief of an open session most. */
const recentMs = 15 * 60_000;

/** The signed-in person, who proved who it is within the last 15 minutes; FORBIDDEN with `reason` where not. */
export function requireRecentSignIn(call: Call, nowMs: number): string {
  const { caller } = call;
  if (caller.kind !== 'user') throw new ServiceError('AUTH_INVALID', 'Sign in first.');
  if (nowMs - caller.authenticatedAtMs > recentMs) {
    throw new ServiceError('FORBIDDEN', 'This asks for a sign-in younger than 15 minutes. Sign in again.', {
      details: { reason: 'recent_sign_in_required' },
    });
  }
  call.policy.allowed = true;
  return caller.userId;
}

/** Somebody whose email address is confirmed (where the deployment asks for that): for what reaches other people. */
export function requireVerified(call: Call): string {
  if ('isVerified' in call.caller && !call.caller.isVerified) throw unconfirmed();
  return requireSelf(call);
}

const unconfirmed = (): ServiceError => new ServiceError('FORBIDDEN', 'Confirm your email address first: the mail with the link can be sent again.', {
  details: { reason: 'email_not_verified' },
});

/**
 * Allows the call on every one of `ids`, or throws: NOT_FOUND when any is missing or hidden from the caller, FORBIDDEN
 * when all are seen and the role in one is below `least` (default: what `x-roles` says). One query however many ids.
 */
export async function requireRole<R extends Resource>(
  db: Pick<Database, 'named'>,
  call: Call,
  resource: R,
  ids: readonly string[],
  least: Role = leastOf(call, resource),
): Promise<readonly AccessTo<R>[]> {
  const access = await findAccess(db, call, resource, ids);
  if (access.length !== new Set(ids.map((id) => id.toLowerCase())).size) throw notFound();
  if (access.some((one) => rankOf(one.role) < rankOf(least))) {
    throw new ServiceError('FORBIDDEN', `This takes the role ${least} in the ${resources[resource].realm}.`);
  }
  Object.assign(call.policy, onResource);
  return access;
}

/** The same for one id. */
export async function requireRoleOn<R extends Resource>(
  db: Pick<Database, 'named'>,
  call: Call,
  resource: R,
  id: string,
  least?: Role,
): Promise<AccessTo<R>> {
  const [access] = await requireRole(db, call, resource, [id], least);
  if (access === undefined) throw notFound();
  return access;
}

/**
 * The same once more, behind the locks of a transaction: who asked may have lost the role while it waited for them. For
 * what an owner or admin alone may do and nobody can undo.
 */
export async function requireRoleStill<R extends Resource>(
  db: Pick<Database, 'namedIn'>,
  trx: Knex.Transaction,
  call: Call,
  resource: R,
  id: string,
  least?: Role,
): Promise<AccessTo<R>> {
  return requireRoleOn({ named: (name, sql, values) => db.namedIn(trx, name, sql, values) }, call, resource, id, least);
}

/** The invitation of $1 as $2 sees it: the role in what it is to, whether it names the person, and whether it went to the person's address. */
const invitationSql = `
  select a.rank, coalesce(i.user_id = $2, false) as is_named, coalesce(lower(i.email) = lower(u.email), false) as is_addressed
    from (${accessSql.project(resources.project_invitation.held)} union all ${accessSql.team(resources.team_invitation.held)}) a
    join invitations i on i.id = a.id
    join users u on u.id = $2`;

interface InvitationView { readonly rank: 1 | 2 | 3 | null; readonly is_named: boolean; readonly is_addressed: boolean }

/**
 * Allows the call of whoever may invite to what the invitation is to, or of the person it is to, whichever is asked for.
 * Either of the two sees it and is answered FORBIDDEN where the other is asked for; for everybody else there is none. An
 * address counts when it is confirmed. One query.
 */
export async function requireInvitation(db: Pick<Database, 'named'>, call: Call, id: string, as: 'inviter' | 'invited'): Promise<void> {
  const { caller } = call;
  const [view] = caller.kind === 'user' ? await db.named<InvitationView>('policy.invitation', invitationSql, [[id], caller.userId]) : [];
  if (caller.kind !== 'user' || view === undefined) throw notFound();
  const isInviter = (view.rank ?? 0) >= rankOf('admin');
  const isInvited = view.is_named || (view.is_addressed && caller.isVerified);
  if (as === 'inviter' ? isInviter : isInvited) {
    Object.assign(call.policy, onResource);
    return;
  }
  if (as === 'invited' && view.is_addressed) throw unconfirmed();
  if (isInviter) throw new ServiceError('FORBIDDEN', 'This invitation is to somebody else, who answers it.');
  if (isInvited || view.is_addressed) throw new ServiceError('FORBIDDEN', 'This invitation is to you: decline it instead.');
  throw notFound();
}

async function findAccess<R extends Resource>(
  db: Pick<Database, 'named'>,
  { caller }: Call,
  resource: R,
  ids: readonly string[],
): Promise<AccessTo<R>[]> {
  if (caller.kind !== 'user' && caller.kind !== 'api_key') return [];
  const { realm, held } = resources[resource];
  const fence = caller.kind === 'api_key' ? caller.projectIds : null;
  if (realm === 'team' && fence !== null) return [];
  const rows = await db.named<AccessRow>(`policy.${resource}`, accessSql[realm](held), [ids, caller.userId]);
  return rows.flatMap(({ id, held_in: heldIn, owner_id: ownerId, rank }) => {
    const role = rank === null ? undefined : roles[rank - 1];
    if (role === undefined || (fence !== null && !fence.includes(heldIn))) return [];
    // The realm decides which of the two it is, which the compiler cannot follow from the resource's name.
    return [{ id, ownerId, role, ...(realm === 'team' ? { teamId: heldIn } : { projectId: heldIn }) } as AccessTo<R>];
  });
}

/** Marks a call whose right lies in its credential alone: a worker's lease, a preview token. Say why where it is called. */
export function allowByCredential(call: Call): void {
  Object.assign(call.policy, onResource);
}

/** The least role that `x-roles` names, `team:admin` for instance; a service that asks about something else is a fault. */
function leastOf(call: Call, resource: Resource): Role {
  const [realm, name] = call.roles?.split(':') ?? [];
  const role = roles.find((one) => one === name);
  if (role === undefined || realm !== resources[resource].realm) {
    throw new Error(`${call.operationId} asks for no role in a ${resources[resource].realm}; say which is the least.`);
  }
  return role;
}

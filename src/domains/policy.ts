/**
 * Who may do what, in one place. A service method's first line asks here, on a set of ids, with one query; the answer
 * marks the call, and the pipeline sends no answer of a call that was never marked.
 *
 * | caller                         | project role                                   |
 * | ------------------------------ | ---------------------------------------------- |
 * | the project's owner            | owner                                          |
 * | active member of its team      | Owner → owner, Admin → admin, Member → member  |
 * | active project member          | Owner → owner, Member → member                 |
 * | API key                        | its owner's role, within the key's projects    |
 * | anybody else                   | none: the project does not exist for them      |
 *
 * A platform admin has no role in other people's projects.
 */
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';

export type ProjectRole = 'member' | 'admin' | 'owner';
export interface ProjectAccess {
  readonly id: string;
  readonly projectId: string;
  readonly ownerId: string;
  readonly role: ProjectRole;
}

const rank: Readonly<Record<ProjectRole, number>> = { member: 1, admin: 2, owner: 3 };

/** How each kind of thing leads to its project: the table its id lives in. `project` is its own. */
const resources = {
  project: 'select id, id as project_id from projects where id = any($1::uuid[])',
  preview_job: 'select id, project_id from preview_jobs where id = any($1::uuid[]) and deleted_at is null',
} as const;
export type Resource = keyof typeof resources;

const accessSql = (of: string): string => `
  select r.id, p.id as project_id, p.owner_id,
         case greatest(
           case when p.owner_id = $2 then 3 end,
           case tm.role when 'Owner' then 3 when 'Admin' then 2 when 'Member' then 1 end,
           case pm.role when 'Owner' then 3 when 'Member' then 1 end)
         when 3 then 'owner' when 2 then 'admin' when 1 then 'member' end as role
    from (${of}) r
    join projects p on p.id = r.project_id and p.deleted_at is null
    left join team_members tm on tm.team_id = p.team_id and tm.user_id = $2 and tm.status = 'active'
    left join project_members pm on pm.project_id = p.id and pm.user_id = $2 and pm.status = 'active'`;

interface AccessRow { id: string; project_id: string; owner_id: string; role: ProjectRole | null }

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
  const userId = requireSelf(call);
  if ('isVerified' in call.caller && !call.caller.isVerified) {
    throw new ServiceError('FORBIDDEN', 'Confirm your email address first: the mail with the link can be sent again.', {
      details: { reason: 'email_not_verified' },
    });
  }
  return userId;
}

/**
 * Allows the call on every one of `ids`, or throws: NOT_FOUND when any is missing or hidden from the caller, FORBIDDEN
 * when it is seen and the role is below `least` (default: what `x-roles` says). One query however many ids.
 */
export async function requireRole(
  db: Database,
  call: Call,
  resource: Resource,
  ids: readonly string[],
  least: ProjectRole = leastOf(call),
): Promise<readonly ProjectAccess[]> {
  const access = await findAccess(db, call, resource, ids);
  if (access.length !== new Set(ids).size) throw notFound();
  if (access.some((one) => rank[one.role] < rank[least])) {
    throw new ServiceError('FORBIDDEN', `This takes the role ${least} in the project.`);
  }
  call.policy.allowed = true;
  return access;
}

/** The same for one id. */
export async function requireRoleOn(
  db: Database,
  call: Call,
  resource: Resource,
  id: string,
  least?: ProjectRole,
): Promise<ProjectAccess> {
  const [access] = await requireRole(db, call, resource, [id], least ?? leastOf(call));
  if (access === undefined) throw notFound();
  return access;
}

async function findAccess(
  db: Database,
  call: Call,
  resource: Resource,
  ids: readonly string[],
): Promise<ProjectAccess[]> {
  const { caller } = call;
  if (caller.kind !== 'user' && caller.kind !== 'api_key') return [];
  const rows = await db.named<AccessRow>(`policy.${resource}`, accessSql(resources[resource]), [ids, caller.userId]);
  const fenced = caller.kind === 'api_key' ? caller.projectIds : null;
  return rows.flatMap((row) =>
    row.role === null || (fenced !== null && !fenced.includes(row.project_id))
      ? []
      : [{ id: row.id, projectId: row.project_id, ownerId: row.owner_id, role: row.role }],
  );
}

/** Marks a call whose right lies in its credential alone: a worker's lease, a preview token. Say why where it is called. */
export function allowByCredential(call: Call): void {
  call.policy.allowed = true;
}

function leastOf(call: Call): ProjectRole {
  const role = call.roles?.split(':')[1];
  return role === 'owner' || role === 'admin' ? role : 'member';
}

/** Accounts as the rest of the system reads them. */
import type { User } from '#generated/sdk/types.gen.ts';
import type { Tier } from '#platform/call.ts';

/** Whether an admin's override stands, over a `users u`: until it is lifted, or its date has come. */
export const overrideStandsSql = '(u.tier_override is not null and (u.tier_override_until is null or u.tier_override_until > now()))';

/**
 * The effective tier in SQL, over a `users u`: an admin's override while it stands, else the account's own.
 * Read at each request, so that a change holds from the next one on.
 */
export const effectiveTierSql = `case when ${overrideStandsSql} then u.tier_override else u.tier end`;

const userColumns = `
  u.id, u.email, u.username, u.email_verified_at, u.pending_email, u.last_login, u.created_at, u.updated_at, u.row_version,
  ${effectiveTierSql} as tier, u.mfa_enabled_at is not null as mfa_enabled,
  p.display_name, p.avatar_url, p.searchable, p.row_version as profile_version, greatest(u.updated_at, p.updated_at) as changed_at`;

export const userByIdSql = `
  select ${userColumns} from users u join user_profiles p on p.user_id = u.id where u.id = $1 and u.deleted_at is null`;

/** By email or username, whichever was typed; both are unique without regard to case. */
export const userByLoginSql = `
  select ${userColumns}, u.password_hash, u.suspended_at
    from users u join user_profiles p on p.user_id = u.id
   where (lower(u.email) = lower($1) or lower(u.username) = lower($1)) and u.deleted_at is null`;

export interface UserRow extends User { readonly row_version: number; readonly profile_version: number; readonly changed_at: string }
export interface LoginRow extends UserRow { readonly password_hash: string; readonly suspended_at: string | null }

/** The profile is a row of its own, and the tier may change by time alone: both are part of what is seen. */
export const etagOfUser = (row: UserRow): string => `${row.row_version}-${row.profile_version}-${row.tier}`;

/** The account as its owner sees it. */
export function presentUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    username: row.username,
    display_name: row.display_name,
    avatar_url: row.avatar_url,
    tier: row.tier satisfies Tier,
    email_verified_at: row.email_verified_at,
    pending_email: row.pending_email,
    mfa_enabled: row.mfa_enabled,
    searchable: row.searchable,
    last_login: row.last_login,
    created_at: row.created_at,
    updated_at: row.changed_at,
  };
}

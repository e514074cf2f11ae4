import type { AccountHoldings, AdminUser, AdminUserDetail } from '#generated/sdk/types.gen.ts';

/** An account as administrators see it. */
export function presentAccount(row: AdminUser): AdminUser {
  return {
    id: row.id,
    email: row.email,
    username: row.username,
    display_name: row.display_name,
    tier: row.tier,
    tier_source: row.tier_source,
    tier_override: row.tier_override,
    tier_override_until: row.tier_override_until,
    subscription_tier: row.subscription_tier,
    email_verified_at: row.email_verified_at,
    mfa_enabled: row.mfa_enabled,
    suspended_at: row.suspended_at,
    suspended_reason: row.suspended_reason,
    deleted_at: row.deleted_at,
    last_login: row.last_login,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

export const presentDetail = (row: AdminUser & { readonly holdings: AccountHoldings }): AdminUserDetail =>
  ({ ...presentAccount(row), holdings: row.holdings });

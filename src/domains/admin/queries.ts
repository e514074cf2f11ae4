/** The SQL of the administration of accounts. An erased account is no account any more; its row only keeps its id. */
import type { Knex } from 'knex';
import type { Tier } from '#platform/call.ts';
import { countBound, type Keyset } from '#platform/paging.ts';
import { effectiveTierSql, overrideStandsSql } from '../users/accounts.ts';

const columns = `
  u.id, u.email, u.username, p.display_name, ${effectiveTierSql} as tier,
  case when ${overrideStandsSql} then 'override' when u.tier in ('pro', 'premium') then 'subscription' else 'default' end as tier_source,
  case when ${overrideStandsSql} then u.tier_override end as tier_override,
  case when ${overrideStandsSql} then u.tier_override_until end as tier_override_until,
  case when u.tier in ('pro', 'premium') then u.tier end as subscription_tier,
  u.email_verified_at, u.mfa_enabled_at is not null as mfa_enabled, u.suspended_at, u.suspended_reason, u.deleted_at,
  u.last_login, u.created_at, greatest(u.updated_at, p.updated_at) as updated_at`;

const fromUsers = 'from users u left join user_profiles p on p.user_id = u.id where u.erased_at is null';

export const accountSql = `select ${columns} ${fromUsers} and u.id = $1`;

/** The account and what it holds. AI jobs have no table yet: there are none. */
export const accountDetailSql = `
  select ${columns}, json_build_object(
    'projects', (select count(*) from projects r where r.owner_id = u.id and r.deleted_at is null),
    'teams', (select count(*) from team_members m where m.user_id = u.id and m.status = 'active'),
    'sessions', (select count(*) from sessions s where s.user_id = u.id and s.revoked_at is null and s.expires_at > now()),
    'api_keys', (select count(*) from api_keys k where k.user_id = u.id and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())),
    'preview_jobs_30d', (select count(*) from preview_jobs j where j.requested_by = u.id and j.created_at > now() - interval '30 days'),
    'ai_jobs_30d', 0) as holdings
  ${fromUsers} and u.id = $1`;

export interface AccountFilters {
  readonly q?: string | undefined;
  readonly tier?: string | undefined;
  readonly suspended?: boolean | undefined;
  readonly deleted?: boolean | undefined;
}

/** Accounts under these filters, without order or bounds. One builder serves page and count. */
function found(knex: Knex, { q, tier, suspended, deleted }: AccountFilters): Knex.QueryBuilder {
  const query = knex('users as u').whereNull('u.erased_at');
  if (q !== undefined) {
    const part = `%${q.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    // Two tables: an OR over a join could use neither's index.
    query.whereRaw(
      `u.id in (select id from users where lower(email) like ? or lower(username) like ?
                union all select user_id from user_profiles where lower(display_name) like ?)`, [part, part, part],
    );
  }
  if (tier !== undefined) query.whereRaw(`${effectiveTierSql} = ?`, [tier]);
  if (suspended !== undefined) query.whereRaw(`u.suspended_at is ${suspended ? 'not null' : 'null'}`);
  if (deleted !== undefined) query.whereRaw(`u.deleted_at is ${deleted ? 'not null' : 'null'}`);
  return query;
}

/** A page, newest first, one row more than asked for so that the caller knows whether there is a next one. */
export function listAccounts(
  knex: Knex, filters: AccountFilters, page: { readonly limit: number; readonly offset: number; readonly after: Keyset | null },
): Knex.QueryBuilder {
  const query = found(knex, filters)
    .leftJoin('user_profiles as p', 'p.user_id', 'u.id')
    .select(knex.raw(columns))
    .orderBy([{ column: 'u.created_at', order: 'desc' }, { column: 'u.id', order: 'desc' }])
    .limit(page.limit + 1)
    .offset(page.offset);
  if (page.after !== null) query.whereRaw('(u.created_at, u.id) < (?, ?)', [page.after.at, page.after.id]);
  return query;
}

export function countAccounts(knex: Knex, filters: AccountFilters): Knex.QueryBuilder {
  const bounded = found(knex, filters).select(knex.raw('1')).limit(countBound + 1).as('bounded');
  return knex.from(bounded).count({ total: '*' });
}

/** The account as it is changed, its row locked. */
export const lockAccountSql = `
  select u.id, ${effectiveTierSql} as tier, u.tier_override, u.tier_override_until, u.suspended_at, u.suspended_reason
    from users u where u.id = $1 and u.erased_at is null for no key update`;

export interface LockedAccount {
  readonly id: string;
  readonly tier: Tier;
  readonly tier_override: string | null;
  readonly tier_override_until: string | null;
  readonly suspended_at: string | null;
  readonly suspended_reason: string | null;
}

/** One change of who is an administrator at a time. Taken before any account's row. */
export const lockAdminsSql = "select pg_advisory_xact_lock(hashtext('admin.administrators'))";

/**
 * Who is an administrator now, and who of them stays one: whose right does not end by a date. Few rows: found by the two
 * columns that can give the tier.
 */
export const adminsSql = `
  select u.id, not (${overrideStandsSql}) or u.tier_override_until is null or u.tier = 'admin' as lasts
    from users u
   where (u.tier = 'admin' or u.tier_override = 'admin') and ${effectiveTierSql} = 'admin'
     and u.suspended_at is null and u.deleted_at is null`;

/** The SQL of signing in and staying signed in. */

const tokenSql = `
  select t.id, t.session_id, t.family, t.counter, t.used_at, t.expires_at,
         s.user_id, s.revoked_at, s.authenticated_at, d.device_id, d.device_name, u.suspended_at, u.deleted_at
    from refresh_tokens t
    join sessions s on s.id = t.session_id
    join users u on u.id = s.user_id
    left join device_sessions d on d.id = s.device_session_id`;

/** A refresh token with its session and account, locked: of two that present it at once, the second sees the first's mark. */
export const findTokenSql = `${tokenSql}
   where t.token_hash = $1
     for update of t, s`;

/** The newest token of a family, likewise: by it a session is found whose used token's own row is gone. */
export const findFamilySql = `${tokenSql}
   where t.family = $1 order by t.counter desc limit 1
     for update of t, s`;

export interface TokenRow {
  readonly id: string;
  readonly session_id: string;
  readonly family: string;
  readonly counter: number;
  readonly used_at: string | null;
  readonly expires_at: string;
  readonly user_id: string;
  readonly revoked_at: string | null;
  readonly authenticated_at: string;
  readonly device_id: string | null;
  readonly device_name: string | null;
  readonly suspended_at: string | null;
  readonly deleted_at: string | null;
}

/** Whether an account may be signed in to by what proved it a moment ago: the password is still that one. Locked till the commit. */
export const stillByPasswordSql = `
  select id from users where id = $1 and password_hash = $2 and suspended_at is null and deleted_at is null for no key update`;

/** The one who opens or ends sessions of an account holds its row: of both at once one is first, and the other sees what it did. */
export const lockAccountSql = 'select id from users where id = $1 and suspended_at is null and deleted_at is null for no key update';

/** A session that its person ended because it was not that person's: what it was on speaks for nobody. */
const disowned = "s.revoked_at is not null and coalesce(s.suspicious_reason in ('new_device_and_network', 'many_failures'), false)";

/**
 * Begins a sign-in: locks the account, stamps it, and says what is known of the device $2 and the network of $3 (a /24, a
 * /48 of IPv6). An account made in this very transaction has no history. No row where nobody may sign in to it.
 */
export const beginSignInSql = `
  with account as (${lockAccountSql.replace('select id', 'select id, last_login')}),
  stamped as (update users set last_login = now() from account where users.id = account.id)
  select coalesce(account.last_login < now()::timestamptz(3), false) as has_history,
         coalesce((
           select bool_or(not (${disowned})) from device_sessions d left join sessions s on s.device_session_id = d.id
            where d.user_id = account.id and d.device_id = $2), false) as knows_device,
         exists (
           select 1 from sessions s
            where s.user_id = account.id and not (${disowned})
              and s.ip_address <<= set_masklen($3::inet, case family($3::inet) when 4 then 24 else 48 end)) as knows_network
    from account`;

export interface BegunSignIn {
  readonly has_history: boolean;
  readonly knows_device: boolean;
  readonly knows_network: boolean;
}

/** The SQL of signing in and staying signed in. */

/** A refresh token with its session and account, locked: of two that present it at once, the second sees the first's mark. */
export const findTokenSql = `
  select t.id, t.session_id, t.family, t.counter, t.used_at, t.expires_at,
         s.user_id, s.revoked_at, s.authenticated_at, d.device_id, u.suspended_at, u.deleted_at
    from refresh_tokens t
    join sessions s on s.id = t.session_id
    join users u on u.id = s.user_id
    left join device_sessions d on d.id = s.device_session_id
   where t.token_hash = $1
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
  readonly suspended_at: string | null;
  readonly deleted_at: string | null;
}

/** The SQL of device links. Times are the database's: polls of one device may come to different replicas. */

const columns = `
  id, status, client_name, device_id, device_name, platform, host(ip_address) as ip_address, nullif(user_agent, '') as user_agent,
  created_at, expires_at, user_id, authenticated_at`;

/** What a person types: of a code that has expired nothing is known. $2 is the hash under the key before a rotation, or null. */
const byUserCode = `select ${columns} from device_links where user_code_hash in ($1, $2) and expires_at > now()`;
export const findLinkSql = byUserCode;
export const lockLinkSql = `${byUserCode} for update`;

/**
 * A poll: locked, so that polls of one link come one after the other. Half a second early is the network's doing.
 */
export const pollLinkSql = `
  select ${columns}, interval_seconds,
         coalesce(clock_timestamp() < last_polled_at + make_interval(secs => interval_seconds - 0.5), false) as is_early
    from device_links where device_code_hash = $1 and expires_at > now() and consumed_at is null for update`;

export const notePollSql = 'update device_links set last_polled_at = clock_timestamp(), interval_seconds = $2 where id = $1';

/** The one poll that gets the tokens; none where the session that approved has ended since. */
export const consumeLinkSql = `
  update device_links l set consumed_at = now() from sessions s
   where l.id = $1 and l.consumed_at is null and s.id = l.session_id and s.revoked_at is null and s.expires_at > now()
  returning l.id`;

export interface LinkRow {
  readonly id: string;
  readonly status: 'pending' | 'approved' | 'denied';
  readonly client_name: string;
  readonly device_id: string | null;
  readonly device_name: string | null;
  readonly platform: 'ios' | 'ipados' | 'android' | 'macos' | 'windows' | 'linux' | 'web' | 'other' | null;
  readonly ip_address: string;
  readonly user_agent: string | null;
  readonly created_at: string;
  readonly expires_at: string;
  /** Who decided. */
  readonly user_id: string | null;
  readonly authenticated_at: string | null;
}

export interface PolledLink extends LinkRow {
  readonly interval_seconds: number;
  readonly is_early: boolean;
}

import type { SessionToken, SessionTokenConsumption, TokenPair } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { randomToken, sha256 } from '#platform/crypto.ts';
import { type Database, transact } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { audit } from '../audit/audit.ts';
import { requireSession } from './session-service.ts';
import type { SignIns } from './sign-ins.ts';

const lifetimeSeconds = 90;

/** Before the token itself, so that nobody ends the account's sessions between looking at it and using it. */
const lockAccountSql = `
  select u.id from session_tokens t join users u on u.id = t.user_id
   where t.token_hash = $1 and t.used_at is null for no key update of u`;

/** Of any number at once one gets the row; none where the token is too old, or its session or account has ended. */
const useSql = `
  update session_tokens t set used_at = now()
    from sessions s, users u
   where t.token_hash = $1 and t.used_at is null and t.expires_at > now()
     and s.id = t.session_id and s.revoked_at is null and s.expires_at > now()
     and u.id = t.user_id and u.suspended_at is null and u.deleted_at is null
  returning t.id, t.user_id, t.session_id, s.authenticated_at`;

interface UsedToken { readonly id: string; readonly user_id: string; readonly session_id: string; readonly authenticated_at: string }

const doesNotHold = (): ServiceError =>
  new ServiceError('AUTH_INVALID', 'This token was used, is too old, or was never ours. Ask for a new one where you are signed in.');

/** Takes a person who is signed in here to the website: one token, good once and for ninety seconds. */
export class SessionTokenService {
  readonly #db: Database;
  readonly #signIns: SignIns;

  constructor(db: Database, signIns: SignIns) {
    this.#db = db;
    this.#signIns = signIns;
  }

  /** A token for whoever is shown it; only its hash is kept. One statement and the audit's. */
  async create(call: Call): Promise<SessionToken> {
    const { userId, sessionId } = requireSession(call);
    const [id, token] = [newId(), randomToken()];
    return transact(this.#db, call, async (trx) => {
      await trx('session_tokens').insert({
        id, user_id: userId, session_id: sessionId, token_hash: sha256(token),
        expires_at: trx.raw("now() + interval '1 second' * ?", [lifetimeSeconds]),
      });
      await audit(trx, call, { event_type: 'session_token.created', entity_type: 'session_token', entity_id: id });
      return { token, expires_in: lifetimeSeconds };
    });
  }

  /** Signs in by it, exactly one of any number of callers. The new session is no more recently proven than the one it comes from. */
  async consume(call: Call, { token, device }: SessionTokenConsumption): Promise<TokenPair> {
    const hash = sha256(token);
    return transact(this.#db, null, async (trx) => {
      const known = await this.#db.namedIn(trx, 'auth.lock_account_of_token', lockAccountSql, [hash]);
      const [used] = known.length === 0 ? [] : await this.#db.namedIn<UsedToken>(trx, 'auth.use_session_token', useSql, [hash]);
      if (used === undefined) throw doesNotHold();
      const { user_id: userId } = used;
      const pair = await this.#signIns.open(trx, call, { userId, device: device ?? null, authenticatedAtMs: Date.parse(used.authenticated_at) });
      await audit(trx, call, {
        event_type: 'session_token.consumed', entity_type: 'session_token', entity_id: used.id, user_id: userId,
        data: { session_id: pair.session_id, issued_by: used.session_id },
      });
      return pair;
    });
  }
}
